// Package openshiftgroups is the kind of AppTarget whose grants are users of OpenShift Groups. It acts as a ServiceAccount of
// the target's namespace, and asks for each Group by its name, so that the ServiceAccount needs not see any other.
package openshiftgroups

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"k8s.io/apimachinery/pkg/api/validate/content"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

// Kind is this kind.
var Kind = targets.Kind{Name: "openShiftGroups", StepSize: 1000, Open: open}

// system is the Groups of one target.
type system struct {
	client client.Client
	target *v1alpha1.AppTarget
	ledger *targets.Ledger

	mapping targets.Mapping
	// names are those of the Groups that the spec chose, by role.
	names map[string]string
	// carried are the Groups of the roles that the target carries, and wanted who is to be in them.
	carried map[string]bool
	wanted  targets.Grants
	// groups are those that were seen and are the target's, by name.
	groups map[string]*group
}

func open(_ context.Context, env targets.Environment) (targets.System, error) {
	spec := env.Target.Spec.OpenShiftGroups
	subject, err := targets.ParseSubject(cmp.Or(spec.Subject, "{{ .userName }}"))
	if err != nil {
		return nil, err
	}
	if err := targets.Plain("openShiftGroups.prefix", spec.Prefix); err != nil {
		return nil, err
	}
	s := &system{client: env.Kubernetes, target: env.Target, ledger: env.Ledger, names: map[string]string{}}
	for _, g := range spec.Groups {
		if err := targets.Plain("openShiftGroups.groups.name", g.Name); err != nil {
			return nil, err
		}
		if err := checkName(g.Name); err != nil {
			return nil, targets.Invalidate("groups: the Group of role %s is called %q, %v", g.Role, g.Name, err)
		}
		s.names[g.Role] = g.Name
	}
	s.mapping = targets.Mapping{
		Subject:      func(p targets.Person) (string, error) { return userOf(subject, p) },
		Entitlements: func(role string) []string { return []string{entitlementOf(s.groupOf(role))} },
	}
	return s, nil
}

// groupOf is the name of a role's Group.
func (s *system) groupOf(role string) string {
	return cmp.Or(s.names[role], s.target.Spec.OpenShiftGroups.Prefix+role)
}

func userOf(subject targets.Subject, p targets.Person) (string, error) {
	name, err := subject.Of(p)
	if err == nil {
		err = checkName(name)
	}
	return name, err
}

var errName = errors.New("a name that OpenShift does not accept: an empty one, ., .., ~, or one with /, % or : in it")

// checkName says whether a User or Group can have a name. Without colons, nobody becomes one of Kubernetes' own users or
// groups by what an identity provider calls them.
func checkName(name string) error {
	if name == "" || name == "~" || strings.Contains(name, ":") || len(content.IsPathSegmentName(name)) > 0 {
		return errName
	}
	return nil
}

const entitlementPrefix = "Group/"

func entitlementOf(group string) string { return entitlementPrefix + group }

func groupIn(entitlement string) string { return strings.TrimPrefix(entitlement, entitlementPrefix) }

// Want is a Group for each role that the target carries.
func (s *system) Want(people []targets.Person, roles []targets.Role) targets.Wanted {
	s.carried = map[string]bool{}
	for _, r := range roles {
		s.carried[s.groupOf(r.Name)] = true
	}
	wanted := s.mapping.Want(people)
	s.wanted = wanted.Grants
	return wanted
}
