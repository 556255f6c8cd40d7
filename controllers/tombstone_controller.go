package controllers

import (
	"cmp"
	"context"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// tombstoneReconciler forgets deleted users when the directory's policy says so, with what others had granted to them.
type tombstoneReconciler struct {
	kube
}

// +kubebuilder:rbac:groups=scim-operator.io,resources=scimtombstones,verbs=get;list;watch;delete
// +kubebuilder:rbac:groups=scim-operator.io,resources=scimdirectories;scimusers,verbs=get;list;watch
// +kubebuilder:rbac:groups=scim-operator.io,resources=appmemberships,verbs=get;list;watch;delete

func (r *tombstoneReconciler) setup(mgr manager.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("tombstone").
		WithOptions(workers(2)).
		For(&v1alpha1.ScimTombstone{}).
		Watches(&v1alpha1.ScimUser{}, r.ofUser()).
		Watches(&v1alpha1.ScimDirectory{}, r.ofDirectory()).
		Complete(r)
}

// Reconcile deletes one tombstone that has had its time, or waits until it has.
func (r *tombstoneReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	t, err := find[v1alpha1.ScimTombstone](ctx, r, req.Namespace, req.Name)
	if err != nil || t == nil || deleting(t) {
		return reconcile.Result{}, err
	}
	d, err := find[v1alpha1.ScimDirectory](ctx, r, t.Namespace, t.Spec.DirectoryRef.Name)
	if err != nil {
		return reconcile.Result{}, err
	}
	u, err := find[v1alpha1.ScimUser](ctx, r, t.Namespace, t.Name)
	if err != nil {
		return reconcile.Result{}, err
	}
	if over, left := decideTombstone(t, d, u, r.clock.Now()); !over {
		return reconcile.Result{RequeueAfter: left}, nil
	}
	if certain, err := r.confirm(ctx, t, d, u); err != nil || !certain {
		return reconcile.Result{RequeueAfter: soon}, err
	}
	if d != nil && u == nil {
		if err := r.forgetMember(ctx, t); err != nil {
			return retryConflict(reconcile.Result{}, err)
		}
	}
	return retryConflict(reconcile.Result{}, r.remove(ctx, t.DeepCopy()))
}

// confirm asks the API server whether what the caches show is so: they are not ordered against each other.
func (r *tombstoneReconciler) confirm(ctx context.Context, t *v1alpha1.ScimTombstone, d *v1alpha1.ScimDirectory,
	u *v1alpha1.ScimUser,
) (bool, error) {
	if d == nil {
		return r.goneLive(ctx, &v1alpha1.ScimDirectory{}, t.Namespace, t.Spec.DirectoryRef.Name)
	}
	gone, err := r.goneLive(ctx, &v1alpha1.ScimUser{}, t.Namespace, t.Name)
	return gone == (u == nil), err
}

// forgetMember deletes the inactive member that was kept for the person's return. It goes before the tombstone, which
// leads to it.
func (r *tombstoneReconciler) forgetMember(ctx context.Context, t *v1alpha1.ScimTombstone) error {
	members, err := r.membersBy(ctx, t.Namespace, byUser, t.Name)
	if err != nil {
		return err
	}
	for _, m := range members {
		if m.Spec.Active {
			continue
		}
		if err := r.remove(ctx, m.DeepCopy()); err != nil {
			return err
		}
	}
	return nil
}

// ofUser: the tombstone of a user who came back, or went.
func (r *tombstoneReconciler) ofUser() handler.Funcs {
	return onChange(func(_ context.Context, before, after *v1alpha1.ScimUser, q queue) {
		if before == nil || after == nil {
			u := cmp.Or(before, after)
			enqueue(q, ordinary, u.Namespace, u.Name)
		}
	})
}

// ofDirectory: all tombstones of a directory that goes, or remembers for another time.
func (r *tombstoneReconciler) ofDirectory() handler.Funcs {
	return onChange(func(ctx context.Context, before, after *v1alpha1.ScimDirectory, q queue) {
		switch {
		case before == nil:
			return
		case after != nil && deleting(before) == deleting(after) &&
			*before.Spec.Users.WithDefaults().TombstoneTTL == *after.Spec.Users.WithDefaults().TombstoneTTL:
			return
		}
		var tombstones v1alpha1.ScimTombstoneList
		triggers{r.kube}.report(ctx, r.list(ctx, &tombstones, before.Namespace, byDirectory, before.Name))
		for i := range tombstones.Items {
			enqueue(q, ordinary, before.Namespace, tombstones.Items[i].Name)
		}
	})
}
