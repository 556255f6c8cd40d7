package controllers

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

const (
	// targetWorkers is how many targets are worked on at a time. A target whose system does not answer holds one until its
	// calls time out.
	targetWorkers = 128
	// targetTurn is for how long one target begins steps before it says how far it is.
	targetTurn = 5 * time.Second
	// gatherPause is how long additions are gathered after the last look at a target; removals are not.
	gatherPause = 300 * time.Millisecond
	// longestWait bounds the pause after a failure, which doubles each time.
	longestWait = time.Minute
	// kubernetesTimeout bounds one call as a target's ServiceAccount.
	kubernetesTimeout = 30 * time.Second
)

// targetReconciler makes systems follow the AppMemberships of a namespace.
type targetReconciler struct {
	kube
	events   events.EventRecorder
	config   *rest.Config
	egress   *targets.Egress
	interval time.Duration
	metrics  *targetMetrics
	causes   *causes
	// sessions are the work on each target, by its name.
	sessions sync.Map
	// changes count what happened to the people and roles of each namespace.
	changes sync.Map
}

// +kubebuilder:rbac:groups=scim-operator.io,resources=apptargets,verbs=list;watch;patch
// +kubebuilder:rbac:groups=scim-operator.io,resources=apptargets/status,verbs=patch
// +kubebuilder:rbac:groups=scim-operator.io,resources=apptargetledgers,verbs=list;create;update;delete
// +kubebuilder:rbac:groups=scim-operator.io,resources=appmemberships;approles;scimdirectories,verbs=list;watch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

func (r *targetReconciler) setup(mgr manager.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("target").
		WithOptions(workers(targetWorkers)).
		For(&v1alpha1.AppTarget{}, builder.WithPredicates(ofTarget())).
		Watches(&v1alpha1.AppMembership{}, r.causes.of(r.members())).
		Watches(&v1alpha1.AppRole{}, r.roles()).
		Watches(&v1alpha1.ScimDirectory{}, r.directories()).
		Complete(r.causes.record(r, func(result reconcile.Result) bool { return result.IsZero() || result.RequeueAfter == r.interval }))
}

// ofTarget lets updates through that ofSpec does, and those of what snapshot is asked for.
func ofTarget() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return changesSpec(e) ||
			e.ObjectOld.GetAnnotations()[v1alpha1.SnapshotAnnotation] != e.ObjectNew.GetAnnotations()[v1alpha1.SnapshotAnnotation]
	}}
}

// members looks at the targets of the namespace: at once when somebody may have lost something, else after a pause.
func (r *targetReconciler) members() handler.Funcs {
	return onChange(func(ctx context.Context, before, after *v1alpha1.AppMembership, q queue) {
		if before != nil && after != nil && deleting(before) == deleting(after) &&
			equality.Semantic.DeepEqual(before.Spec, after.Spec) {
			return
		}
		r.changed(ctx, cmp.Or(after, before).Namespace, before != nil && loses(before, after), q)
	})
}

// loses says whether a change of a member takes something away.
func loses(before, after *v1alpha1.AppMembership) bool {
	return after == nil || deleting(after) || before.Spec.Active && !after.Spec.Active || before.Spec.User != after.Spec.User ||
		slices.ContainsFunc(before.Spec.Roles, func(role string) bool { return !slices.Contains(after.Spec.Roles, role) })
}

func (r *targetReconciler) roles() handler.Funcs {
	return onChange(func(ctx context.Context, before, after *v1alpha1.AppRole, q queue) {
		if before != nil && after != nil && deleting(before) == deleting(after) &&
			before.Status.DisplayName == after.Status.DisplayName {
			return
		}
		r.changed(ctx, cmp.Or(after, before).Namespace, after == nil || deleting(after), q)
	})
}

// directories looks at the targets of a namespace when one of its directories is acknowledged after a restore, or goes.
func (r *targetReconciler) directories() handler.Funcs {
	return onChange(func(ctx context.Context, before, after *v1alpha1.ScimDirectory, q queue) {
		if before != nil && restored(before) && (after == nil || !restored(after)) {
			r.changed(ctx, before.Namespace, true, q)
		}
	})
}

func (r *targetReconciler) changed(ctx context.Context, namespace string, atOnce bool, q queue) {
	r.counter(namespace).Add(1)
	var all v1alpha1.AppTargetList
	triggers{r.kube}.report(ctx, r.listAll(ctx, &all, namespace))
	for i := range all.Items {
		if atOnce {
			enqueue(q, urgent, namespace, all.Items[i].Name)
		} else {
			later(q, r.pause(client.ObjectKeyFromObject(&all.Items[i])), namespace, all.Items[i].Name)
		}
	}
}

// pause is how long additions to a target are gathered now: a first one, after a quiet time, is not.
func (r *targetReconciler) pause(key client.ObjectKey) time.Duration {
	w, ok := r.sessions.Load(key)
	if !ok {
		return 0
	}
	return max(0, time.Unix(0, w.(*work).looked.Load()).Add(gatherPause).Sub(r.clock.Now()))
}

func (r *targetReconciler) counter(namespace string) *atomic.Int64 {
	c, _ := r.changes.LoadOrStore(namespace, new(atomic.Int64))
	return c.(*atomic.Int64)
}

// work is what is kept of one target between two looks at it.
type work struct {
	uid        types.UID
	generation int64
	snapshot   string // what the annotation asks for
	session    *targets.Session
	ledger     *targets.Ledger
	// looked is when the last look ended, in nanoseconds.
	looked atomic.Int64
	// failures counts those in a row; until notBefore nothing is tried.
	failures  int
	notBefore time.Time
}

// Reconcile makes one system follow.
func (r *targetReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	t, err := find[v1alpha1.AppTarget](ctx, r, req.Namespace, req.Name)
	if err != nil {
		return reconcile.Result{}, err
	}
	if t == nil || deleting(t) && !controllerutil.ContainsFinalizer(t, v1alpha1.TargetFinalizer) {
		r.sessions.Delete(req.NamespacedName)
		return reconcile.Result{}, nil
	}
	w := r.workOn(t)
	if wait := w.notBefore.Sub(r.clock.Now()); wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, nil
	}
	if deleting(t) && !takesBack(t) {
		return retryConflict(reconcile.Result{}, r.letGo(ctx, t, w))
	}
	unacknowledged, err := r.restoredIn(ctx, t.Namespace)
	if err != nil {
		return reconcile.Result{}, err
	}
	report, failure := r.run(ctx, t, w, unacknowledged != "")
	w.looked.Store(r.clock.Now().UnixNano())
	r.metrics.count(t, report)
	if deleting(t) && failure == nil && nothingLeft(report) {
		return retryConflict(reconcile.Result{}, r.letGo(ctx, t, w))
	}
	if err := r.tell(ctx, t, report, failure, unacknowledged); err != nil {
		return reconcile.Result{}, err
	}
	if failure == nil && unacknowledged != "" && len(report.Plan.Revoke) == 0 {
		w.failures = 0
		return reconcile.Result{RequeueAfter: r.interval}, nil
	}
	return r.next(ctx, t, w, report, failure), nil
}

// workOn is the work on a target; after a change of what it asks for it begins anew, and at once.
func (r *targetReconciler) workOn(t *v1alpha1.AppTarget) *work {
	key := client.ObjectKeyFromObject(t)
	snapshot := t.Annotations[v1alpha1.SnapshotAnnotation]
	if w, ok := r.sessions.Load(key); ok {
		if w := w.(*work); w.uid == t.UID && w.generation == t.Generation && w.snapshot == snapshot {
			return w
		}
	}
	w := &work{uid: t.UID, generation: t.Generation, snapshot: snapshot}
	r.sessions.Store(key, w)
	return w
}

// takesBack says whether the end of a target takes back what it gave.
func takesBack(t *v1alpha1.AppTarget) bool {
	spec := t.Spec.WithDefaults()
	return spec.Mode == v1alpha1.TargetEnforce && spec.DeletionPolicy == v1alpha1.TargetRevoke
}

// nothingLeft says whether nothing of the target is left in the system, for certain.
func nothingLeft(r targets.Report) bool {
	for _, o := range r.Blocked {
		if o.Reason != v1alpha1.ReasonNotOurs && !o.Revocable {
			return false
		}
	}
	return r.Observed && r.Grants == 0 && len(r.Plan.Revoke) == 0
}

// letGo ends a target.
func (r *targetReconciler) letGo(ctx context.Context, t *v1alpha1.AppTarget, w *work) error {
	if err := r.openLedger(ctx, t, w); err != nil {
		return err
	}
	if err := w.ledger.Destroy(ctx); err != nil {
		return err
	}
	before := t.DeepCopy()
	after := t.DeepCopy()
	controllerutil.RemoveFinalizer(after, v1alpha1.TargetFinalizer)
	return client.IgnoreNotFound(
		r.Patch(ctx, after, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})))
}

// hold lets the target not end before what it gave has.
func (r *targetReconciler) hold(ctx context.Context, t *v1alpha1.AppTarget) error {
	before := t.DeepCopy()
	after := t.DeepCopy()
	if deleting(t) || !controllerutil.AddFinalizer(after, v1alpha1.TargetFinalizer) {
		return nil
	}
	return r.Patch(ctx, after, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
}

// run opens the target's system if need be, and takes one turn.
func (r *targetReconciler) run(ctx context.Context, t *v1alpha1.AppTarget, w *work, revokeOnly bool) (targets.Report, error) {
	if w.session == nil || w.session.Due() {
		if err := r.open(ctx, t, w); err != nil {
			return targets.Report{}, err
		}
	}
	spec := t.Spec.WithDefaults()
	changes := r.counter(t.Namespace)
	var known int64
	return w.session.Run(ctx, targets.Orders{
		Want: func(ctx context.Context) ([]targets.Person, []targets.Role, error) {
			known = changes.Load()
			if deleting(t) {
				return nil, nil, nil
			}
			return r.lookAtPeople(ctx, t)
		},
		Changed:    func() bool { return changes.Load() != known },
		Enforce:    spec.Mode == v1alpha1.TargetEnforce,
		RevokeOnly: revokeOnly,
		Adopt:      spec.Adopt,
		Before:     func(ctx context.Context) error { return r.hold(ctx, t) },
		For:        targetTurn,
	})
}

// open opens the target's system anew.
func (r *targetReconciler) open(ctx context.Context, t *v1alpha1.AppTarget, w *work) error {
	if err := r.openLedger(ctx, t, w); err != nil {
		return err
	}
	kind := kindOf(t)
	env := targets.Environment{Target: t.DeepCopy(), Egress: r.egress, Ledger: w.ledger, Clock: r.clock}
	env.Secret = func(ctx context.Context, name string) (map[string][]byte, error) { return r.secret(ctx, t, name) }
	if account := t.Spec.ServiceAccountName; account != "" {
		var err error
		if env.Kubernetes, err = r.as(t.Namespace, account); err != nil {
			return err
		}
	}
	system, err := kind.Open(ctx, env)
	if err != nil {
		return err
	}
	if w.session == nil {
		w.session = targets.NewSession(kind, system, r.clock, r.interval)
	} else {
		w.session.Reopen(system)
	}
	return nil
}

func (r *targetReconciler) openLedger(ctx context.Context, t *v1alpha1.AppTarget, w *work) (err error) {
	if w.ledger == nil {
		w.ledger, err = targets.OpenLedger(ctx, r.Client, r.live, t.DeepCopy())
	}
	return err
}

// as is a client that may do what a ServiceAccount may.
func (r *targetReconciler) as(namespace, account string) (client.Client, error) {
	config := rest.CopyConfig(r.config)
	config.Impersonate = rest.ImpersonationConfig{UserName: "system:serviceaccount:" + namespace + ":" + account}
	config.Timeout = kubernetesTimeout
	return client.New(config, client.Options{Scheme: r.Scheme(), Mapper: r.RESTMapper()})
}

func (r *targetReconciler) secret(ctx context.Context, t *v1alpha1.AppTarget, name string) (map[string][]byte, error) {
	var s corev1.Secret
	err := r.live.Get(ctx, client.ObjectKey{Namespace: t.Namespace, Name: name}, &s)
	switch {
	case apierrors.IsNotFound(err) || err == nil && s.Type != v1alpha1.TargetSecretType:
		return nil, targets.Invalidate("there is no Secret %q of type %s in this namespace", name, v1alpha1.TargetSecretType)
	case err != nil:
		return nil, err
	}
	return s.Data, nil
}

// lookAtPeople are all members of the namespace and the roles that the target carries.
func (r *targetReconciler) lookAtPeople(ctx context.Context, t *v1alpha1.AppTarget) ([]targets.Person, []targets.Role, error) {
	var roles v1alpha1.AppRoleList
	if err := r.listAll(ctx, &roles, t.Namespace); err != nil {
		return nil, nil, err
	}
	var members v1alpha1.AppMembershipList
	if err := r.listAll(ctx, &members, t.Namespace); err != nil {
		return nil, nil, err
	}
	carried := carriedBy(t, roles.Items)
	people := make([]targets.Person, 0, len(members.Items))
	for i := range members.Items {
		if m := &members.Items[i]; !deleting(m) {
			people = append(people, personOf(m, carried))
		}
	}
	return people, carried, nil
}

// next says when to look again.
func (r *targetReconciler) next(ctx context.Context, t *v1alpha1.AppTarget, w *work, report targets.Report, failure error,
) reconcile.Result {
	if failure != nil {
		log.FromContext(ctx).Info("A target is not as it should be", "kind", kindOf(t).Name, "reason", failure.Error())
		w.ledger, w.session = nil, nil // nobody knows what was written
		w.failures++
		wait := min(time.Second<<min(w.failures-1, 6), longestWait)
		if !targets.IsRefused(failure) { // what was refused keeps nothing else waiting
			w.notBefore = r.clock.Now().Add(wait)
		}
		return reconcile.Result{RequeueAfter: wait}
	}
	w.failures = 0
	if (report.Plan.Size() > 0 || report.Unsettled) && t.Spec.WithDefaults().Mode == v1alpha1.TargetEnforce {
		return reconcile.Result{RequeueAfter: time.Millisecond}
	}
	return reconcile.Result{RequeueAfter: r.interval}
}
