package controllers

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// roleMirrorPause is how long changes of who has a role are gathered before the groups that show it are written anew.
const roleMirrorPause = time.Second

// roleMirrorReconciler shows each AppRole to the identity providers of the directories whose groups are roles: as a ScimGroup of
// origin App, with those who have the role as its members. A group that the identity provider has taken over, which its
// origin says, is not touched any more: everything is written under the resourceVersion at which the origin was seen.
type roleMirrorReconciler struct {
	kube
}

// +kubebuilder:rbac:groups=scim-operator.io,resources=approles;appmemberships;scimdirectories;scimusers,verbs=list;watch
// +kubebuilder:rbac:groups=scim-operator.io,resources=scimgroups,verbs=get;list;watch;create;update;delete
// +kubebuilder:rbac:groups=scim-operator.io,resources=scimmemberslices,verbs=get;list;watch;create;delete

func (r *roleMirrorReconciler) setup(mgr manager.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("role-mirror").
		WithOptions(workers(2)).
		Watches(&v1alpha1.AppRole{}, gatheredFrom(0, r.rolesLike)).
		Watches(&v1alpha1.ScimGroup{}, gatheredFrom(roleMirrorPause, r.rolesOfGroup)).
		Watches(&v1alpha1.AppMembership{}, rolesOfMember(roleMirrorPause)).
		Watches(&v1alpha1.ScimUser{}, r.rolesOfUser()).
		Watches(&v1alpha1.ScimDirectory{}, handler.EnqueueRequestsFromMapFunc(r.rolesOfNamespace),
			builder.WithPredicates(ofPlace())).
		Complete(r)
}

// Reconcile shows one role in all directories of its namespace.
func (r *roleMirrorReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	scenes, err := r.look(ctx, req.Namespace, req.Name)
	if err != nil {
		return reconcile.Result{}, err
	}
	var result reconcile.Result
	var failed []error
	for _, s := range scenes {
		one, err := retryConflict(r.show(ctx, s))
		result.RequeueAfter = sooner(result.RequeueAfter, one.RequeueAfter)
		failed = append(failed, err)
	}
	return result, errors.Join(failed...)
}

// look gathers what decides about one role, in each directory that there is or that has a group for it.
func (r *roleMirrorReconciler) look(ctx context.Context, namespace, name string) ([]scene, error) {
	role, err := find[v1alpha1.AppRole](ctx, r, namespace, name)
	if err != nil {
		return nil, err
	}
	var groups v1alpha1.ScimGroupList
	if err := r.list(ctx, &groups, namespace, byRole, name); err != nil {
		return nil, err
	}
	var directories v1alpha1.ScimDirectoryList
	if err := r.listAll(ctx, &directories, namespace); err != nil {
		return nil, err
	}
	byName := map[string]*scene{}
	for i := range directories.Items {
		byName[directories.Items[i].Name] = &scene{role: role, directory: &directories.Items[i]}
	}
	for i := range groups.Items {
		g := &groups.Items[i]
		if byName[g.Spec.DirectoryRef.Name] == nil {
			byName[g.Spec.DirectoryRef.Name] = &scene{role: role}
		}
		s := byName[g.Spec.DirectoryRef.Name]
		s.groups = append(s.groups, g)
	}
	instead := ""
	if role != nil {
		if instead, err = r.shownInstead(ctx, role); err != nil {
			return nil, err
		}
	}
	scenes := make([]scene, 0, len(byName))
	for directory, s := range byName {
		s.instead = instead
		if role != nil {
			if s.namesakes, err = r.othersCalled(ctx, directory, role); err != nil {
				return nil, err
			}
		}
		scenes = append(scenes, *s)
	}
	return scenes, nil
}

// shownInstead names the role that is shown to identity providers instead of this one, because it is called the same.
func (k kube) shownInstead(ctx context.Context, role *v1alpha1.AppRole) (string, error) {
	var same v1alpha1.AppRoleList
	err := k.list(ctx, &same, role.Namespace, byDisplayName, schema.Fold(calledInSpec(role)))
	return firstCalled(role, same.Items), err
}

// othersCalled are the groups of a directory that have the role's name and are neither linked to it nor show it.
func (r *roleMirrorReconciler) othersCalled(ctx context.Context, directory string, role *v1alpha1.AppRole,
) ([]*v1alpha1.ScimGroup, error) {
	var same v1alpha1.ScimGroupList
	key := groupKey(directory, schema.Fold(calledInSpec(role)))
	if err := r.list(ctx, &same, role.Namespace, byDisplayName, key); err != nil {
		return nil, err
	}
	var others []*v1alpha1.ScimGroup
	for i := range same.Items {
		if ref := same.Items[i].Spec.RoleRef; ref == nil || ref.Name != role.Name {
			others = append(others, &same.Items[i])
		}
	}
	return others, nil
}

// show makes what one directory shows of a role as it is to be.
func (r *roleMirrorReconciler) show(ctx context.Context, s scene) (reconcile.Result, error) {
	d := decideShowing(s)
	for _, g := range d.drop {
		if err := r.dropMirror(ctx, g); err != nil {
			return reconcile.Result{}, err
		}
	}
	switch {
	case d.fresh:
		return r.makeMirror(ctx, s)
	case d.keep != nil:
		return r.refreshMirror(ctx, s, d.keep)
	default:
		return reconcile.Result{}, nil
	}
}

// makeMirror makes a group that shows a role, with its members at once, unless there is one that the cache does not show.
func (r *roleMirrorReconciler) makeMirror(ctx context.Context, s scene) (reconcile.Result, error) {
	var there v1alpha1.ScimGroupList
	if err := r.live.List(ctx, &there, client.InNamespace(s.role.Namespace),
		client.MatchingFields{fieldRole: s.role.Name}); err != nil {
		return reconcile.Result{}, err
	}
	if slices.ContainsFunc(there.Items, func(g v1alpha1.ScimGroup) bool {
		return g.Spec.DirectoryRef.Name == s.directory.Name
	}) {
		return reconcile.Result{RequeueAfter: soon}, nil
	}
	members, err := r.holdersIn(ctx, s.directory, s.role.Name)
	if err != nil {
		return reconcile.Result{}, err
	}
	g := &v1alpha1.ScimGroup{}
	g.Namespace, g.Name = s.role.Namespace, uuid.Must(uuid.NewV7()).String()
	g.Spec = v1alpha1.ScimGroupSpec{
		DirectoryRef: v1alpha1.DirectoryReference{Name: s.directory.Name}, Origin: v1alpha1.OriginApp,
		RoleRef: &v1alpha1.RoleReference{Name: s.role.Name}, DisplayName: calledInSpec(s.role),
	}
	return reconcile.Result{}, r.commit(ctx, g, members, func() error { return r.Create(ctx, g) })
}

// refreshMirror gives a group that shows a role the name and the members that it is to have.
func (r *roleMirrorReconciler) refreshMirror(ctx context.Context, s scene, g *v1alpha1.ScimGroup) (reconcile.Result, error) {
	members, err := r.holdersIn(ctx, s.directory, s.role.Name)
	if err != nil {
		return reconcile.Result{}, err
	}
	held, current, lost, err := r.membersHeld(ctx, g)
	if err != nil || !current && !lost {
		return reconcile.Result{RequeueAfter: soon}, err
	}
	next := g.DeepCopy()
	next.Spec.DisplayName = calledInSpec(s.role)
	annotate(next, v1alpha1.LastModifiedAnnotation, r.clock.Now().UTC().Format(time.RFC3339))
	if current && slices.Equal(held, members) {
		if next.Spec.DisplayName == g.Spec.DisplayName {
			return reconcile.Result{}, nil
		}
		return reconcile.Result{}, r.Update(ctx, next)
	}
	if err := r.commit(ctx, next, members, func() error { return r.Update(ctx, next) }); err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{}, r.deleteEpoch(ctx, g, g.Spec.Membership)
}

// commit writes members as a fresh epoch of the group and then, by write, the group that names it.
func (r *roleMirrorReconciler) commit(ctx context.Context, g *v1alpha1.ScimGroup, members []string, write func() error) error {
	epoch, err := r.writeEpoch(ctx, g, members)
	if err == nil {
		g.Spec.Membership = epoch
		if err = write(); err == nil || !refused(err) {
			return err
		}
	}
	return errors.Join(err, r.deleteEpoch(ctx, g, epoch))
}

// dropMirror deletes a group that is not to show its role any longer, unless it has been taken over meanwhile.
func (r *roleMirrorReconciler) dropMirror(ctx context.Context, g *v1alpha1.ScimGroup) error {
	if err := r.remove(ctx, g.DeepCopy()); err != nil {
		return err
	}
	return r.deleteEpoch(ctx, g, g.Spec.Membership)
}

// rolesOfGroup are the role to which a group is linked, and those that are called as the group is.
func (r *roleMirrorReconciler) rolesOfGroup(ctx context.Context, o client.Object) []string {
	g := o.(*v1alpha1.ScimGroup)
	names := r.rolesCalled(ctx, g.Namespace, g.Spec.DisplayName)
	if g.Spec.RoleRef != nil {
		names = append(names, g.Spec.RoleRef.Name)
	}
	return names
}

// rolesOfUser looks again at the roles of the person whom a user is, or stands for, when that one appeared or went.
func (r *roleMirrorReconciler) rolesOfUser() handler.EventHandler {
	return onChange(func(ctx context.Context, before, after *v1alpha1.ScimUser, q queue) {
		if before != nil && after != nil && memberOf(before) == memberOf(after) {
			return
		}
		for _, u := range []*v1alpha1.ScimUser{before, after} {
			if u == nil {
				continue
			}
			members, err := r.membersBy(ctx, u.Namespace, byUser, u.Name)
			triggers{r.kube}.report(ctx, err)
			if name := memberOf(u); name != "" {
				m, err := find[v1alpha1.AppMembership](ctx, r, u.Namespace, name)
				triggers{r.kube}.report(ctx, err)
				if m != nil {
					members = append(members, m)
				}
			}
			for _, m := range members {
				later(q, roleMirrorPause, u.Namespace, slices.Clone(m.Spec.Roles)...)
			}
		}
	})
}

// memberOf names the local member that a user stands for.
func memberOf(u *v1alpha1.ScimUser) string {
	if !fromApp(u) || u.Spec.MemberRef == nil {
		return ""
	}
	return u.Spec.MemberRef.Name
}

// rolesOfNamespace are all roles of the namespace of a directory.
func (r *roleMirrorReconciler) rolesOfNamespace(ctx context.Context, o client.Object) []reconcile.Request {
	var roles v1alpha1.AppRoleList
	triggers{r.kube}.report(ctx, r.listAll(ctx, &roles, o.GetNamespace()))
	return requestsFor(roles.Items)
}
