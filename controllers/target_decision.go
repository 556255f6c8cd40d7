package controllers

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

// carriedBy are the roles that a target carries, sorted: those that exist, and that its spec does not leave out.
func carriedBy(t *v1alpha1.AppTarget, roles []v1alpha1.AppRole) []targets.Role {
	var carried []targets.Role
	for i := range roles {
		r := &roles[i]
		if !deleting(r) && (len(t.Spec.Roles) == 0 || slices.Contains(t.Spec.Roles, r.Name)) {
			carried = append(carried, targets.Role{Name: r.Name, DisplayName: cmp.Or(r.Status.DisplayName, calledInSpec(r))})
		}
	}
	slices.SortFunc(carried, func(a, b targets.Role) int { return cmp.Compare(a.Name, b.Name) })
	return carried
}

// personOf is a member with those of their roles that are carried.
func personOf(m *v1alpha1.AppMembership, carried []targets.Role) targets.Person {
	p := targets.Person{
		ID: m.Name, Active: m.Spec.Active,
		UserName: m.Spec.User.UserName, Email: m.Spec.User.Email,
		DisplayName: m.Spec.User.DisplayName, ExternalID: m.Spec.User.ExternalID,
	}
	if m.Spec.UserRef != nil {
		p.Directory = m.Spec.UserRef.Directory
	}
	for _, name := range m.Spec.Roles {
		if _, is := slices.BinarySearchFunc(carried, name, func(r targets.Role, n string) int { return cmp.Compare(r.Name, n) }); is {
			p.Roles = append(p.Roles, name)
		}
	}
	slices.Sort(p.Roles)
	return p
}

// targetReadiness says whether a system is as the AppTarget says.
func targetReadiness(t *v1alpha1.AppTarget, r targets.Report, failure error) readiness {
	ready := judgeTarget(t, r, failure)
	if r.LeftOut > 0 {
		ready.message += fmt.Sprintf("; %s left out (%s)", withRole(r.LeftOut), r.Why)
	}
	if r.Awaited > 0 {
		ready.message += fmt.Sprintf("; %s awaited (%s)", withRole(r.Awaited), r.AwaitedFor)
	}
	if deleting(t) {
		ready.ready, ready.message = false, "the target is being deleted: "+ready.message
		if ready.progress == settled {
			ready.progress, ready.reason = reconciling, v1alpha1.ReasonDeleting
		} else {
			ready.message += "; set deletionPolicy: Orphan to leave what is there and let the target go"
		}
	}
	return ready
}

func withRole(n int) string {
	if n == 1 {
		return "1 person with a role is"
	}
	return fmt.Sprintf("%d people with a role are", n)
}

func judgeTarget(t *v1alpha1.AppTarget, r targets.Report, failure error) readiness {
	if _, invalid := errors.AsType[*targets.Invalid](failure); invalid {
		return readiness{progress: stalled, reason: v1alpha1.ReasonInvalidSpec, message: failure.Error()}
	}
	switch {
	case targets.IsRefused(failure):
		return readiness{progress: stalled, reason: v1alpha1.ReasonTargetRefused, message: failure.Error()}
	case failure != nil:
		return readiness{progress: reconciling, reason: v1alpha1.ReasonTargetUnreachable, message: failure.Error()}
	case len(r.Blocked) > 0:
		first := slices.Min(slices.Collect(maps.Keys(r.Blocked)))
		o := r.Blocked[first]
		message := o.Message
		different := map[targets.Obstacle]bool{}
		for _, o := range r.Blocked {
			different[o] = true
		}
		if more := len(different) - 1; more > 0 {
			message += fmt.Sprintf(" (and %d more)", more)
		}
		return readiness{progress: stalled, reason: o.Reason, message: message}
	case t.Spec.WithDefaults().Mode == v1alpha1.TargetObserve:
		return readiness{ready: true, reason: v1alpha1.ReasonObserved, message: fmt.Sprintf(
			"mode is Observe: %d grants would be made and %d taken back; see status.plan", len(r.Plan.Grant), len(r.Plan.Revoke))}
	case r.Plan.Size() > 0:
		return readiness{progress: reconciling, reason: v1alpha1.ReasonApplying, message: fmt.Sprintf(
			"%d grants are to be made and %d to be taken back", len(r.Plan.Grant), len(r.Plan.Revoke))}
	default:
		return readiness{ready: true, reason: v1alpha1.ReasonInSync, message: "every grant is as it should be"}
	}
}
