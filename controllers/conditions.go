package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	acmetav1 "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// progress says what, if anything, stands between an object and Ready (the kstatus convention).
type progress int

const (
	settled     progress = iota // nothing more will happen by itself
	reconciling                 // the operator is at work
	stalled                     // somebody has to change something
)

// readiness is what an object's Ready condition says, and with it Reconciling or Stalled.
type readiness struct {
	ready    bool
	progress progress
	reason   string
	message  string
}

// condition is one further condition.
type condition struct {
	kind    string
	is      bool
	reason  string
	message string
}

// conditionTypes are all types that the operator sets; conditions of other types belong to others.
var conditionTypes = []string{
	v1alpha1.ConditionReady, v1alpha1.ConditionPrimary, v1alpha1.ConditionTokensValid,
	v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled, v1alpha1.ConditionReleased,
	v1alpha1.ConditionScopesMatch, v1alpha1.ConditionRestored,
}

// deriveConditions are an object's conditions after this look at it. One that says the same as before keeps its time.
func deriveConditions(old []metav1.Condition, generation int64, now time.Time, r readiness, more ...condition,
) []metav1.Condition {
	all := append([]condition{{v1alpha1.ConditionReady, r.ready, r.reason, r.message}}, more...)
	switch r.progress {
	case reconciling:
		all = append(all, condition{v1alpha1.ConditionReconciling, true, r.reason, r.message})
	case stalled:
		all = append(all, condition{v1alpha1.ConditionStalled, true, r.reason, r.message})
	}
	var derived []metav1.Condition
	for _, c := range all {
		status := metav1.ConditionFalse
		if c.is {
			status = metav1.ConditionTrue
		}
		next := metav1.Condition{
			Type: c.kind, Status: status, Reason: c.reason, Message: c.message,
			ObservedGeneration: generation, LastTransitionTime: metav1.NewTime(now.Truncate(time.Second)),
		}
		if before := meta.FindStatusCondition(old, c.kind); before != nil && before.Status == status {
			next.LastTransitionTime = before.LastTransitionTime
		}
		derived = append(derived, next)
	}
	return derived
}

// sameConditions says whether the operator's conditions among old are those of derived.
func sameConditions(old, derived []metav1.Condition) bool {
	for _, t := range conditionTypes {
		a, b := meta.FindStatusCondition(old, t), meta.FindStatusCondition(derived, t)
		if (a == nil) != (b == nil) {
			return false
		}
		if a != nil && (a.Status != b.Status || a.Reason != b.Reason || a.Message != b.Message ||
			a.ObservedGeneration != b.ObservedGeneration) {
			return false
		}
	}
	return true
}

func conditionConfigs(conditions []metav1.Condition) []*acmetav1.ConditionApplyConfiguration {
	configs := make([]*acmetav1.ConditionApplyConfiguration, 0, len(conditions))
	for _, c := range conditions {
		configs = append(configs, acmetav1.Condition().
			WithType(c.Type).WithStatus(c.Status).WithReason(c.Reason).WithMessage(c.Message).
			WithObservedGeneration(c.ObservedGeneration).WithLastTransitionTime(c.LastTransitionTime))
	}
	return configs
}
