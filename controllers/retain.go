package controllers

import (
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ac "github.com/scim-operator/scim-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// makeLocal turns a member into a local one that keeps what it has.
func (k kube) makeLocal(ctx context.Context, m *v1alpha1.AppMembership) error {
	return k.letGo(ctx, m, v1alpha1.FieldManager, v1alpha1.RetainedFieldManager)
}

// giveBack turns a member into a local one again that has what it had before it was provisioned.
func (k kube) giveBack(ctx context.Context, m *v1alpha1.AppMembership) error {
	request := k.requestOf(ctx, m, nil)
	if err := k.letGo(ctx, m, v1alpha1.RetainedFieldManager); err != nil {
		return err
	}
	k.reportAccess(ctx, m, nil, v1alpha1.ReasonLocal, request)
	return nil
}

// letGo turns a member into a local one that keeps the roles that others granted, and those that the managers applied: first
// a second field manager holds it, then the first lets go. So it can be repeated after a crash in the middle.
func (k kube) letGo(ctx context.Context, m *v1alpha1.AppMembership, managers ...string) error {
	kept := v1alpha1.AppMembershipSpec{User: m.Spec.User, Active: m.Spec.Active}
	for _, manager := range managers {
		roles, err := rolesAppliedBy(manager, m)
		if err != nil {
			return err
		}
		kept.Roles = append(kept.Roles, roles...)
	}
	slices.Sort(kept.Roles)
	kept.Roles = slices.Compact(kept.Roles)
	m, err := k.applyMember(ctx, memberConfig(m.Name, m.Namespace, m, kept), v1alpha1.RetainedFieldManager)
	if err != nil {
		return err
	}
	nothing := ac.AppMembership(m.Name, m.Namespace).WithUID(m.UID).WithResourceVersion(m.ResourceVersion)
	_, err = k.applyMember(ctx, nothing, v1alpha1.FieldManager)
	return err
}

// revokeForGood takes away the roles that the operator granted and deletes a member that has no others. A member that has
// becomes local.
func (k kube) revokeForGood(ctx context.Context, m *v1alpha1.AppMembership) error {
	request := k.requestOf(ctx, m, nil)
	seen, err := k.revokeRoles(ctx, m, nil, m.Spec.Active)
	if err != nil {
		return err
	}
	if len(seen.Spec.Roles) == 0 {
		return k.removeMember(ctx, seen, v1alpha1.ReasonDeleting, request)
	}
	// The answer to an apply has no managedFields; those seen before still tell what was retained earlier.
	seen.ManagedFields = slices.DeleteFunc(slices.Clone(m.ManagedFields), func(e metav1.ManagedFieldsEntry) bool {
		return appliedBy(v1alpha1.FieldManager, e)
	})
	if err := k.makeLocal(ctx, seen); err != nil {
		return err
	}
	k.reportAccess(ctx, seen, nil, v1alpha1.ReasonDeleting, request)
	return nil
}
