package controllers

import (
	"context"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// someHolders is how many holders of a role are looked at before all are.
const someHolders = 16

// protectedRoles are the protected ones of the roles that a person would no longer have.
func (g *gate) protectedRoles(ctx context.Context, namespace string, lost removal) ([]string, error) {
	var protected []string
	for _, name := range slices.Concat(lost.roles, lost.others) {
		role, err := find[v1alpha1.AppRole](ctx, g, namespace, name)
		if err != nil {
			return nil, err
		}
		if role != nil && role.Spec.Protected && !deleting(role) {
			protected = append(protected, name)
		}
	}
	return protected, nil
}

// withoutOtherHolder are those of the roles that no active member has but the person's own.
func (g *gate) withoutOtherHolder(ctx context.Context, namespace string, roles []string, own []*v1alpha1.AppMembership,
	holds func(context.Context, *v1alpha1.AppMembership, string) (bool, error),
) ([]string, error) {
	var last []string
	for _, role := range roles {
		other, err := g.otherHolder(ctx, namespace, role, own, holds)
		if err != nil {
			return nil, err
		}
		if !other {
			last = append(last, role)
		}
	}
	return last, nil
}

func (g *gate) otherHolder(ctx context.Context, namespace, role string, own []*v1alpha1.AppMembership,
	holds func(context.Context, *v1alpha1.AppMembership, string) (bool, error),
) (bool, error) {
	for _, limit := range []client.Limit{someHolders, 0} {
		var holders v1alpha1.AppMembershipList
		if err := g.List(ctx, &holders, client.InNamespace(namespace), client.MatchingFields{byActiveRole: role},
			client.UnsafeDisableDeepCopy, limit); err != nil {
			return false, err
		}
		for i := range holders.Items {
			m := &holders.Items[i]
			if slices.ContainsFunc(own, func(o *v1alpha1.AppMembership) bool { return o.Name == m.Name }) {
				continue
			}
			if yes, err := holds(ctx, m, role); yes || err != nil {
				return yes, err
			}
		}
	}
	return false, nil
}

// holds says whether a member has a role in effect.
func (g *gate) holds(_ context.Context, m *v1alpha1.AppMembership, role string) (bool, error) {
	return m.Spec.Active && !deleting(m) && slices.Contains(m.Spec.Roles, role), nil
}

// holdsLive asks the API server: the cache may not show yet what the operator itself has just taken away.
func (g *gate) holdsLive(ctx context.Context, m *v1alpha1.AppMembership, role string) (bool, error) {
	var live v1alpha1.AppMembership
	if err := g.live.Get(ctx, client.ObjectKeyFromObject(m), &live); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return g.holds(ctx, &live, role)
}

// keepRoles is what a person keeps who is the last holder of protected roles: these, and the access.
func (g *gate) keepRoles(namespace string, d *v1alpha1.ScimDirectory, lost removal, last []string) keep {
	g.mu.Lock()
	defer g.mu.Unlock()
	for role, people := range g.kept {
		if role.Namespace == namespace && !slices.Contains(last, role.Name) {
			g.forgetKept(role, people, lost.id)
		}
	}
	if len(last) == 0 {
		return keep{}
	}
	directory := ""
	if d != nil {
		directory = d.Name
	}
	for _, role := range last {
		key := types.NamespacedName{Namespace: namespace, Name: role}
		if g.kept[key] == nil {
			g.kept[key] = map[string]string{}
		}
		g.kept[key][lost.id] = directory
	}
	slices.Sort(last)
	return keep{
		access: lost.access, reason: v1alpha1.ReasonLastHolder, last: last,
		roles: slices.DeleteFunc(slices.Clone(lost.roles), func(role string) bool { return !slices.Contains(last, role) }),
	}
}

// newHolders look again at those who keep a role, when a member has it who had not.
func (g *gate) newHolders() handler.Funcs {
	return onChange(func(ctx context.Context, before, after *v1alpha1.AppMembership, _ queue) {
		if after == nil || !after.Spec.Active {
			return
		}
		var had []string
		if before != nil && before.Spec.Active {
			had = before.Spec.Roles
		}
		_, come := changedMembers(had, after.Spec.Roles)
		for _, role := range come {
			g.wakeKept(ctx, types.NamespacedName{Namespace: after.Namespace, Name: role})
		}
	})
}

// unprotected look again at those who keep a role, when it is protected no longer.
func (g *gate) unprotected() handler.Funcs {
	return onChange(func(ctx context.Context, before, after *v1alpha1.AppRole, _ queue) {
		if before != nil && (after == nil || deleting(after) || !after.Spec.Protected) {
			g.wakeKept(ctx, client.ObjectKeyFromObject(before))
		}
	})
}

func (g *gate) wakeKept(ctx context.Context, role types.NamespacedName) {
	g.mu.Lock()
	people := maps.Clone(g.kept[role])
	g.mu.Unlock()
	for id, directory := range people {
		if err := g.wake(ctx, urgent, role.Namespace, directory, id); err != nil && !apierrors.IsNotFound(err) {
			log.FromContext(ctx).Error(err, "Could not look again at the last holder of a role")
		}
	}
}
