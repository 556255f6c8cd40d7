package controllers

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// sweptAnnotation records on a group when slices of epochs that it does not name were last deleted. Writing it is the
// fence: a writer that read the group before can no longer commit one of those epochs.
const sweptAnnotation = "scim-operator.io/swept"

// leftovers are the slices of a group in epochs that it does not name and that are older than delay, and how long the
// oldest of the younger ones still has. g is nil when the group is gone.
func leftovers(g *v1alpha1.ScimGroup, all []v1alpha1.ScimMemberSlice, now time.Time, delay time.Duration,
) (due []*v1alpha1.ScimMemberSlice, next time.Duration) {
	for i := range all {
		s := &all[i]
		if g != nil && g.Spec.Membership != nil && g.Spec.Membership.Epoch == s.Spec.Epoch {
			continue
		}
		if remaining := delay - now.Sub(s.CreationTimestamp.Time); remaining > 0 {
			next = sooner(next, remaining)
			continue
		}
		due = append(due, s)
	}
	return due, next
}

// sweep deletes slices of epochs that the group does not name, once they are so old that no writer is still at it. It
// returns in how long there is more to sweep; zero means never.
func (r *groupReconciler) sweep(ctx context.Context, key types.NamespacedName, g *v1alpha1.ScimGroup,
) (time.Duration, error) {
	var all v1alpha1.ScimMemberSliceList
	if err := r.list(ctx, &all, key.Namespace, byGroup, key.Name); err != nil {
		return 0, err
	}
	now := r.clock.Now()
	due, next := leftovers(g, all.Items, now, r.sweepDelay)
	if len(due) == 0 {
		return next, nil
	}
	var current v1alpha1.ScimGroup
	err := r.live.Get(ctx, key, &current)
	switch {
	case apierrors.IsNotFound(err):
	case err != nil:
		return 0, err
	default:
		fenced, err := r.fence(ctx, &current, now)
		if err != nil || !fenced {
			return soon, err
		}
	}
	for _, s := range due {
		if m := current.Spec.Membership; m != nil && m.Epoch == s.Spec.Epoch {
			continue // the cache was behind: the group names this epoch
		}
		if err := r.remove(ctx, s.DeepCopy()); err != nil {
			return 0, err
		}
	}
	return next, nil
}

// fence touches the group under the resourceVersion just read. It says false when that changed nothing, because the group
// was touched at this very time: then it does not fence.
func (r *groupReconciler) fence(ctx context.Context, g *v1alpha1.ScimGroup, now time.Time) (bool, error) {
	version, before := g.ResourceVersion, g.DeepCopy()
	if g.Annotations == nil {
		g.Annotations = map[string]string{}
	}
	g.Annotations[sweptAnnotation] = now.UTC().Format(time.RFC3339Nano)
	err := r.Patch(ctx, g, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	return err == nil && g.ResourceVersion != version, err
}
