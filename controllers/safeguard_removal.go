package controllers

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// removal is what one person would lose at once.
type removal struct {
	// id is the ScimUser's name, userName what the person is called now.
	id, userName string
	// access is the app altogether.
	access bool
	// roles are those that the operator granted, sorted.
	roles []string
	// others are the further roles that end with the access.
	others []string
}

func (r removal) none() bool { return !r.access && len(r.roles) == 0 }

// of says whether what the person would lose is the same.
func (r removal) of(other removal) bool {
	return r.access == other.access && slices.Equal(r.roles, other.roles)
}

// within says whether other takes away all that r does.
func (r removal) within(other removal) bool {
	return other.access || !r.access && len(without(r.roles, other.roles)) == 0
}

// less is the removal of what is left when the person is to keep something.
func (r removal) less(k keep) removal {
	if k.access {
		r.access, r.others = false, nil
	}
	r.roles = without(r.roles, k.roles)
	return r
}

// what says what would be lost.
func (r removal) what() string {
	if r.access {
		return "access"
	}
	const named = 3
	words := strings.Join(r.roles[:min(len(r.roles), named)], ", ")
	if more := len(r.roles) - named; more > 0 {
		words += fmt.Sprintf(" and %d more", more)
	}
	return words
}

// planOf identifies exactly these removals, held since then.
func planOf(since time.Time, removals map[string]removal) string {
	hash := sha256.New()
	fmt.Fprintln(hash, since.Unix())
	for _, r := range sorted(removals) {
		lost := "access"
		if !r.access {
			lost = strings.Join(r.roles, " ")
		}
		fmt.Fprintln(hash, r.id, lost)
	}
	return hex.EncodeToString(hash.Sum(nil))[:12]
}

func sorted(removals map[string]removal) []removal {
	all := make([]removal, 0, len(removals))
	for _, r := range removals {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b removal) int { return cmp.Compare(a.id, b.id) })
	return all
}

// without are the names that are not among others.
func without(names, others []string) []string {
	gone, _ := changedMembers(names, others)
	return gone
}

// removalOf is what a person would lose by a decision.
func removalOf(p person, d decision) (removal, error) {
	lost := removal{id: p.id}
	switch m := d.member; {
	case d.action == provision && m != nil && m.Spec.Active:
		lost.userName, lost.access = m.Spec.User.UserName, !d.active
		lost.roles = without(p.has, roleNames(d.grants))
		if lost.access {
			lost.others = without(m.Spec.Roles, p.has)
		}
	case d.action == release:
		for _, m := range p.own {
			one, err := removalOfMember(m, true)
			if err != nil {
				return lost, err
			}
			if one.access {
				one.roles, one.others = slices.Concat(lost.roles, one.roles), slices.Concat(lost.others, one.others)
				lost = one
			}
		}
	}
	slices.Sort(lost.roles)
	lost.roles = slices.Compact(lost.roles)
	return lost, nil
}

// removalOfMember is what a person would lose if the operator took away what it granted to a member, and the access with
// it, or only when nothing else is left.
func removalOfMember(m *v1alpha1.AppMembership, wholly bool) (removal, error) {
	lost := removal{id: m.Spec.UserRef.Name, userName: m.Spec.User.UserName}
	owned, err := rolesAppliedBy(v1alpha1.FieldManager, m)
	if err != nil || !m.Spec.Active {
		return lost, err
	}
	others := without(m.Spec.Roles, owned)
	lost.roles, lost.access = owned, wholly || len(others) == 0
	if lost.access {
		lost.others = others
	}
	return lost, nil
}

// keep is the part of a removal that is not carried out, and why.
type keep struct {
	access bool
	roles  []string
	// reason is empty while it is still to be decided.
	reason string
	// last are the protected roles that nobody else has.
	last []string
}

func (k keep) anything() bool { return k.access || len(k.roles) > 0 || len(k.last) > 0 }

func keepAll(r removal, reason string) keep {
	return keep{access: r.access, roles: r.roles, reason: reason}
}

// message explains the reason.
func (k keep) message(directory string) string {
	if k.reason == v1alpha1.ReasonLastHolder {
		return "the person is the last active one who has a protected role and keeps it, with the access: AppRole " +
			strings.Join(k.last, ", ") + "; as soon as somebody else has it, this person loses it"
	}
	return "the safeguard of ScimDirectory " + directory + " holds back what this person is to lose; its condition " +
		v1alpha1.ConditionChangesHeld + " says what, and how to approve it"
}

// memberReadiness is what the status of a member says that keeps something.
func (k keep) memberReadiness(directory string) readiness {
	return readiness{ready: true, reason: k.reason, message: k.message(directory)}
}

// keeping is the decision without what is not carried out.
func (d decision) keeping(p person, k keep) decision {
	if !k.anything() {
		return d
	}
	d.kept = k
	d.ready = readiness{}
	if k.reason != "" {
		directory := ""
		if p.directory != nil {
			directory = p.directory.Name
		}
		d.ready = readiness{reason: k.reason, message: k.message(directory)}
		if k.reason == v1alpha1.ReasonLastHolder {
			d.ready.progress = stalled
		}
	}
	if d.action != provision {
		for _, m := range p.own {
			d.grants = append(d.grants, grantsOf(m, k.roles)...)
		}
		return d
	}
	d.active = d.active || k.access
	d.grants = append(slices.Clone(d.grants), grantsOf(d.member, k.roles)...)
	slices.SortFunc(d.grants, func(a, b v1alpha1.RoleGrant) int { return cmp.Compare(a.Role, b.Role) })
	d.grants = fitting(d.grants, p.has, d.member)
	return d
}

// grantsOf are grants of those roles that a member has, as its status explains them.
func grantsOf(m *v1alpha1.AppMembership, roles []string) []v1alpha1.RoleGrant {
	var grants []v1alpha1.RoleGrant
	for _, role := range roles {
		if !slices.Contains(m.Spec.Roles, role) {
			continue
		}
		g := v1alpha1.RoleGrant{Role: role}
		if i := slices.IndexFunc(m.Status.Grants, func(g v1alpha1.RoleGrant) bool { return g.Role == role }); i >= 0 {
			g = m.Status.Grants[i]
		}
		grants = append(grants, g)
	}
	return grants
}
