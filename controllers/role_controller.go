package controllers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	ac "github.com/scim-operator/scim-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// maxNamedSelectors bounds how many missing groups a message names.
const maxNamedSelectors = 10

// roleReconciler reports which groups grant each AppRole and how many members have it.
type roleReconciler struct {
	kube
}

// +kubebuilder:rbac:groups=scim-operator.io,resources=approles;scimdirectories;scimgroups;appmemberships,verbs=list;watch
// +kubebuilder:rbac:groups=scim-operator.io,resources=approles/status,verbs=patch
// +kubebuilder:rbac:groups=scim-operator.io,resources=approles,verbs=delete

func (r *roleReconciler) setup(mgr manager.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("role").
		WithOptions(workers(1)).
		Watches(&v1alpha1.AppRole{}, gatheredFrom(0, r.rolesLike)).
		Watches(&v1alpha1.ScimGroup{}, r.allRoles(), builder.WithPredicates(ofSpec())).
		Watches(&v1alpha1.ScimDirectory{}, r.allRoles(), builder.WithPredicates(ofPlace())).
		Watches(&v1alpha1.AppMembership{}, rolesOfMember(countPause)).
		Complete(r)
}

// Reconcile reports about one role.
func (r *roleReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	role, err := find[v1alpha1.AppRole](ctx, r, req.Namespace, req.Name)
	if err != nil || role == nil {
		return reconcile.Result{}, err
	}
	primary, err := r.primaryOf(ctx, role.Namespace)
	if err != nil {
		return reconcile.Result{}, err
	}
	if ended, err := r.endRole(ctx, role); err != nil || ended {
		return retryConflict(reconcile.Result{}, err)
	}
	v, err := r.look(ctx, role, primary)
	if err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{}, r.writeStatus(ctx, role, v)
}

// roleView is everything that a role's status depends on.
type roleView struct {
	// primary names the directory in charge; granting are its groups that grant the role.
	primary  string
	granting []*v1alpha1.ScimGroup
	// owner is the group that the role was made for, if any.
	owner *v1alpha1.ScimGroup
	// missing are the entries of grantedTo that name no group.
	missing []v1alpha1.GroupSelector
	// namesake names the role that is shown to identity providers instead of this one, where any is shown.
	namesake string
	members  int
}

func (r *roleReconciler) look(ctx context.Context, role *v1alpha1.AppRole, primary string) (v roleView, err error) {
	v.primary = primary
	for _, s := range role.Spec.GrantedTo {
		groups, err := r.resolve(ctx, role.Namespace, s, primary)
		if err != nil {
			return v, err
		}
		if len(groups) == 0 {
			v.missing = append(v.missing, s)
		}
	}
	charge, err := find[v1alpha1.ScimDirectory](ctx, r, role.Namespace, primary)
	if err != nil {
		return v, err
	}
	if charge != nil {
		if v.granting, err = r.groupsGranting(ctx, role, charge); err != nil {
			return v, err
		}
	}
	if _, group := madeFor(role); group != "" {
		if v.owner, err = find[v1alpha1.ScimGroup](ctx, r, role.Namespace, group); err != nil {
			return v, err
		}
	}
	var directories v1alpha1.ScimDirectoryList
	if err := r.listAll(ctx, &directories, role.Namespace); err != nil {
		return v, err
	}
	if slices.ContainsFunc(directories.Items, func(d v1alpha1.ScimDirectory) bool { return groupsAreRoles(&d) }) {
		if v.namesake, err = r.shownInstead(ctx, role); err != nil {
			return v, err
		}
	}
	var members v1alpha1.AppMembershipList
	err = r.list(ctx, &members, role.Namespace, byActiveRole, role.Name)
	v.members = len(members.Items)
	return v, err
}

// calledInSpec is what a role is called by whoever defined it.
func calledInSpec(role *v1alpha1.AppRole) string { return cmp.Or(role.Spec.DisplayName, role.Name) }

// called is what a role is called: as the group that is linked to it, or that it was made for, else as its spec says.
func called(role *v1alpha1.AppRole, v roleView) string {
	for _, g := range v.granting {
		if g.Spec.RoleRef != nil && g.Spec.RoleRef.Name == role.Name {
			return g.Spec.DisplayName
		}
	}
	if v.owner != nil {
		return v.owner.Spec.DisplayName
	}
	return calledInSpec(role)
}

// roleReadiness says whether every group that should grant a role exists, and whether the role can be linked.
func roleReadiness(v roleView) readiness {
	switch {
	case len(v.missing) == 0 && v.namesake != "":
		return readiness{progress: stalled, reason: v1alpha1.ReasonConflict,
			message: "AppRole " + v.namesake + " is called the same, so that this role is not shown to identity providers; " +
				"give one of them another displayName"}
	case len(v.missing) == 0:
		return readiness{ready: true, reason: v1alpha1.ReasonReady, message: "every group in grantedTo exists"}
	}
	var names []string
	for _, s := range v.missing[:min(len(v.missing), maxNamedSelectors)] {
		names = append(names, describe(s, v.primary))
	}
	message := "not found: " + strings.Join(names, ", ")
	if more := len(v.missing) - len(names); more > 0 {
		message += fmt.Sprintf(" and %d more", more)
	}
	return readiness{reason: v1alpha1.ReasonGroupNotFound,
		message: message + "; each grants the role from the moment its identity provider pushes it"}
}

// describe names a group as a selector does.
func describe(s v1alpha1.GroupSelector, primary string) string {
	where := "the primary directory, of which there is none"
	if directory := cmp.Or(s.Directory, primary); directory != "" {
		where = "ScimDirectory " + directory
	}
	switch {
	case s.Name != "":
		return fmt.Sprintf("the group named %q in %s", s.Name, where)
	case s.ExternalID != "":
		return fmt.Sprintf("the group with externalId %q in %s", s.ExternalID, where)
	default:
		return fmt.Sprintf("the group with displayName %q in %s", s.DisplayName, where)
	}
}

func (r *roleReconciler) writeStatus(ctx context.Context, role *v1alpha1.AppRole, v roleView) error {
	granting := map[string]bool{}
	for _, g := range v.granting {
		granting[g.Name] = true
	}
	name, groups, members := called(role, v), int32(len(granting)), int32(v.members)
	conditions := deriveConditions(role.Status.Conditions, role.Generation, r.clock.Now(), roleReadiness(v))
	if role.Status.ObservedGeneration == role.Generation && role.Status.DisplayName == name &&
		role.Status.Groups == groups && role.Status.Members == members &&
		sameConditions(role.Status.Conditions, conditions) {
		return nil
	}
	return r.applyStatus(ctx, ac.AppRole(role.Name, role.Namespace).WithStatus(ac.AppRoleStatus().
		WithObservedGeneration(role.Generation).
		WithDisplayName(name).
		WithGroups(groups).
		WithMembers(members).
		WithConditions(conditionConfigs(conditions)...)), v1alpha1.FieldManager)
}

// rolesLike are a role and those that are called the same.
func (k kube) rolesLike(ctx context.Context, o client.Object) []string {
	return append(k.rolesCalled(ctx, o.GetNamespace(), calledInSpec(o.(*v1alpha1.AppRole))), o.GetName())
}

func (k kube) rolesCalled(ctx context.Context, namespace, name string) []string {
	var roles v1alpha1.AppRoleList
	triggers{k}.report(ctx, k.list(ctx, &roles, namespace, byDisplayName, schema.Fold(name)))
	var names []string
	for i := range roles.Items {
		names = append(names, roles.Items[i].Name)
	}
	return names
}

// allRoles looks at every role of the namespace when a group, or the place of a directory, changed.
func (r *roleReconciler) allRoles() handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
		var roles v1alpha1.AppRoleList
		if err := r.listAll(ctx, &roles, o.GetNamespace()); err != nil {
			return nil
		}
		return requestsFor(roles.Items)
	})
}

// rolesOfMember looks, after a pause, at the roles that a member has, or had.
func rolesOfMember(pause time.Duration) handler.EventHandler {
	return onChange(func(_ context.Context, before, after *v1alpha1.AppMembership, q queue) {
		var roles []string
		if before != nil && after != nil && before.Spec.Active == after.Spec.Active &&
			equality.Semantic.DeepEqual(before.Spec.UserRef, after.Spec.UserRef) {
			gone, come := changedMembers(before.Spec.Roles, after.Spec.Roles)
			roles = append(gone, come...)
		} else {
			for _, m := range []*v1alpha1.AppMembership{before, after} {
				if m != nil {
					roles = append(roles, m.Spec.Roles...)
				}
			}
		}
		later(q, pause, cmp.Or(after, before).Namespace, roles...)
	})
}
