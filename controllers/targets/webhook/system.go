package webhook

import (
	"context"
	"slices"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

// Want are facts about everybody, also about those who are not active, and about roles.
func (s *system) Want(people []targets.Person, roles []targets.Role) targets.Wanted {
	s.roles, s.people, s.wanted = roles, make(map[string]targets.Person, len(people)), make(map[string][]string, len(people)+len(roles))
	for _, r := range roles {
		s.wanted[roleSubject(r.Name)] = known{title: r.DisplayName}.facts()
	}
	for _, p := range people {
		s.people[p.ID], s.wanted[p.ID] = p, factsOf(p)
	}
	w := targets.Wanted{Grants: targets.Grants{}}
	for subject, facts := range s.wanted {
		for _, f := range facts {
			w.Grants.Add(targets.Grant{Subject: subject, Entitlement: f})
		}
	}
	return w
}

// Observe reads what the receiver was told. Nobody else tells it anything.
func (s *system) Observe(context.Context) (*targets.Observation, error) {
	s.seen = targets.NewObservation()
	for e := range s.ledger.Entries() {
		for _, g := range grantsOf(e) {
			s.seen.Ours.Add(g)
		}
	}
	return s.seen, nil
}

// grantsOf are what is seen of an entry.
func grantsOf(e v1alpha1.LedgerEntry) []targets.Grant {
	if e.Subject == snapshotSubject {
		return nil
	}
	var grants []targets.Grant
	for _, f := range e.Grants {
		grants = append(grants, targets.Grant{Subject: e.Subject, Entitlement: f})
	}
	if e.Pending != nil {
		grants = append(grants, targets.Grant{Subject: e.Subject, Entitlement: unconfirmed})
	}
	return grants
}

// Revoke tells all that there is to tell of the subjects, not only what they lose: a new name is one event, not a person who
// is gone and another who comes.
func (s *system) Revoke(ctx context.Context, grants []targets.Grant) ([]targets.Grant, error) {
	err := s.tell(ctx, subjectsOf(grants))
	return slices.DeleteFunc(slices.Clone(grants), s.seen.Ours.Has), err
}

// Grant tells all that there is to tell of the subjects.
func (s *system) Grant(ctx context.Context, grants []targets.Grant) ([]targets.Grant, error) {
	err := s.tell(ctx, subjectsOf(grants))
	return slices.DeleteFunc(slices.Clone(grants), func(g targets.Grant) bool { return !s.seen.Ours.Has(g) }), err
}

func subjectsOf(grants []targets.Grant) []string {
	var subjects []string
	for _, g := range grants {
		subjects = append(subjects, g.Subject)
	}
	slices.Sort(subjects)
	return slices.Compact(subjects)
}

// record writes what changed about subjects, in one write for each page of the ledger.
func (s *system) record(ctx context.Context, entries []v1alpha1.LedgerEntry) error {
	if len(entries) == 0 {
		return nil
	}
	for _, e := range entries {
		for _, g := range grantsOf(s.ledger.Entry(e.Subject)) {
			delete(s.seen.Ours, g)
		}
		for _, g := range grantsOf(e) {
			s.seen.Ours.Add(g)
		}
	}
	return s.ledger.Put(ctx, entries...)
}
