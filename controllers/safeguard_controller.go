package controllers

import (
	"context"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// safeguardReconciler judges the removals that the gate was asked for, directory by directory.
type safeguardReconciler struct {
	kube
	gate   *gate
	events events.EventRecorder
}

// +kubebuilder:rbac:groups=scim-operator.io,resources=scimdirectories,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=scim-operator.io,resources=appmemberships;approles,verbs=list;watch
// +kubebuilder:rbac:groups=scim-operator.io,resources=scimdirectories/status,verbs=patch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

func (r *safeguardReconciler) setup(mgr manager.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("safeguard").
		WithOptions(workers(4)).
		For(&v1alpha1.ScimDirectory{}, builder.WithPredicates(ofApproval())).
		WatchesRawSource(r.gate.judgements.source()).
		Complete(r)
}

// ofApproval lets updates through that ofSpec does, and those of what is approved.
func ofApproval() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return changesSpec(e) ||
			e.ObjectOld.GetAnnotations()[v1alpha1.ApproveAnnotation] != e.ObjectNew.GetAnnotations()[v1alpha1.ApproveAnnotation]
	}}
}

// Reconcile judges a directory's removals, puts on record what is to be carried out and what is held, and then lets it be.
func (r *safeguardReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	d, err := find[v1alpha1.ScimDirectory](ctx, r, req.Namespace, req.Name)
	if err != nil {
		return reconcile.Result{}, err
	}
	if d == nil {
		r.gate.drop(req.NamespacedName)
		return reconcile.Result{}, nil
	}
	if d.Spec.Safeguard == nil {
		return reconcile.Result{}, r.lift(ctx, d)
	}
	if err := r.load(ctx, d); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	again, err := r.judge(ctx, d)
	return retryConflict(reconcile.Result{RequeueAfter: again}, err)
}

func (r *safeguardReconciler) judge(ctx context.Context, d *v1alpha1.ScimDirectory) (time.Duration, error) {
	var members v1alpha1.AppMembershipList
	if err := r.list(ctx, &members, d.Namespace, byDirectory, d.Name); err != nil {
		return 0, err
	}
	active := 0
	for i := range members.Items {
		if members.Items[i].Spec.Active {
			active++
		}
	}
	limit, now := d.Spec.Safeguard.WithDefaults(), r.clock.Now()
	approve := d.Annotations[v1alpha1.ApproveAnnotation]

	r.gate.mu.Lock()
	l := r.gate.ledger(client.ObjectKeyFromObject(d), d.UID)
	j := l.judge(limit, approve, active, now)
	report, reported := l.after(limit, j, now).report(d), l.reported
	if len(l.expected) > 0 && now.Before(l.restored) {
		report = reported
	}
	r.gate.mu.Unlock()

	if !report.says(reported) {
		if err := r.writeStatus(ctx, d, report); err != nil {
			return 0, err
		}
	}
	r.gate.mu.Lock()
	l.enter(limit, j, now)
	l.reported = report
	used := approve != "" && approve == l.used
	if len(l.held) > 0 && len(l.expected) == 0 && approve == planOf(l.since, l.held) {
		j.again = time.Millisecond // what has just been held completes a plan that is approved already
	}
	r.gate.mu.Unlock()

	if err := r.tell(ctx, d, j, report); err != nil {
		return 0, err
	}
	if used {
		return j.again, r.removeApproval(ctx, d)
	}
	return j.again, nil
}

// tell has those looked at again about whom something was decided, and emits the events.
func (r *safeguardReconciler) tell(ctx context.Context, d *v1alpha1.ScimDirectory, j judgement, report heldReport) error {
	released := slices.Concat(slices.Collect(maps.Keys(j.release)), slices.Collect(maps.Keys(j.lift)))
	if err := r.gate.wake(ctx, urgent, d.Namespace, d.Name, released...); err != nil {
		return err
	}
	if err := r.gate.wake(ctx, ordinary, d.Namespace, d.Name, slices.Collect(maps.Keys(j.hold))...); err != nil {
		return err
	}
	if j.approved != "" {
		r.events.Eventf(d, nil, corev1.EventTypeNormal, v1alpha1.EventChangesReleased, "Release",
			"plan %s is approved: %s lose access or roles", j.approved, people(len(j.lift)))
	}
	if len(j.hold) > 0 {
		r.events.Eventf(d, nil, corev1.EventTypeWarning, v1alpha1.EventChangesHeld, "Hold",
			"%s would lose access or roles and keep them until plan %s is approved", people(report.people), report.plan)
	}
	return nil
}

// removeApproval takes away the annotation that was used, so that it works once.
func (r *safeguardReconciler) removeApproval(ctx context.Context, d *v1alpha1.ScimDirectory) error {
	after := d.DeepCopy()
	delete(after.Annotations, v1alpha1.ApproveAnnotation)
	return client.IgnoreNotFound(
		r.Patch(ctx, after, client.MergeFromWithOptions(d, client.MergeFromWithOptimisticLock{})))
}

// lift lets everything pass, because the directory has no safeguard.
func (r *safeguardReconciler) lift(ctx context.Context, d *v1alpha1.ScimDirectory) error {
	key := client.ObjectKeyFromObject(d)
	reported := r.gate.reported(key)
	if !reportOf(d).says(heldReport{}) || !reported.says(heldReport{}) {
		if err := r.writeStatus(ctx, d, heldReport{}); err != nil {
			return err
		}
	}
	return r.gate.wake(ctx, urgent, d.Namespace, d.Name, r.gate.drop(key)...)
}

// load reads from the directory's status what was held and counted before this process was in charge. From whom something
// was held say the members; they are looked at again.
func (r *safeguardReconciler) load(ctx context.Context, d *v1alpha1.ScimDirectory) error {
	key := client.ObjectKeyFromObject(d)
	if r.gate.hasLoaded(key, d.UID) {
		return nil
	}
	var live v1alpha1.ScimDirectory
	if err := r.live.Get(ctx, key, &live); err != nil {
		return err
	}
	var members v1alpha1.AppMembershipList
	if err := r.list(ctx, &members, d.Namespace, byDirectory, d.Name); err != nil {
		return err
	}
	var expected []string
	for i := range members.Items {
		if m := &members.Items[i]; hasReason(m, v1alpha1.ReasonChangesHeld) {
			expected = append(expected, m.Spec.UserRef.Name)
		}
	}
	r.gate.load(key, d.UID, reportOf(&live), d.Spec.Safeguard.WithDefaults(), expected)
	return r.gate.wake(ctx, urgent, d.Namespace, d.Name, expected...)
}

// hasReason says whether the status of a member gives a reason.
func hasReason(m *v1alpha1.AppMembership, reason string) bool {
	c := meta.FindStatusCondition(m.Status.Conditions, v1alpha1.ConditionReady)
	return c != nil && c.Reason == reason
}

func (g *gate) hasLoaded(key types.NamespacedName, directory types.UID) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ledger(key, directory).loaded
}

// load enters what a directory's status says into its ledger.
func (g *gate) load(key types.NamespacedName, directory types.UID, r heldReport, limit v1alpha1.Safeguard, expected []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.ledger(key, directory)
	l.restore(r, limit, expected, g.clock.Now())
	for _, id := range expected {
		g.ledgerOf[types.NamespacedName{Namespace: key.Namespace, Name: id}] = key.Name
	}
}

// reported is what a directory's status says, as far as this process has written it.
func (g *gate) reported(key types.NamespacedName) heldReport {
	g.mu.Lock()
	defer g.mu.Unlock()
	if l := g.ledgers[key]; l != nil {
		return l.reported
	}
	return heldReport{}
}

// drop ends a directory's ledger and returns the people in it.
func (g *gate) drop(key types.NamespacedName) []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.ledgers[key]
	if l == nil {
		return nil
	}
	delete(g.ledgers, key)
	ids := slices.Concat(slices.Collect(maps.Keys(l.waiting)), slices.Collect(maps.Keys(l.held)),
		slices.Collect(maps.Keys(l.released)), slices.Collect(maps.Keys(l.expected)))
	for _, id := range ids {
		delete(g.ledgerOf, types.NamespacedName{Namespace: key.Namespace, Name: id})
	}
	return ids
}
