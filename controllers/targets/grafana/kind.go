// Package grafana is the kind of AppTarget whose grants are memberships of Grafana's teams. Grafana does not say who made a
// membership, so the target's record does; it names users and teams by their identifiers, which outlive a change of a
// person's e-mail address and of a team's name.
package grafana

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

// Kind is this kind.
var Kind = targets.Kind{Name: "grafana", StepSize: 50, Open: open}

// system is the teams of one organization of Grafana, as one target sees them.
type system struct {
	grafana client
	ledger  *targets.Ledger
	subject v1alpha1.GrafanaSubject
	mapping targets.Mapping
	// names are the teams that the spec names.
	names map[string]bool
	view
	// refused are entitlements that Grafana refused to give, or to take, since the system was opened.
	refused map[string]error
}

func open(ctx context.Context, env targets.Environment) (targets.System, error) {
	spec := env.Target.Spec.Grafana
	token, bundle, err := targets.Token(ctx, env, spec.Credentials.Name)
	if err != nil {
		return nil, err
	}
	c, err := env.Egress.Client(bundle)
	if err != nil {
		return nil, err
	}
	s := &system{
		grafana: client{targets.API{Base: strings.TrimRight(spec.URL, "/"), Token: token, Client: c}, spec.Credentials.Name},
		ledger:  env.Ledger,
		subject: cmp.Or(spec.Subject, v1alpha1.GrafanaByEmail),
		names:   map[string]bool{},
		refused: map[string]error{},
	}
	meanings := map[string][]string{}
	for _, t := range spec.Teams {
		if err := targets.Plain("grafana.teams.team", t.Team); err != nil {
			return nil, err
		}
		meanings[t.Role] = append(meanings[t.Role], entitlementOf(t.Team))
		s.names[t.Team] = true
	}
	s.mapping = targets.Mapping{
		Subject:      s.subjectOf,
		Entitlements: func(role string) []string { return meanings[role] },
	}
	return s, nil
}

// Want is by the spec's teams.
func (s *system) Want(people []targets.Person, _ []targets.Role) targets.Wanted {
	return s.mapping.Want(people)
}

// subjectOf is a person's name in Grafana, by the one attribute that the spec chooses: one person's login may be another's
// e-mail address.
func (s *system) subjectOf(p targets.Person) (string, error) {
	name := p.Email
	if s.subject == v1alpha1.GrafanaByUserName {
		name = p.UserName
	}
	if name == "" {
		return "", fmt.Errorf("no %s", s.subject)
	}
	return canonical(name), nil
}

// nameOf is the same of one of Grafana's users; empty for one without.
func (s *system) nameOf(u user) string {
	if s.subject == v1alpha1.GrafanaByUserName {
		return canonical(u.Login)
	}
	return canonical(u.Email)
}

// canonical is the form in which Grafana compares logins and e-mail addresses.
func canonical(name string) string { return strings.ToLower(name) }

// entitlementOf is a team in words.
func entitlementOf(name string) string { return "team " + name }

// Users and teams that Grafana does not show are told by what is on record. No name of a person has a capital letter, and no
// team that is wanted begins with one here, so that these are never taken for what is wanted.
func nameOfUnknown(user int64) string { return fmt.Sprintf("User %d", user) }

func entitlementOfUnknown(uid string) string { return "Team " + uid }
