package controllers

import (
	"context"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// directoryReconciler looks after tokens, the election of the primary directory, and what deletion leaves behind.
type directoryReconciler struct {
	kube
	gate        *gate
	events      events.EventRecorder
	externalURL string
	grace       time.Duration
	// gaveUp holds since when a primary directory no longer asks to be, by namespace and name.
	gaveUp sync.Map
}

// +kubebuilder:rbac:groups=scim-operator.io,resources=scimdirectories,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=scim-operator.io,resources=scimdirectories/status;appmemberships/status,verbs=patch
// +kubebuilder:rbac:groups=scim-operator.io,resources=scimusers;scimgroups;scimmemberslices,verbs=get;list;watch;delete
// +kubebuilder:rbac:groups=scim-operator.io,resources=appmemberships,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch;create;update
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

func (r *directoryReconciler) setup(mgr manager.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("directory").
		WithOptions(workers(4)).
		Watches(&v1alpha1.ScimDirectory{}, handler.EnqueueRequestsFromMapFunc(r.siblings), builder.WithPredicates(ofPlace())).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.directoriesOfSecret)).
		WatchesRawSource(r.gate.directories.source()).
		Complete(r)
}

// Reconcile looks at one directory's tokens and its place among the directories of the namespace.
func (r *directoryReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	d := &v1alpha1.ScimDirectory{}
	if err := r.Get(ctx, req.NamespacedName, d); err != nil {
		r.gaveUp.Delete(req.NamespacedName)
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if deleting(d) {
		return retryConflict(r.finalize(ctx, d))
	}
	if err := r.claim(ctx, d); err != nil {
		return retryConflict(reconcile.Result{}, err)
	}
	tokens, err := r.lookAtTokens(ctx, d)
	if err != nil {
		return retryConflict(reconcile.Result{}, err)
	}
	place, release, err := r.placeOf(ctx, d)
	if err != nil {
		return reconcile.Result{}, err
	}
	now := r.clock.Now()
	verdict := judgeTokens(tokens, now)
	if err := r.warn(ctx, d, verdict.warnings); err != nil {
		return reconcile.Result{}, err
	}
	if err := r.writeStatus(ctx, d, place, verdict, directoryReadiness(d, place, verdict)); err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{RequeueAfter: sooner(release, verdict.untilNext(now))}, nil
}

// claim holds the directory until its end has been seen to, and records which object it is.
func (r *directoryReconciler) claim(ctx context.Context, d *v1alpha1.ScimDirectory) error {
	before := d.DeepCopy()
	added := controllerutil.AddFinalizer(d, v1alpha1.DirectoryFinalizer)
	if recorded := recordUID(d); !added && !recorded {
		return nil
	}
	return r.Patch(ctx, d, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
}

// placeOf is the directory's place among those of its namespace, and in how long that is to be looked at again.
func (r *directoryReconciler) placeOf(ctx context.Context, d *v1alpha1.ScimDirectory,
) (candidacy, time.Duration, error) {
	var all v1alpha1.ScimDirectoryList
	if err := r.listAll(ctx, &all, d.Namespace); err != nil {
		return candidacy{}, 0, err
	}
	if asks(d) || deleting(d) || !d.Status.Primary {
		r.gaveUp.Delete(client.ObjectKeyFromObject(d))
		return elect(d, all.Items, false), 0, nil
	}
	since, _ := r.gaveUp.LoadOrStore(client.ObjectKeyFromObject(d), r.clock.Now())
	remaining := r.grace - r.clock.Since(since.(time.Time))
	return elect(d, all.Items, remaining > 0), max(remaining, 0), nil
}

func (r *directoryReconciler) siblings(ctx context.Context, o client.Object) []reconcile.Request {
	var all v1alpha1.ScimDirectoryList
	if err := r.listAll(ctx, &all, o.GetNamespace()); err != nil {
		return []reconcile.Request{{NamespacedName: client.ObjectKeyFromObject(o)}}
	}
	requests := requestsFor(all.Items)
	return append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(o)})
}

func (r *directoryReconciler) directoriesOfSecret(ctx context.Context, o client.Object) []reconcile.Request {
	var users v1alpha1.ScimDirectoryList
	if err := r.list(ctx, &users, o.GetNamespace(), bySecret, o.GetName()); err != nil {
		return nil
	}
	return requestsFor(users.Items)
}

func requestsFor[T any, P interface {
	*T
	client.Object
}](items []T) []reconcile.Request {
	requests := make([]reconcile.Request, 0, len(items))
	for i := range items {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(P(&items[i]))})
	}
	return requests
}

func baseURL(external string, d *v1alpha1.ScimDirectory) string {
	return strings.TrimRight(external, "/") + "/scim/v2/" + d.Namespace + "/" + d.Name
}

// sooner is the lesser of two times to wait, of which zero means never.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
