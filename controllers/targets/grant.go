package targets

import (
	"cmp"
	"maps"
	"slices"
)

// Grant is one thing that one subject has in a system, both as the system knows them.
type Grant struct {
	Subject     string
	Entitlement string
}

// compareGrants orders grants by what is granted, so that neighbours tend to be in one place of the system.
func compareGrants(a, b Grant) int {
	return cmp.Or(cmp.Compare(a.Entitlement, b.Entitlement), cmp.Compare(a.Subject, b.Subject))
}

// Grants is a set.
type Grants map[Grant]struct{}

// Add puts a grant into the set.
func (s Grants) Add(g Grant) { s[g] = struct{}{} }

// Has says whether a grant is in the set.
func (s Grants) Has(g Grant) bool {
	_, is := s[g]
	return is
}

func (s Grants) remove(g Grant) { delete(s, g) }

// with are the grants of both.
func (s Grants) with(others Grants) Grants {
	if len(others) == 0 {
		return s
	}
	all := maps.Clone(s)
	maps.Copy(all, others)
	return all
}

// without are the grants of s that others lack and that pass the filter, in order.
func (s Grants) without(others Grants, pass func(Grant) bool) []Grant {
	var rest []Grant
	for g := range s {
		if !others.Has(g) && pass(g) {
			rest = append(rest, g)
		}
	}
	slices.SortFunc(rest, compareGrants)
	return rest
}

// ByEntitlement carries out the changes of one entitlement after the other, so that one that the system refuses keeps none
// of the others waiting. It returns the grants that were carried out, and why the others were not; a system that is Down is
// not asked for the rest.
func ByEntitlement(grants []Grant, act func(entitlement string, subjects []string) error) (done []Grant, err error) {
	var refused refusals
	for rest := grants; len(rest) > 0; {
		n := slices.IndexFunc(rest, func(g Grant) bool { return g.Entitlement != rest[0].Entitlement })
		if n < 0 {
			n = len(rest)
		}
		part := rest[:n]
		rest = rest[n:]
		subjects := make([]string, 0, len(part))
		for _, g := range part {
			subjects = append(subjects, g.Subject)
		}
		switch err := act(part[0].Entitlement, subjects); {
		case err == nil:
			done = append(done, part...)
		case !IsRefused(err):
			return done, err
		default:
			refused = append(refused, err)
		}
	}
	return done, refused.asError()
}
