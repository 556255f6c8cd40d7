package controllers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	ac "github.com/scim-operator/scim-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// maxNamedSelectors bounds how many missing groups a message names.
const maxNamedSelectors = 10

// roleReconciler reports which groups grant each AppRole and how many members have it.
type roleReconciler struct {
	kube
}

// +kubebuilder:rbac:groups=scim-operator.io,resources=approles;scimdirectories;scimgroups;appmemberships,verbs=get;list;watch
// +kubebuilder:rbac:groups=scim-operator.io,resources=approles/status,verbs=patch

func (r *roleReconciler) setup(mgr manager.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("role").
		WithOptions(workers(1)).
		For(&v1alpha1.AppRole{}).
		Watches(&v1alpha1.ScimGroup{}, r.allRoles(), builder.WithPredicates(ofSpec())).
		Watches(&v1alpha1.ScimDirectory{}, r.allRoles(), builder.WithPredicates(ofPlace())).
		Watches(&v1alpha1.AppMembership{}, r.rolesOfMember()).
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
	granting := map[string]bool{}
	var missing []v1alpha1.GroupSelector
	for _, s := range role.Spec.GrantedTo {
		groups, err := r.resolve(ctx, role.Namespace, s, primary)
		if err != nil {
			return reconcile.Result{}, err
		}
		if len(groups) == 0 {
			missing = append(missing, s)
		}
		for _, g := range groups {
			if g.Spec.DirectoryRef.Name == primary {
				granting[g.Name] = true
			}
		}
	}
	var members v1alpha1.AppMembershipList
	if err := r.list(ctx, &members, role.Namespace, byActiveRole, role.Name); err != nil {
		return reconcile.Result{}, err
	}
	ready := roleReadiness(missing, primary)
	return reconcile.Result{}, r.writeStatus(ctx, role, int32(len(granting)), int32(len(members.Items)), ready)
}

// roleReadiness says whether every group that should grant a role exists.
func roleReadiness(missing []v1alpha1.GroupSelector, primary string) readiness {
	if len(missing) == 0 {
		return readiness{ready: true, reason: v1alpha1.ReasonReady, message: "every group in grantedTo exists"}
	}
	var names []string
	for _, s := range missing[:min(len(missing), maxNamedSelectors)] {
		names = append(names, describe(s, primary))
	}
	message := "not found: " + strings.Join(names, ", ")
	if more := len(missing) - len(names); more > 0 {
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

func (r *roleReconciler) writeStatus(ctx context.Context, role *v1alpha1.AppRole, groups, members int32, ready readiness,
) error {
	conditions := deriveConditions(role.Status.Conditions, role.Generation, r.clock.Now(), ready)
	if role.Status.ObservedGeneration == role.Generation && role.Status.Groups == groups &&
		role.Status.Members == members && sameConditions(role.Status.Conditions, conditions) {
		return nil
	}
	return r.applyStatus(ctx, ac.AppRole(role.Name, role.Namespace).WithStatus(ac.AppRoleStatus().
		WithObservedGeneration(role.Generation).
		WithGroups(groups).
		WithMembers(members).
		WithConditions(conditionConfigs(conditions)...)), v1alpha1.FieldManager)
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

// rolesOfMember counts again the roles that a member has, or had.
func (r *roleReconciler) rolesOfMember() handler.EventHandler {
	return onChange(func(_ context.Context, before, after *v1alpha1.AppMembership, q queue) {
		var roles []string
		if before != nil && after != nil && before.Spec.Active == after.Spec.Active {
			gone, come := changedMembers(before.Spec.Roles, after.Spec.Roles)
			roles = append(gone, come...)
		} else {
			for _, m := range []*v1alpha1.AppMembership{before, after} {
				if m != nil {
					roles = append(roles, m.Spec.Roles...)
				}
			}
		}
		slices.Sort(roles)
		for _, role := range slices.Compact(roles) {
			namespace := cmp.Or(after, before).Namespace
			q.AddAfter(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: role}}, countPause)
		}
	})
}
