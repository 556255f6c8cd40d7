// Package argocd is the kind of AppTarget whose grants are lines of Argo CD's RBAC policy. They are in a key of their own in
// Argo CD's ConfigMap, which server-side apply marks as the target's.
package argocd

import (
	"cmp"
	"context"
	"errors"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

// Kind is this kind.
var Kind = targets.Kind{Name: "argoCD", StepSize: 1000, Open: open}

const (
	configMapName    = "argocd-rbac-cm"
	defaultNamespace = "argocd"
)

// system is the key of one target.
type system struct {
	client client.Client
	target *v1alpha1.AppTarget
	ledger *targets.Ledger

	place client.ObjectKey // of the ConfigMap
	key   string
	// claim is the one of Argo CD's tokens that holds the subject.
	claim   string
	mapping targets.Mapping
	wanted  targets.Grants
	roles   []v1alpha1.ArgoCDRole
	seen    observed
}

func open(_ context.Context, env targets.Environment) (targets.System, error) {
	t := env.Target
	spec := t.Spec.ArgoCD
	subject := subjects[cmp.Or(spec.Subject, v1alpha1.ArgoCDByEmail)]
	meanings := map[string][]string{}
	for _, r := range spec.Roles {
		meanings[r.Role] = append(meanings[r.Role], r.ArgoCDRole)
	}
	return &system{
		client: env.Kubernetes, target: t, ledger: env.Ledger,
		place: client.ObjectKey{Namespace: cmp.Or(spec.Namespace, defaultNamespace), Name: configMapName},
		key:   "policy." + t.Namespace + "." + t.Name + ".csv", // no namespace holds a dot, so no other target has this key
		claim: subject.claim, roles: spec.Roles,
		mapping: targets.Mapping{
			Subject:      subject.of,
			Entitlements: func(role string) []string { return meanings[role] },
		},
	}, nil
}

// Want is by the spec's roles.
func (s *system) Want(people []targets.Person, _ []targets.Role) targets.Wanted {
	wanted := s.mapping.Want(people)
	s.wanted = wanted.Grants
	return wanted
}

// subject is an attribute by which Argo CD knows people.
type subject struct {
	claim string
	of    func(targets.Person) (string, error)
}

var subjects = map[v1alpha1.ArgoCDSubject]subject{
	v1alpha1.ArgoCDByEmail: {"email", func(p targets.Person) (string, error) {
		if p.Email == "" {
			return "", errors.New("no email")
		}
		return p.Email, checkEmail(p.Email)
	}},
	v1alpha1.ArgoCDByUserName: {"preferred_username", func(p targets.Person) (string, error) {
		return p.UserName, checkSubject(p.UserName)
	}},
	v1alpha1.ArgoCDByExternalID: {claimSub, func(p targets.Person) (string, error) {
		if p.ExternalID == "" {
			return "", errors.New("no externalId")
		}
		return p.ExternalID, checkSubject(p.ExternalID)
	}},
}
