// Package openfga is the kind of AppTarget whose grants are relationship tuples in a store of OpenFGA. Others write tuples
// there, too, and a tuple does not say who wrote it: the target's record does.
package openfga

import (
	"cmp"
	"context"
	"strings"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

// Kind is this kind.
var Kind = targets.Kind{Name: "openFGA", StepSize: maxChanges, Open: open}

// system is the tuples of one target.
type system struct {
	store   store
	spec    v1alpha1.OpenFGATarget
	ledger  *targets.Ledger
	mapping targets.Mapping
	// userType is the type of people, relations what the spec's tuples relate them by.
	userType  string
	relations []relation
	// others is what was seen that is not on record.
	others targets.Grants
}

func open(ctx context.Context, env targets.Environment) (targets.System, error) {
	spec := *env.Target.Spec.OpenFGA
	template := cmp.Or(spec.User, "user:{{ .userName }}")
	subject, err := targets.ParseSubject(template)
	if err != nil {
		return nil, err
	}
	store, err := connect(ctx, env, spec)
	if err != nil {
		return nil, err
	}
	s := &system{store: store, spec: spec, ledger: env.Ledger}
	s.userType, _, _ = strings.Cut(template, ":")
	meanings := map[string][]string{}
	for _, t := range spec.Tuples {
		r, err := relationOf(t)
		if err != nil {
			return nil, err
		}
		meanings[t.Role] = append(meanings[t.Role], r.String())
		s.relations = append(s.relations, r)
	}
	s.mapping = targets.Mapping{
		Subject:      func(p targets.Person) (string, error) { return userOf(subject, p) },
		Entitlements: func(role string) []string { return meanings[role] },
	}
	return s, nil
}

// Want is by the spec's tuples.
func (s *system) Want(people []targets.Person, _ []targets.Role) targets.Wanted {
	return s.mapping.Want(people)
}
