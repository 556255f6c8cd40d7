package controllers

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ac "github.com/scim-operator/scim-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// writeUserStatus reports a decision in the user's status, unless there is nothing to say: the user is gone, or its
// directory's finalizer decides.
func (r *membershipReconciler) writeUserStatus(ctx context.Context, u *v1alpha1.ScimUser, d decision,
	provisioned *metav1.Time,
) error {
	if u == nil || d.ready.reason == "" {
		return nil
	}
	roles := roleNames(d.grants)
	conditions := deriveConditions(u.Status.Conditions, u.Generation, r.clock.Now(), d.ready)
	if u.Status.ObservedGeneration == u.Generation && slices.Equal(u.Status.Roles, roles) &&
		u.Status.ProvisionedTime.Equal(provisioned) &&
		sameConditions(u.Status.Conditions, conditions) {
		return nil
	}
	status := ac.ScimUserStatus().
		WithObservedGeneration(u.Generation).
		WithRoles(roles...).
		WithConditions(conditionConfigs(conditions)...)
	status.ProvisionedTime = provisioned
	cfg := ac.ScimUser(u.Name, u.Namespace).WithStatus(status)
	if u.Status.ProvisionedTime == nil {
		cfg.WithResourceVersion(u.ResourceVersion) // what was seen may be older than a time on record, which must stay
	}
	return r.applyStatus(ctx, cfg, v1alpha1.FieldManager)
}

// writeMemberStatus reports who manages a member, and through which groups it has its roles. It reports only about the
// version of the member that was seen, because a member can change hands; another version is a conflict. Its grants are the
// record of what was told of: only once they are written, the difference is told, as what the request brought about.
func (k kube) writeMemberStatus(ctx context.Context, m *v1alpha1.AppMembership, managedBy string,
	grants []v1alpha1.RoleGrant, ready readiness, request string,
) error {
	conditions := deriveConditions(m.Status.Conditions, m.Generation, k.clock.Now(), ready)
	if m.Status.ObservedGeneration == m.Generation && m.Status.ManagedBy == managedBy &&
		equality.Semantic.DeepEqual(m.Status.Grants, grants) && sameConditions(m.Status.Conditions, conditions) {
		return nil
	}
	status := ac.AppMembershipStatus().
		WithObservedGeneration(m.Generation).
		WithConditions(conditionConfigs(conditions)...)
	status.ManagedBy = ptrUnlessEmpty(managedBy)
	for _, g := range grants {
		status.WithGrants(ac.RoleGrant().WithRole(g.Role).WithGroups(g.Groups...))
	}
	if err := k.applyStatus(ctx, ac.AppMembership(m.Name, m.Namespace).
		WithUID(m.UID).WithResourceVersion(m.ResourceVersion).
		WithStatus(status), v1alpha1.FieldManager); err != nil {
		return err
	}
	k.reportAccess(ctx, m, grants, ready.reason, request)
	return nil
}
