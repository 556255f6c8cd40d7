package controllers

import (
	"cmp"
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// groupPause is how long changes of a group's slices are gathered before the group is looked at once.
const groupPause = 500 * time.Millisecond

// groupReconciler reports on each ScimGroup, and clears away members and slices that are left over.
type groupReconciler struct {
	kube
	events     events.EventRecorder
	sweepDelay time.Duration
}

// +kubebuilder:rbac:groups=scim-operator.io,resources=scimgroups,verbs=get;list;watch;patch;update
// +kubebuilder:rbac:groups=scim-operator.io,resources=scimgroups/status,verbs=patch
// +kubebuilder:rbac:groups=scim-operator.io,resources=scimmemberslices,verbs=get;list;watch;update;delete
// +kubebuilder:rbac:groups=scim-operator.io,resources=scimdirectories;scimusers;approles,verbs=list;watch
// +kubebuilder:rbac:groups=scim-operator.io,resources=approles,verbs=create
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

func (r *groupReconciler) setup(mgr manager.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("group").
		WithOptions(workers(4)).
		Watches(&v1alpha1.ScimGroup{}, handler.EnqueueRequestsFromMapFunc(r.namesakes), builder.WithPredicates(ofGroup())).
		Watches(&v1alpha1.ScimMemberSlice{}, gathered(groupPause, func(o client.Object) string {
			return o.(*v1alpha1.ScimMemberSlice).Spec.Group
		})).
		Watches(&v1alpha1.ScimUser{}, r.groupsOfGone(func(o client.Object) string {
			return o.(*v1alpha1.ScimUser).Spec.DirectoryRef.Name
		})).
		Watches(&v1alpha1.ScimGroup{}, r.groupsOfGone(func(o client.Object) string {
			return o.(*v1alpha1.ScimGroup).Spec.DirectoryRef.Name
		})).
		Watches(&v1alpha1.AppRole{}, r.groupsOfRole()).
		Watches(&v1alpha1.ScimDirectory{}, r.groupsOfDirectory(), builder.WithPredicates(ofPlace())).
		Complete(r)
}

// Reconcile sweeps the group's left-over slices, gives the group the role that it is, removes members that no longer exist,
// and reports.
func (r *groupReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	g, err := find[v1alpha1.ScimGroup](ctx, r, req.Namespace, req.Name)
	if err != nil {
		return reconcile.Result{}, err
	}
	next, err := r.sweep(ctx, req.NamespacedName, g)
	if err != nil || g == nil || deleting(g) {
		return retryConflict(reconcile.Result{RequeueAfter: next}, err)
	}
	view, err := r.look(ctx, g)
	if err != nil {
		return reconcile.Result{}, err
	}
	if err := r.ensureRole(ctx, g, view); err != nil {
		return retryConflict(reconcile.Result{}, err)
	}
	if err := r.markReleased(ctx, g, view.slices); err != nil {
		return retryConflict(reconcile.Result{}, err)
	}
	if view.inService() && !isMirror(g) {
		if view.dangling, err = r.removeDangling(ctx, g, view.slices); err != nil {
			return retryConflict(reconcile.Result{}, err)
		}
	}
	if err := r.writeStatus(ctx, g, view); err != nil {
		return reconcile.Result{}, err
	}
	if !view.complete || view.dangling {
		next = sooner(next, soon)
	}
	return reconcile.Result{RequeueAfter: next}, nil
}

// groupView is everything that a group's status depends on.
type groupView struct {
	directory *v1alpha1.ScimDirectory
	slices    []*v1alpha1.ScimMemberSlice
	complete  bool
	// conflict names the group that holds the displayName before this one.
	conflict string
	// reserved says that the directory keeps the displayName for the app.
	reserved bool
	roles    []string
	// noRole says that the role that the group is linked to does not exist.
	noRole bool
	// dangling says that members which do not exist are left.
	dangling bool
}

// inService says whether the group's members can be, and are to be, looked after.
func (v groupView) inService() bool {
	return v.complete && v.directory != nil && !deleting(v.directory)
}

func (r *groupReconciler) look(ctx context.Context, g *v1alpha1.ScimGroup) (v groupView, err error) {
	if v.directory, err = find[v1alpha1.ScimDirectory](ctx, r, g.Namespace, g.Spec.DirectoryRef.Name); err != nil {
		return v, err
	}
	if v.slices, v.complete, err = r.slicesOf(ctx, g); err != nil {
		return v, err
	}
	if isMirror(g) || v.directory == nil {
		return v, nil
	}
	if v.reserved = reserves(v.directory, g.Spec.DisplayName); v.reserved {
		return v, nil
	}
	if v.conflict, err = r.groupConflict(ctx, g); err != nil || v.conflict != "" {
		return v, err
	}
	primary, err := r.primaryOf(ctx, g.Namespace)
	if err != nil {
		return v, err
	}
	var roles v1alpha1.AppRoleList
	if err := r.listAll(ctx, &roles, g.Namespace); err != nil {
		return v, err
	}
	v.roles = rolesGrantedBy(g, v.directory, roles.Items, primary)
	v.noRole = linked(g, v.directory) && !slices.ContainsFunc(roles.Items, func(role v1alpha1.AppRole) bool {
		return role.Name == g.Spec.RoleRef.Name
	})
	return v, nil
}

// namesakes are the group and those that hold its displayName too. An update maps the old name and the new.
func (r *groupReconciler) namesakes(ctx context.Context, o client.Object) []reconcile.Request {
	g := o.(*v1alpha1.ScimGroup)
	var same v1alpha1.ScimGroupList
	key := groupKey(g.Spec.DirectoryRef.Name, schema.Fold(g.Spec.DisplayName))
	if err := r.list(ctx, &same, g.Namespace, byDisplayName, key); err != nil {
		same.Items = nil
	}
	return append(requestsFor(same.Items), reconcile.Request{NamespacedName: client.ObjectKeyFromObject(g)})
}

// groupsOfGone looks again at the groups of a directory that still list a user or group that was deleted.
func (r *groupReconciler) groupsOfGone(directory func(client.Object) string) handler.EventHandler {
	return handler.Funcs{DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) {
		namespace, id := e.Object.GetNamespace(), e.Object.GetName()
		var groups v1alpha1.ScimGroupList
		if err := r.list(ctx, &groups, namespace, byDirectory, directory(e.Object)); err != nil {
			return
		}
		for i := range groups.Items {
			if s, err := r.standingOf(ctx, &groups.Items[i], id); err == nil && s == inside {
				request := types.NamespacedName{Namespace: namespace, Name: groups.Items[i].Name}
				q.AddAfter(reconcile.Request{NamespacedName: request}, groupPause)
			}
		}
	}}
}

// groupsOfRole looks at all groups of a namespace when what grants a role changed.
func (r *groupReconciler) groupsOfRole() handler.EventHandler {
	return onChange(func(ctx context.Context, before, after *v1alpha1.AppRole, q queue) {
		now := cmp.Or(after, before)
		if before != nil && after != nil && deleting(before) == deleting(after) &&
			slices.Equal(before.Spec.GrantedTo, after.Spec.GrantedTo) {
			return
		}
		var groups v1alpha1.ScimGroupList
		if err := r.listAll(ctx, &groups, now.Namespace); err != nil {
			return
		}
		for _, request := range requestsFor(groups.Items) {
			q.Add(request)
		}
	})
}

// groupsOfDirectory looks at all groups of a namespace when the place of a directory changed.
func (r *groupReconciler) groupsOfDirectory() handler.EventHandler {
	return onChange(func(ctx context.Context, before, after *v1alpha1.ScimDirectory, q queue) {
		now := cmp.Or(after, before)
		var groups v1alpha1.ScimGroupList // all of the namespace: another directory may be in charge now
		if err := r.listAll(ctx, &groups, now.Namespace); err != nil {
			return
		}
		for _, request := range requestsFor(groups.Items) {
			q.Add(request)
		}
	})
}
