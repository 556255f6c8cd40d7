package controllers

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

const (
	// deletionStep is how many objects one pass of the finalizer handles before it reports how far it is.
	deletionStep = 500
	// deletionPause lets the cache show what a pass did.
	deletionPause = 100 * time.Millisecond
	// heldPause is when to look again at people who all keep what they are to lose, unless the gate is faster.
	heldPause = time.Minute
	// deletionWorkers handle the objects of one pass side by side.
	deletionWorkers = 8
)

// remains is what a directory that is being deleted still has.
type remains struct {
	people []v1alpha1.AppMembership
	slices []v1alpha1.ScimMemberSlice
	groups []v1alpha1.ScimGroup
	users  []v1alpha1.ScimUser
}

func (r remains) none() bool {
	return len(r.people)+len(r.slices)+len(r.groups)+len(r.users) == 0
}

func (r remains) String() string {
	return fmt.Sprintf("%d members to release, %d groups and %d users to delete", len(r.people), len(r.groups), len(r.users))
}

// finalize hands the primary on, releases the directory's people, deletes its slices, groups and users, and lets go of the
// directory. Each pass looks at what is left, so that it can go on after a crash at any point.
func (r *directoryReconciler) finalize(ctx context.Context, d *v1alpha1.ScimDirectory) (reconcile.Result, error) {
	if !controllerutil.ContainsFinalizer(d, v1alpha1.DirectoryFinalizer) {
		return reconcile.Result{}, nil
	}
	place, _, err := r.placeOf(ctx, d)
	if err != nil {
		return reconcile.Result{}, err
	}
	left, err := r.remainsOf(ctx, d)
	if err != nil {
		return reconcile.Result{}, err
	}
	ready := readiness{progress: reconciling, reason: v1alpha1.ReasonDeleting, message: left.String() + r.gate.obstacles(d)}
	if err := r.writeStatus(ctx, d, place, tokensAsReported(d), ready); err != nil {
		return reconcile.Result{}, err
	}
	again := reconcile.Result{RequeueAfter: deletionPause}
	if place.primary {
		return again, nil
	}
	if left.none() {
		done, err := r.nobodyLive(ctx, d)
		if err != nil || !done {
			return again, err
		}
		return reconcile.Result{}, r.removeFinalizer(ctx, d)
	}
	if len(left.people) > 0 {
		pause, err := r.releasePeople(ctx, d, left.people)
		return reconcile.Result{RequeueAfter: pause}, err
	}
	return again, r.clear(ctx, left)
}

func (r *directoryReconciler) remainsOf(ctx context.Context, d *v1alpha1.ScimDirectory) (remains, error) {
	var people v1alpha1.AppMembershipList
	var slices v1alpha1.ScimMemberSliceList
	var groups v1alpha1.ScimGroupList
	var users v1alpha1.ScimUserList
	for _, list := range []client.ObjectList{&people, &slices, &groups, &users} {
		if err := r.list(ctx, list, d.Namespace, byDirectory, d.Name); err != nil {
			return remains{}, err
		}
	}
	return remains{people.Items, slices.Items, groups.Items, users.Items}, nil
}

// clear does one step, once no people are left: what nothing refers to any more.
func (r *directoryReconciler) clear(ctx context.Context, left remains) error {
	switch {
	case len(left.slices) > 0:
		return each(ctx, left.slices, func(ctx context.Context, s *v1alpha1.ScimMemberSlice) error {
			return r.destroy(ctx, s)
		})
	case len(left.groups) > 0:
		return each(ctx, left.groups, func(ctx context.Context, g *v1alpha1.ScimGroup) error {
			return r.destroy(ctx, g)
		})
	default:
		return each(ctx, left.users, func(ctx context.Context, u *v1alpha1.ScimUser) error {
			return r.destroy(ctx, u)
		})
	}
}

// nobodyLive confirms with the API server that no member of the directory is left: the caches of different kinds are not
// ordered against each other, and once the directory is gone nobody would keep its policy.
func (r *directoryReconciler) nobodyLive(ctx context.Context, d *v1alpha1.ScimDirectory) (bool, error) {
	var page v1alpha1.AppMembershipList
	for {
		if err := r.live.List(ctx, &page, client.InNamespace(d.Namespace), client.Limit(deletionStep),
			client.Continue(page.Continue)); err != nil {
			return false, err
		}
		for i := range page.Items {
			if ref := page.Items[i].Spec.UserRef; ref != nil && ref.Directory == d.Name {
				return false, nil
			}
		}
		if page.Continue == "" {
			return true, nil
		}
	}
}

func (r *directoryReconciler) removeFinalizer(ctx context.Context, d *v1alpha1.ScimDirectory) error {
	before := d.DeepCopy()
	controllerutil.RemoveFinalizer(d, v1alpha1.DirectoryFinalizer)
	return client.IgnoreNotFound(
		r.Patch(ctx, d, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})))
}

// each acts on the first deletionStep of the items, some at a time, and returns the first error.
func each[T any](ctx context.Context, items []T, act func(context.Context, *T) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(deletionWorkers)
	for i := range items[:min(len(items), deletionStep)] {
		g.Go(func() error { return act(ctx, &items[i]) })
	}
	return g.Wait()
}
