package controllers

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	ac "github.com/scim-operator/scim-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// targetReconciler refuses every AppTarget, loudly, so that nobody takes one for enforced.
type targetReconciler struct {
	kube
}

// +kubebuilder:rbac:groups=scim-operator.io,resources=apptargets,verbs=get;list;watch
// +kubebuilder:rbac:groups=scim-operator.io,resources=apptargets/status,verbs=patch

func (r *targetReconciler) setup(mgr manager.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("target").
		WithOptions(workers(1)).
		For(&v1alpha1.AppTarget{}).
		Complete(r)
}

// Reconcile says once that this version changes nothing for the target.
func (r *targetReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	t, err := find[v1alpha1.AppTarget](ctx, r, req.Namespace, req.Name)
	if err != nil || t == nil {
		return reconcile.Result{}, err
	}
	conditions := deriveConditions(t.Status.Conditions, t.Generation, r.clock.Now(), readiness{
		progress: stalled, reason: v1alpha1.ReasonTargetNotSupported,
		message: "this version of the operator changes nothing for " + targetKind(&t.Spec) +
			", in any mode; read AppMemberships instead",
	})
	if t.Status.ObservedGeneration == t.Generation && sameConditions(t.Status.Conditions, conditions) {
		return reconcile.Result{}, nil
	}
	return reconcile.Result{}, r.applyStatus(ctx, ac.AppTarget(t.Name, t.Namespace).WithStatus(ac.AppTargetStatus().
		WithObservedGeneration(t.Generation).
		WithConditions(conditionConfigs(conditions)...)), v1alpha1.FieldManager)
}

// targetKind is the field of the spec that says where access is to take effect.
func targetKind(s *v1alpha1.AppTargetSpec) string {
	switch {
	case s.KubernetesRBAC != nil:
		return "kubernetesRBAC"
	case s.ArgoCD != nil:
		return "argoCD"
	case s.OpenShiftGroups != nil:
		return "openShiftGroups"
	case s.OpenFGA != nil:
		return "openFGA"
	default:
		return "webhook"
	}
}
