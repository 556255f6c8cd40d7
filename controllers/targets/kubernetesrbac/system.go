package kubernetesrbac

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

// The record of a target holds where it has ever made bindings, so that what it gave is found there after the spec forgot
// the place.
const (
	ledgerPlace  = "bindings"
	wholeCluster = "*" // the subject that stands for the cluster
)

func ledgerSubject(namespace string) string { return cmp.Or(namespace, wholeCluster) }

// Observe reads the bindings of the target wherever it has, or is to have, any.
func (s *system) Observe(ctx context.Context) (*targets.Observation, error) {
	o := targets.NewObservation()
	s.bound = map[string][]*binding{}
	for _, namespace := range s.namespaces() {
		bindings, err := s.list(ctx, namespace)
		if targets.IsRefused(err) {
			s.block(o, namespace, err)
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, b := range bindings {
			s.bound[b.entitlement()] = append(s.bound[b.entitlement()], b)
		}
	}
	for e, p := range s.places {
		if _, blocked := o.Blocked[e]; blocked || !p.named || len(s.bound[e]) > 0 {
			continue
		}
		if err := s.lookAtTaken(ctx, o, p); err != nil {
			return nil, err
		}
	}
	for e, bindings := range s.bound {
		for _, b := range bindings {
			for _, name := range b.users() {
				if g := (targets.Grant{Subject: name, Entitlement: e}); targets.Owns(s.target, b.object) {
					o.Ours.Add(g)
				} else {
					o.Adopt(g, s.wanted)
				}
			}
		}
	}
	return o, nil
}

// namespaces are all that matter; the empty one is the cluster.
func (s *system) namespaces() []string {
	all := map[string]bool{}
	for _, p := range s.places {
		all[p.namespace] = true
	}
	for e := range s.ledger.Entries() {
		if e.Subject == wholeCluster {
			all[""] = true
		} else {
			all[e.Subject] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func (s *system) list(ctx context.Context, namespace string) (bindings []*binding, err error) {
	if namespace == "" {
		var list rbacv1.ClusterRoleBindingList
		err = s.client.List(ctx, &list, client.MatchingLabels(targets.Labels(s.target)))
		for i := range list.Items {
			bindings = append(bindings, ofCluster(&list.Items[i]))
		}
		return bindings, targets.KubernetesError(err, "list ClusterRoleBindings")
	}
	var list rbacv1.RoleBindingList
	err = s.client.List(ctx, &list, client.InNamespace(namespace), client.MatchingLabels(targets.Labels(s.target)))
	for i := range list.Items {
		bindings = append(bindings, ofNamespace(&list.Items[i]))
	}
	return bindings, targets.KubernetesError(err, "list RoleBindings in namespace "+namespace)
}

// block marks everything in a namespace as out of reach.
func (s *system) block(o *targets.Observation, namespace string, why error) {
	obstacle := targets.Obstacle{Reason: v1alpha1.ReasonTargetRefused, Message: why.Error()}
	o.Blocked["in "+ledgerSubject(namespace)] = obstacle
	for e, p := range s.places {
		if p.namespace == namespace {
			o.Blocked[e] = obstacle
		}
	}
}

// lookAtTaken looks whether the name that the spec gives a binding is that of one made by others, and adopts it if it is to.
func (s *system) lookAtTaken(ctx context.Context, o *targets.Observation, p place) error {
	b := newBinding(p, p.name)
	err := s.client.Get(ctx, client.ObjectKeyFromObject(b.object), b.object)
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		err = targets.KubernetesError(err, "read "+b.String())
		if !targets.IsRefused(err) {
			return err
		}
		o.Blocked[p.entitlement()] = targets.Obstacle{Reason: v1alpha1.ReasonTargetRefused, Message: err.Error()}
	case b.entitlement() != p.entitlement():
		o.Blocked[p.entitlement()] = targets.Obstacle{Reason: v1alpha1.ReasonNotOurs, Message: fmt.Sprintf(
			"%s binds %s %s: delete it, or give the binding of the AppTarget another name", b, b.role.Kind, b.role.Name)}
	case s.target.Spec.Adopt:
		s.bound[p.entitlement()] = []*binding{b}
	default:
		o.Blocked[p.entitlement()] = targets.Obstacle{Reason: v1alpha1.ReasonNotOurs, Message: fmt.Sprintf(
			"%s was made by others: set adopt: true to take it over, or give the binding of the AppTarget another name", b)}
	}
	return nil
}

// Revoke takes people off bindings, and deletes those that nobody is left on.
func (s *system) Revoke(ctx context.Context, grants []targets.Grant) ([]targets.Grant, error) {
	return targets.ByEntitlement(grants, func(e string, subjects []string) error {
		for _, b := range slices.Clone(s.bound[e]) {
			if err := s.change(ctx, e, b, b.without(subjects)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Grant puts people on bindings with room, and makes more where there is none.
func (s *system) Grant(ctx context.Context, grants []targets.Grant) ([]targets.Grant, error) {
	return targets.ByEntitlement(grants, func(e string, subjects []string) error {
		p := s.places[e]
		place := targets.Grant{Subject: ledgerSubject(p.namespace), Entitlement: ledgerPlace}
		if err := s.ledger.Claim(ctx, []targets.Grant{place}); err != nil {
			return err
		}
		for _, b := range s.bound[e] {
			var err error
			if subjects, err = s.mark(ctx, b, subjects); err != nil {
				return err
			}
		}
		for len(subjects) > 0 {
			b := s.roomIn(e, p)
			n := min(b.room(), len(subjects))
			if err := s.change(ctx, e, b, b.with(subjects[:n])); err != nil {
				return err
			}
			subjects = subjects[n:]
		}
		return nil
	})
}

// mark takes a binding over that already holds some of the subjects, and returns the others.
func (s *system) mark(ctx context.Context, b *binding, subjects []string) ([]string, error) {
	held := map[string]bool{}
	for _, name := range b.users() {
		held[name] = true
	}
	others := slices.DeleteFunc(slices.Clone(subjects), func(name string) bool { return held[name] })
	if len(others) == len(subjects) || targets.Owns(s.target, b.object) {
		return others, nil
	}
	return others, targets.Keep(ctx, s.client, s.target, b.object, false, b.String())
}

// roomIn is a binding that has room, perhaps one that is yet to be made.
func (s *system) roomIn(e string, p place) *binding {
	taken := map[string]bool{}
	for _, b := range s.bound[e] {
		if b.room() > 0 {
			return b
		}
		taken[b.object.GetName()] = true
	}
	name := p.name
	for n := 2; taken[name]; n++ {
		name = fmt.Sprintf("%s-%d", p.name, n)
	}
	return newBinding(p, name)
}

// change gives a binding other subjects, if it is still as it was read; one without subjects is not kept.
func (s *system) change(ctx context.Context, e string, b *binding, subjects []rbacv1.Subject) error {
	if len(subjects) == len(*b.subjects) {
		return nil
	}
	before := *b.subjects
	*b.subjects = subjects
	err := targets.Keep(ctx, s.client, s.target, b.object, len(subjects) == 0, b.String())
	switch {
	case err != nil:
		*b.subjects = before
	case len(subjects) == 0:
		s.bound[e] = slices.DeleteFunc(s.bound[e], func(o *binding) bool { return o == b })
	case !slices.Contains(s.bound[e], b):
		s.bound[e] = append(s.bound[e], b)
	}
	return err
}
