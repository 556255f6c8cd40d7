// Package kubernetesrbac is the kind of AppTarget whose grants are subjects of RoleBindings and ClusterRoleBindings. It acts
// as a ServiceAccount of the target's namespace, so that Kubernetes' own check against escalation decides what it may give.
package kubernetesrbac

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

// Kind is this kind.
var Kind = targets.Kind{Name: "kubernetesRBAC", StepSize: 1000, Open: open}

// place is where those who have an entitlement are bound.
type place struct {
	namespace string // empty for the whole cluster
	role      v1alpha1.KubernetesRoleReference
	// name is that of the first binding; named says that the spec chose it.
	name  string
	named bool
}

// entitlement is the place in words.
func (p place) entitlement() string { return entitlementOf(p.namespace, p.role.Kind, p.role.Name) }

func entitlementOf(namespace, kind, name string) string {
	if namespace == "" {
		return kind + "/" + name
	}
	return namespace + "/" + kind + "/" + name
}

// system is the bindings of one target.
type system struct {
	client  client.Client
	target  *v1alpha1.AppTarget
	ledger  *targets.Ledger
	mapping targets.Mapping
	places  map[string]place
	// wanted is what people are to have, as last told.
	wanted targets.Grants
	// bound are the bindings that were seen, by entitlement, in the order of their names.
	bound map[string][]*binding
}

func open(_ context.Context, env targets.Environment) (targets.System, error) {
	spec := env.Target.Spec.KubernetesRBAC
	subject, err := targets.ParseSubject(cmp.Or(spec.Subject, "{{ .userName }}"))
	if err != nil {
		return nil, err
	}
	s := &system{client: env.Kubernetes, target: env.Target, ledger: env.Ledger, places: map[string]place{}}
	meanings := map[string][]string{}
	names := map[string]string{}
	for _, b := range spec.Bindings {
		for _, p := range placesOf(env.Target, b) {
			e := p.entitlement()
			meanings[b.Role] = append(meanings[b.Role], e)
			if known, is := s.places[e]; is && known.named {
				continue
			}
			s.places[e] = p
			if taken := names[p.namespace+"/"+p.name]; taken != "" && taken != e {
				return nil, targets.Invalidate("bindings: two of them are called %q; give each a name of its own", p.name)
			}
			names[p.namespace+"/"+p.name] = e
		}
	}
	s.mapping = targets.Mapping{
		Subject:      func(p targets.Person) (string, error) { return nameOf(subject, p) },
		Entitlements: func(role string) []string { return meanings[role] },
	}
	return s, nil
}

func placesOf(t *v1alpha1.AppTarget, b v1alpha1.KubernetesBinding) []place {
	namespaces := b.Namespaces
	switch {
	case b.ClusterWide:
		namespaces = []string{""}
	case len(namespaces) == 0:
		namespaces = []string{t.Namespace}
	}
	places := make([]place, 0, len(namespaces))
	for _, ns := range namespaces {
		p := place{namespace: ns, role: b.RoleRef, name: b.Name, named: b.Name != ""}
		if !p.named {
			sum := sha256.Sum256([]byte(t.Namespace + " " + p.entitlement()))
			p.name = "scim-" + t.Name + "-" + hex.EncodeToString(sum[:6])
		}
		places = append(places, p)
	}
	return places
}

// errReserved keeps what an identity provider sends from naming Kubernetes' own users.
var errReserved = errors.New("a name that begins with system:, which Kubernetes keeps for itself")

func nameOf(subject targets.Subject, p targets.Person) (string, error) {
	name, err := subject.Of(p)
	if err == nil && strings.HasPrefix(name, "system:") {
		err = errReserved
	}
	return name, err
}

// Want is by the spec's bindings.
func (s *system) Want(people []targets.Person, _ []targets.Role) targets.Wanted {
	w := s.mapping.Want(people)
	s.wanted = w.Grants
	return w
}
