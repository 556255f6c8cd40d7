package controllers

import (
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	ac "github.com/scim-operator/scim-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

const (
	// countPause is how long events about a directory are gathered before it is counted once.
	countPause = time.Second
	// countsFieldManager owns the counts in a directory's status, which the directory's own controller does not write.
	countsFieldManager = v1alpha1.FieldManager + "-counts"
)

// countsReconciler counts each directory's users, groups and members.
type countsReconciler struct {
	kube
	// written are the directories whose counts this process has written. What it sees cannot tell a count of 0 from none at
	// all, so it writes each once; its one worker alone knows this.
	written map[types.NamespacedName]types.UID
}

// +kubebuilder:rbac:groups=scim-operator.io,resources=scimdirectories;scimusers;scimgroups;scimmemberslices,verbs=get;list;watch
// +kubebuilder:rbac:groups=scim-operator.io,resources=scimdirectories/status,verbs=patch

func (r *countsReconciler) setup(mgr manager.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("directory-counts").
		WithOptions(workers(1)).
		Watches(&v1alpha1.ScimDirectory{}, gathered(countPause, func(o client.Object) string { return o.GetName() })).
		Watches(&v1alpha1.ScimUser{}, gathered(countPause, func(o client.Object) string {
			return o.(*v1alpha1.ScimUser).Spec.DirectoryRef.Name
		})).
		Watches(&v1alpha1.ScimGroup{}, gathered(countPause, func(o client.Object) string {
			return o.(*v1alpha1.ScimGroup).Spec.DirectoryRef.Name
		})).
		Watches(&v1alpha1.ScimMemberSlice{}, gathered(countPause, func(o client.Object) string {
			return o.(*v1alpha1.ScimMemberSlice).Spec.DirectoryRef.Name
		})).
		Complete(r)
}

// gathered handles a change of an object's spec by one look, after a pause, at the object whose name it tells.
func gathered(pause time.Duration, name func(client.Object) string) handler.Funcs {
	return gatheredFrom(pause, func(_ context.Context, o client.Object) []string { return []string{name(o)} })
}

// gatheredFrom handles a change of an object's spec by one look, after a pause, at each of the objects whose names it tells
// of the object as it was and as it is.
func gatheredFrom(pause time.Duration, names func(context.Context, client.Object) []string) handler.Funcs {
	add := func(ctx context.Context, q queue, o client.Object) {
		later(q, pause, o.GetNamespace(), names(ctx, o)...)
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) { add(ctx, q, e.Object) },
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) {
			if changesSpec(e) {
				add(ctx, q, e.ObjectOld)
				add(ctx, q, e.ObjectNew)
			}
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) { add(ctx, q, e.Object) },
	}
}

// later looks at objects of these names once, after a pause.
func later(q queue, pause time.Duration, namespace string, names ...string) {
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		q.AddAfter(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}, pause)
	}
}

type counts struct{ users, active, groups, members int32 }

// Reconcile counts one directory anew.
func (r *countsReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	d, err := find[v1alpha1.ScimDirectory](ctx, r, req.Namespace, req.Name)
	if err != nil || d == nil {
		delete(r.written, req.NamespacedName)
		return reconcile.Result{}, err
	}
	n, complete, err := r.count(ctx, d)
	if err != nil {
		return reconcile.Result{}, err
	}
	if !complete {
		return reconcile.Result{RequeueAfter: countPause}, nil
	}
	s := d.Status
	if r.written[req.NamespacedName] == d.UID && n == (counts{s.Users, s.ActiveUsers, s.Groups, s.Members}) {
		return reconcile.Result{}, nil
	}
	err = r.applyStatus(ctx, ac.ScimDirectory(d.Name, d.Namespace).
		WithStatus(ac.ScimDirectoryStatus().
			WithUsers(n.users).
			WithActiveUsers(n.active).
			WithGroups(n.groups).
			WithMembers(n.members)), countsFieldManager)
	if err == nil {
		r.written[req.NamespacedName] = d.UID
	}
	return reconcile.Result{}, err
}

func (r *countsReconciler) count(ctx context.Context, d *v1alpha1.ScimDirectory) (n counts, complete bool, err error) {
	var users v1alpha1.ScimUserList
	if err := r.list(ctx, &users, d.Namespace, byDirectory, d.Name); err != nil {
		return n, false, err
	}
	for i := range users.Items {
		if fromApp(&users.Items[i]) {
			continue
		}
		n.users++
		if users.Items[i].Spec.Active {
			n.active++
		}
	}
	var groups v1alpha1.ScimGroupList
	if err := r.list(ctx, &groups, d.Namespace, byDirectory, d.Name); err != nil {
		return n, false, err
	}
	complete = true
	for i := range groups.Items {
		if isMirror(&groups.Items[i]) {
			continue // the app's, not the identity provider's
		}
		parts, whole, err := r.slicesOf(ctx, &groups.Items[i])
		if err != nil {
			return n, false, err
		}
		complete = complete && whole
		n.groups++
		n.members += countMembers(parts)
	}
	return n, complete, nil
}
