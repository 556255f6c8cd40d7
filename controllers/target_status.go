package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"

	ac "github.com/scim-operator/scim-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

// planLines is how many changes of a plan the status names.
const planLines = 20

// tell writes a target's status, and then tells what changed by Events. Unacknowledged names a restored directory for which
// grants wait.
func (r *targetReconciler) tell(ctx context.Context, t *v1alpha1.AppTarget, report targets.Report, failure error, unacknowledged string,
) error {
	next := v1alpha1.AppTargetStatus{
		ObservedGeneration: t.Generation, Kind: kindOf(t).Name, Mode: t.Spec.WithDefaults().Mode,
		Grants: t.Status.Grants, Foreign: t.Status.Foreign, LeftOut: t.Status.LeftOut, Awaited: t.Status.Awaited, Plan: t.Status.Plan,
	}
	var more []condition
	if report.Observed {
		next.Grants, next.Foreign, next.LeftOut = int32(report.Grants), int32(report.Foreign), int32(report.LeftOut)
		next.Awaited = int32(report.Awaited)
		next.Plan = planStatus(report.Plan)
		for _, c := range report.Conditions {
			more = append(more, condition{c.Type, c.True, c.Reason, c.Message})
		}
	} else if c := meta.FindStatusCondition(t.Status.Conditions, v1alpha1.ConditionScopesMatch); c != nil {
		more = append(more, condition{c.Type, c.Status == "True", c.Reason, c.Message}) // nothing new is known of it
	}
	ready := targetReadiness(t, report, failure)
	if ready.reason == v1alpha1.ReasonApplying && unacknowledged != "" && len(report.Plan.Revoke) == 0 {
		ready = grantsWithheld(len(report.Plan.Grant), unacknowledged)
	}
	next.Conditions = deriveConditions(t.Status.Conditions, t.Generation, r.clock.Now(), ready, more...)
	before := t.Status
	if !sameConditions(before.Conditions, next.Conditions) || !sameButConditions(before, next) {
		if err := r.applyStatus(ctx, targetStatusConfig(t, next), v1alpha1.FieldManager); err != nil {
			return err
		}
	}
	r.announce(t, before, ready, report)
	return nil
}

func sameButConditions(a, b v1alpha1.AppTargetStatus) bool {
	a.Conditions, b.Conditions = nil, nil
	return equality.Semantic.DeepEqual(a, b)
}

func planStatus(p targets.Plan) *v1alpha1.TargetPlan {
	if p.Size() == 0 {
		return nil
	}
	return &v1alpha1.TargetPlan{
		Hash: p.Hash(), Changes: int32(p.Size()), Additions: int32(len(p.Grant)), Removals: int32(len(p.Revoke)),
		Lines: p.Lines(planLines),
	}
}

func targetStatusConfig(t *v1alpha1.AppTarget, s v1alpha1.AppTargetStatus) *ac.AppTargetApplyConfiguration {
	status := ac.AppTargetStatus().
		WithObservedGeneration(s.ObservedGeneration).
		WithKind(s.Kind).
		WithMode(s.Mode).
		WithGrants(s.Grants).
		WithForeign(s.Foreign).
		WithLeftOut(s.LeftOut).
		WithAwaited(s.Awaited).
		WithConditions(conditionConfigs(s.Conditions)...)
	if p := s.Plan; p != nil {
		status.WithPlan(ac.TargetPlan().WithHash(p.Hash).WithChanges(p.Changes).
			WithAdditions(p.Additions).WithRemovals(p.Removals).WithLines(p.Lines...))
	}
	return ac.AppTarget(t.Name, t.Namespace).WithStatus(status)
}

// announce tells of a new reason for being ready or not, and of drift that was put right.
func (r *targetReconciler) announce(t *v1alpha1.AppTarget, before v1alpha1.AppTargetStatus, ready readiness, report targets.Report) {
	kind := corev1.EventTypeNormal
	if ready.progress == stalled || ready.reason == v1alpha1.ReasonTargetUnreachable {
		kind = corev1.EventTypeWarning
	}
	if c := meta.FindStatusCondition(before.Conditions, v1alpha1.ConditionReady); c == nil || c.Reason != ready.reason {
		r.events.Eventf(t, nil, kind, ready.reason, "Reconcile", "%s", ready.message)
	}
	if report.Drift > 0 && t.Spec.WithDefaults().Mode == v1alpha1.TargetEnforce {
		r.events.Eventf(t, nil, corev1.EventTypeWarning, v1alpha1.EventDriftCorrected, "Correct", "%s", fmt.Sprintf(
			"others changed %d grants of this target; %d were made again, %d taken back", report.Drift, report.Granted, report.Revoked))
	}
}
