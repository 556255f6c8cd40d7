package controllers

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	ac "github.com/scim-operator/scim-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// groupReadiness says whether a group is in effect.
func groupReadiness(g *v1alpha1.ScimGroup, v groupView) readiness {
	switch {
	case v.directory == nil:
		return readiness{progress: stalled, reason: v1alpha1.ReasonDirectoryNotFound,
			message: "ScimDirectory " + g.Spec.DirectoryRef.Name + " does not exist; create it, or delete this group"}
	case v.reserved:
		return readiness{progress: stalled, reason: v1alpha1.ReasonReserved,
			message: "groups.reserved of ScimDirectory " + v.directory.Name + " keeps this displayName for the app, so that " +
				"this group grants nothing; rename or delete the group in the identity provider"}
	case v.conflict != "":
		return readiness{progress: stalled, reason: v1alpha1.ReasonConflict,
			message: "ScimGroup " + v.conflict + " of this directory has the same displayName and is not younger, so that " +
				"this group grants nothing; rename or delete one of them in the identity provider"}
	case v.noRole:
		return readiness{progress: stalled, reason: v1alpha1.ReasonRoleNotFound,
			message: "AppRole " + g.Spec.RoleRef.Name + ", to which this group is linked, does not exist; create it, or delete " +
				"this group in the identity provider"}
	case !v.complete:
		return readiness{progress: reconciling, reason: v1alpha1.ReasonMembersIncomplete,
			message: "not all slices of epoch " + g.Spec.Membership.Epoch + " are visible yet"}
	case v.dangling:
		return readiness{progress: reconciling, reason: v1alpha1.ReasonDanglingMembers,
			message: "members that no longer exist are being removed"}
	case isMirror(g):
		return readiness{ready: true, reason: v1alpha1.ReasonExposed, message: "the group shows AppRole " +
			g.Spec.RoleRef.Name + " for the identity provider to link; until then it grants nothing"}
	default:
		return readiness{ready: true, reason: v1alpha1.ReasonReady, message: "the group is in effect"}
	}
}

// writeStatus reports on the group. While its members are not all visible, their number stays as it was.
func (r *groupReconciler) writeStatus(ctx context.Context, g *v1alpha1.ScimGroup, v groupView) error {
	members := g.Status.Members
	if v.complete {
		members = countMembers(v.slices)
	}
	ready := groupReadiness(g, v)
	conditions := deriveConditions(g.Status.Conditions, g.Generation, r.clock.Now(), ready, releaseOf(g)...)
	if g.Status.ObservedGeneration == g.Generation && g.Status.Members == members &&
		slices.Equal(g.Status.Roles, v.roles) && sameConditions(g.Status.Conditions, conditions) {
		return nil
	}
	err := r.applyStatus(ctx, ac.ScimGroup(g.Name, g.Namespace).WithStatus(ac.ScimGroupStatus().
		WithObservedGeneration(g.Generation).
		WithMembers(members).
		WithRoles(v.roles...).
		WithConditions(conditionConfigs(conditions)...)), v1alpha1.FieldManager)
	if err == nil {
		r.report(g, ready)
	}
	return err
}

// releaseOf is the condition of a group that is released.
func releaseOf(g *v1alpha1.ScimGroup) []condition {
	if !released(g) {
		return nil
	}
	return []condition{{v1alpha1.ConditionReleased, true, v1alpha1.ReasonReleaseRequested,
		"an administrator lets anybody edit or delete this group, until the identity provider writes to it again"}}
}

// report tells in an event what has just begun: that the group cannot take effect, or that it is released.
func (r *groupReconciler) report(g *v1alpha1.ScimGroup, ready readiness) {
	before := meta.FindStatusCondition(g.Status.Conditions, v1alpha1.ConditionReady)
	if ready.progress == stalled && (before == nil || before.Reason != ready.reason) {
		r.events.Eventf(g, nil, corev1.EventTypeWarning, ready.reason, "Reconcile", "ScimDirectory %s: %s",
			g.Spec.DirectoryRef.Name, ready.message)
	}
	if released(g) && !meta.IsStatusConditionTrue(g.Status.Conditions, v1alpha1.ConditionReleased) {
		r.events.Eventf(g, nil, corev1.EventTypeNormal, v1alpha1.EventGroupReleased, "Release",
			"an administrator released the group from ScimDirectory %s: anybody may edit or delete it",
			g.Spec.DirectoryRef.Name)
	}
}
