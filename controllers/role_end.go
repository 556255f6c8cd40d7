package controllers

import (
	"context"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// endRole deletes a role that was made for a group which is gone, after nobody has it any more: those to whom the group gave
// it have lost it by then, and one that somebody was given by hand, or kept when the directory was deleted, stays with them.
// It says whether it did.
func (r *roleReconciler) endRole(ctx context.Context, role *v1alpha1.AppRole) (bool, error) {
	_, group := madeFor(role)
	if group == "" || deleting(role) {
		return false, nil
	}
	if g, err := find[v1alpha1.ScimGroup](ctx, r, role.Namespace, group); err != nil || g != nil {
		return false, err
	}
	if needed, err := r.isNeeded(ctx, role); err != nil || needed {
		return false, err
	}
	if gone, err := r.goneLive(ctx, &v1alpha1.ScimGroup{}, role.Namespace, group); err != nil || !gone {
		return false, err
	}
	if needed, err := r.isNeededLive(ctx, role); err != nil || needed {
		return false, err
	}
	return true, r.remove(ctx, role.DeepCopy())
}

// isNeeded says whether an active member has the role, or a group is linked to it, as the cache knows.
func (r *roleReconciler) isNeeded(ctx context.Context, role *v1alpha1.AppRole) (bool, error) {
	var members v1alpha1.AppMembershipList
	if err := r.list(ctx, &members, role.Namespace, byActiveRole, role.Name); err != nil || len(members.Items) > 0 {
		return true, err
	}
	var groups v1alpha1.ScimGroupList
	err := r.list(ctx, &groups, role.Namespace, byRole, role.Name)
	return slices.ContainsFunc(groups.Items, isLinkedGroup), err
}

// isNeededLive is isNeeded as the API server knows.
func (r *roleReconciler) isNeededLive(ctx context.Context, role *v1alpha1.AppRole) (bool, error) {
	var groups v1alpha1.ScimGroupList
	if err := r.live.List(ctx, &groups, client.InNamespace(role.Namespace),
		client.MatchingFields{fieldRole: role.Name}); err != nil || slices.ContainsFunc(groups.Items, isLinkedGroup) {
		return true, err
	}
	var page v1alpha1.AppMembershipList
	for {
		if err := r.live.List(ctx, &page, client.InNamespace(role.Namespace), client.Limit(deletionStep),
			client.Continue(page.Continue)); err != nil {
			return true, err
		}
		for i := range page.Items {
			if m := &page.Items[i]; m.Spec.Active && slices.Contains(m.Spec.Roles, role.Name) {
				return true, nil
			}
		}
		if page.Continue == "" {
			return false, nil
		}
	}
}

func isLinkedGroup(g v1alpha1.ScimGroup) bool { return !isMirror(&g) }
