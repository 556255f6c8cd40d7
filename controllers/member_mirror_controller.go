package controllers

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	ac "github.com/scim-operator/scim-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// memberMirrorReconciler keeps a user of origin App for each local member in each directory whose policy asks for it.
// Everything it writes is under the resourceVersion that it saw, so that a user whom the SCIM server has taken over for the
// identity provider in the meantime is not touched.
type memberMirrorReconciler struct {
	kube
}

// +kubebuilder:rbac:groups=scim-operator.io,resources=scimdirectories,verbs=get;list;watch
// +kubebuilder:rbac:groups=scim-operator.io,resources=appmemberships,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=scim-operator.io,resources=scimusers,verbs=get;list;watch;create;update;delete
// +kubebuilder:rbac:groups=scim-operator.io,resources=scimusers/status,verbs=patch

func (r *memberMirrorReconciler) setup(mgr manager.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("member-mirror").
		WithOptions(workers(8)).
		Watches(&v1alpha1.AppMembership{}, r.ofMembers()).
		Watches(&v1alpha1.ScimUser{}, r.ofUsers()).
		Watches(&v1alpha1.ScimDirectory{}, r.ofDirectories()).
		Complete(r)
}

// Reconcile makes the mirrors of one member, in every directory, what they are to be.
func (r *memberMirrorReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	m, err := find[v1alpha1.AppMembership](ctx, r, req.Namespace, req.Name)
	if err != nil {
		return reconcile.Result{}, err
	}
	var users v1alpha1.ScimUserList
	if err := r.list(ctx, &users, req.Namespace, byMember, req.Name); err != nil {
		return reconcile.Result{}, err
	}
	there := map[string][]*v1alpha1.ScimUser{}
	for i := range users.Items {
		u := &users.Items[i]
		there[u.Spec.DirectoryRef.Name] = append(there[u.Spec.DirectoryRef.Name], u)
	}
	var all v1alpha1.ScimDirectoryList
	if err := r.listAll(ctx, &all, req.Namespace); err != nil {
		return reconcile.Result{}, err
	}
	for i := range all.Items {
		d := &all.Items[i]
		if err := r.reconcileIn(ctx, d, m, there[d.Name]); err != nil {
			return retryConflict(reconcile.Result{}, err)
		}
		delete(there, d.Name)
	}
	for _, stray := range there {
		if err := r.reconcileIn(ctx, nil, m, stray); err != nil {
			return retryConflict(reconcile.Result{}, err)
		}
	}
	return reconcile.Result{}, nil
}

// reconcileIn makes the mirrors of one member in one directory, which may be gone, what they are to be.
func (r *memberMirrorReconciler) reconcileIn(ctx context.Context, d *v1alpha1.ScimDirectory, m *v1alpha1.AppMembership,
	there []*v1alpha1.ScimUser,
) error {
	taken := false
	if isLocal(m) && mirrors(d) {
		var err error
		if taken, err = r.taken(ctx, d, m); err != nil {
			return err
		}
	}
	decision := decideMirror(m, d, taken, there)
	for _, u := range decision.superfluous {
		if err := r.remove(ctx, u.DeepCopy()); err != nil {
			return err
		}
	}
	switch {
	case decision.reclaims != nil:
		return r.reclaim(ctx, m, decision.reclaims)
	case decision.missing:
		return r.create(ctx, d, m)
	case decision.keep != nil:
		return r.update(ctx, m, decision.keep)
	default:
		return nil
	}
}

// taken says whether a user whom the identity provider provisioned in the directory has what must be unique of a local
// member, or another local member that is taken over first.
func (r *memberMirrorReconciler) taken(ctx context.Context, d *v1alpha1.ScimDirectory, m *v1alpha1.AppMembership) (bool, error) {
	users, err := r.sharing(ctx, d, &m.Spec.User)
	if err != nil {
		return false, err
	}
	locals, err := r.localsSharing(ctx, d, &m.Spec.User)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(users, func(u *v1alpha1.ScimUser) bool { return !deleting(u) }) ||
		slices.ContainsFunc(locals, func(l *v1alpha1.AppMembership) bool { return l.Name < m.Name }), nil
}

// localsSharing are the local members that share with a person what must be unique in a directory.
func (r *memberMirrorReconciler) localsSharing(ctx context.Context, d *v1alpha1.ScimDirectory, who identified,
) ([]*v1alpha1.AppMembership, error) {
	var locals []*v1alpha1.AppMembership
	for _, by := range uniqueBy(d.Spec.Users) {
		members, err := r.membersBy(ctx, d.Namespace, string(by), memberKey(who, by))
		if err != nil {
			return nil, err
		}
		for _, m := range members {
			if isLocal(m) {
				locals = append(locals, m)
			}
		}
	}
	return locals, nil
}

// create makes a mirror, after asking the API server for one that the cache does not show yet, whose coming triggers the
// next look, or one that the identity provider has taken over.
func (r *memberMirrorReconciler) create(ctx context.Context, d *v1alpha1.ScimDirectory, m *v1alpha1.AppMembership) error {
	var users v1alpha1.ScimUserList
	if err := r.live.List(ctx, &users, client.InNamespace(m.Namespace),
		client.MatchingFields{"spec.memberRef.name": m.Name}); err != nil {
		return err
	}
	for i := range users.Items {
		if users.Items[i].Spec.DirectoryRef.Name == d.Name {
			return nil
		}
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make an id for a user: %w", err)
	}
	return r.Create(ctx, &v1alpha1.ScimUser{
		ObjectMeta: metav1.ObjectMeta{Namespace: m.Namespace, Name: id.String()},
		Spec:       mirrorSpec(m, d.Name),
	}, client.FieldOwner(v1alpha1.FieldManager))
}

// reclaim makes the member of a mirror local again, unless the cache shows the mirror as it was before it was taken over.
func (r *memberMirrorReconciler) reclaim(ctx context.Context, m *v1alpha1.AppMembership, u *v1alpha1.ScimUser) error {
	var now v1alpha1.ScimUser
	if err := r.live.Get(ctx, client.ObjectKeyFromObject(u), &now); err != nil || !fromApp(&now) {
		return client.IgnoreNotFound(err)
	}
	return r.giveBack(ctx, m)
}

// update makes a mirror like its member, and reports in its status.
func (r *memberMirrorReconciler) update(ctx context.Context, m *v1alpha1.AppMembership, u *v1alpha1.ScimUser) error {
	if want := mirrorSpec(m, u.Spec.DirectoryRef.Name); !equality.Semantic.DeepEqual(u.Spec, want) {
		u = u.DeepCopy()
		u.Spec = want
		metav1.SetMetaDataAnnotation(&u.ObjectMeta, v1alpha1.LastModifiedAnnotation,
			r.clock.Now().UTC().Format("2006-01-02T15:04:05.000Z"))
		if err := r.Update(ctx, u, client.FieldOwner(v1alpha1.FieldManager)); err != nil {
			return err
		}
	}
	roles := mirrorRoles(m)
	conditions := deriveConditions(u.Status.Conditions, u.Generation, r.clock.Now(), readiness{
		ready: true, reason: v1alpha1.ReasonLocal,
		message: "AppMembership " + m.Name + " is a local member; this user shows it and grants nothing",
	})
	if u.Status.ObservedGeneration == u.Generation && slices.Equal(u.Status.Roles, roles) &&
		sameConditions(u.Status.Conditions, conditions) {
		return nil
	}
	return r.applyStatus(ctx, ac.ScimUser(u.Name, u.Namespace).
		WithUID(u.UID).WithResourceVersion(u.ResourceVersion).
		WithStatus(ac.ScimUserStatus().
			WithObservedGeneration(u.Generation).
			WithRoles(roles...).
			WithConditions(conditionConfigs(conditions)...)), v1alpha1.FieldManager)
}

// ofMembers: a member that is, or was, local, and those that share an identifier with it.
func (r *memberMirrorReconciler) ofMembers() handler.Funcs {
	changed := func(ctx context.Context, before, after *v1alpha1.AppMembership, q queue) {
		if before != nil && after != nil && before.Generation == after.Generation &&
			before.ResourceVersion != after.ResourceVersion && deleting(before) == deleting(after) {
			return // only status or metadata
		}
		for _, m := range []*v1alpha1.AppMembership{before, after} {
			if m == nil || m.Spec.UserRef != nil {
				continue
			}
			enqueue(q, ordinary, m.Namespace, m.Name)
			if before != nil && after != nil && isLocal(before) && isLocal(after) &&
				sameToAll(&before.Spec.User, &after.Spec.User) {
				continue
			}
			triggers{r.kube}.report(ctx, r.enqueueSharing(ctx, m.Namespace, "", &m.Spec.User, q))
		}
	}
	funcs := onChange(changed)
	funcs.CreateFunc = func(ctx context.Context, e event.CreateEvent, q queue) {
		changed(ctx, nil, e.Object.(*v1alpha1.AppMembership), q)
	}
	return funcs
}

// ofUsers: the member that a mirror shows, or showed, and local members that share an identifier with a user who is, or was, none.
func (r *memberMirrorReconciler) ofUsers() handler.Funcs {
	changed := func(ctx context.Context, before, after *v1alpha1.ScimUser, q queue) {
		if before != nil && after != nil && before.Generation == after.Generation &&
			before.ResourceVersion != after.ResourceVersion && deleting(before) == deleting(after) {
			return // only status or metadata
		}
		for _, u := range []*v1alpha1.ScimUser{before, after} {
			if u == nil {
				continue
			}
			if u.Spec.MemberRef != nil {
				enqueue(q, ordinary, u.Namespace, u.Spec.MemberRef.Name)
			}
			if !fromApp(u) {
				triggers{r.kube}.report(ctx, r.enqueueSharing(ctx, u.Namespace, u.Spec.DirectoryRef.Name, &u.Spec, q))
			}
		}
	}
	funcs := onChange(changed)
	create := funcs.CreateFunc
	funcs.CreateFunc = func(ctx context.Context, e event.CreateEvent, q queue) {
		if u := e.Object.(*v1alpha1.ScimUser); e.IsInInitialList && fromApp(u) {
			changed(ctx, nil, u, q) // the member may be gone
			return
		}
		create(ctx, e, q)
	}
	return funcs
}

// enqueueSharing asks for a look at the local members that share with a person what must be unique in a directory; in any,
// when none is named.
func (r *memberMirrorReconciler) enqueueSharing(ctx context.Context, namespace, directory string, who identified, q queue) error {
	var all v1alpha1.ScimDirectoryList
	if err := r.listAll(ctx, &all, namespace); err != nil {
		return err
	}
	for i := range all.Items {
		d := &all.Items[i]
		if !mirrors(d) || directory != "" && d.Name != directory {
			continue
		}
		locals, err := r.localsSharing(ctx, d, who)
		if err != nil {
			return err
		}
		for _, m := range locals {
			enqueue(q, ordinary, namespace, m.Name)
		}
	}
	return nil
}

// ofDirectories: every local member, and those that have a mirror in it, when a directory begins or ends to mirror them, or
// tells people apart in another way.
func (r *memberMirrorReconciler) ofDirectories() handler.Funcs {
	return onChange(func(ctx context.Context, before, after *v1alpha1.ScimDirectory, q queue) {
		if before != nil && after != nil && mirrors(before) == mirrors(after) &&
			before.Spec.Users.Identifier == after.Spec.Users.Identifier {
			return
		}
		now := after
		if now == nil {
			now = before
		}
		if mirrors(now) {
			var members v1alpha1.AppMembershipList
			triggers{r.kube}.report(ctx, r.listAll(ctx, &members, now.Namespace))
			for i := range members.Items {
				if m := &members.Items[i]; isLocal(m) {
					enqueue(q, ordinary, m.Namespace, m.Name)
				}
			}
		}
		var users v1alpha1.ScimUserList
		triggers{r.kube}.report(ctx, r.list(ctx, &users, now.Namespace, byDirectory, now.Name))
		for i := range users.Items {
			if u := &users.Items[i]; fromApp(u) && u.Spec.MemberRef != nil {
				enqueue(q, ordinary, u.Namespace, u.Spec.MemberRef.Name)
			}
		}
	})
}
