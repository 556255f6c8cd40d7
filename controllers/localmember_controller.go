package controllers

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// localMemberReconciler reports in the status of members without a directory that nobody manages them.
type localMemberReconciler struct {
	kube
}

// +kubebuilder:rbac:groups=scim-operator.io,resources=appmemberships,verbs=get;list;watch
// +kubebuilder:rbac:groups=scim-operator.io,resources=appmemberships/status,verbs=patch

func (r *localMemberReconciler) setup(mgr manager.Manager) error {
	local := predicate.NewPredicateFuncs(func(o client.Object) bool {
		return o.(*v1alpha1.AppMembership).Spec.UserRef == nil
	})
	return ctrl.NewControllerManagedBy(mgr).
		Named("local-member").
		WithOptions(workers(2)).
		For(&v1alpha1.AppMembership{}, builder.WithPredicates(local)).
		Complete(r)
}

// Reconcile reports about one member.
func (r *localMemberReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	m, err := find[v1alpha1.AppMembership](ctx, r, req.Namespace, req.Name)
	if err != nil || m == nil || m.Spec.UserRef != nil || deleting(m) {
		return reconcile.Result{}, err
	}
	return retryConflict(reconcile.Result{}, r.writeMemberStatus(ctx, m, "", nil, readiness{
		ready: true, reason: v1alpha1.ReasonLocal, message: "no directory manages this member",
	}, ""))
}
