package controllers

import (
	"cmp"
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"

	ac "github.com/scim-operator/scim-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// directoryReadiness says whether an identity provider can use the directory, and whether it counts as much as it should.
func directoryReadiness(d *v1alpha1.ScimDirectory, place candidacy, v tokensVerdict) readiness {
	switch {
	case d.Spec.Suspended:
		return readiness{progress: stalled, reason: v1alpha1.ReasonSuspended,
			message: "spec.suspended is true: every SCIM call is answered 503, people keep the access they have"}
	case !v.usable:
		return readiness{progress: stalled, reason: v.condition.reason, message: v.condition.message}
	case restored(d):
		return readiness{progress: stalled, reason: v1alpha1.ReasonRestored, message: restoredMessage(d)}
	case place.reason == v1alpha1.ReasonPrimaryConflict:
		return readiness{progress: stalled, reason: place.reason, message: primaryCondition(place).message}
	default:
		return readiness{ready: true, reason: v1alpha1.ReasonReady, message: "the identity provider can provision users and groups"}
	}
}

// primaryCondition puts a directory's place among its siblings into words.
func primaryCondition(c candidacy) condition {
	message := ""
	switch c.reason {
	case v1alpha1.ReasonElected:
		message = "users and groups of this directory grant access in this namespace"
	case v1alpha1.ReasonHandingOver:
		message = "this directory grants access until another one has taken over"
		if c.holder != "" {
			message = "this directory grants access until ScimDirectory " + c.holder + " has taken over"
		}
	case v1alpha1.ReasonPrimaryConflict:
		message = "ScimDirectory " + c.holder + " is the primary one of this namespace; clear spec.primary there to hand over"
	default:
		message = "spec.primary is not set: users and groups are stored and grant nothing"
	}
	return condition{v1alpha1.ConditionPrimary, c.primary, c.reason, message}
}

// writeStatus reports about the directory, and tells of a change of its place once that is on record. The counts have a
// field manager of their own, and the SCIM server has one for when tokens were used.
func (r *directoryReconciler) writeStatus(ctx context.Context, d *v1alpha1.ScimDirectory, place candidacy,
	v tokensVerdict, ready readiness,
) error {
	url := baseURL(r.externalURL, d)
	primary := primaryCondition(place)
	more := []condition{primary, v.condition}
	if restored(d) {
		more = append(more, condition{v1alpha1.ConditionRestored, true, v1alpha1.ReasonRestored, restoredMessage(d)})
	}
	conditions := deriveConditions(d.Status.Conditions, d.Generation, r.clock.Now(), ready, more...)
	if d.Status.ObservedGeneration == d.Generation && d.Status.BaseURL == url && d.Status.Primary == place.primary &&
		sameTokens(reportedTokens(d), v.tokens) && sameConditions(d.Status.Conditions, conditions) {
		return nil
	}
	status := ac.ScimDirectoryStatus().
		WithObservedGeneration(d.Generation).
		WithBaseURL(url).
		WithPrimary(place.primary).
		WithConditions(conditionConfigs(conditions)...)
	for _, t := range v.tokens {
		token := ac.DirectoryTokenStatus().WithName(t.Name).WithState(t.State)
		token.LastFour = ptrUnlessEmpty(t.LastFour)
		token.ExpirationTime = t.ExpirationTime
		status.WithTokens(token)
	}
	if err := r.applyStatus(ctx, ac.ScimDirectory(d.Name, d.Namespace).WithStatus(status), v1alpha1.FieldManager); err != nil {
		return err
	}
	if restored(d) && !meta.IsStatusConditionTrue(d.Status.Conditions, v1alpha1.ConditionRestored) {
		r.events.Eventf(d, nil, corev1.EventTypeWarning, v1alpha1.EventRestored, "Restore", "%s", restoredMessage(d))
	}
	before := meta.FindStatusCondition(d.Status.Conditions, v1alpha1.ConditionPrimary)
	if before == nil || before.Reason != primary.reason {
		r.tellPlace(d, primary)
	}
	return nil
}

// tellPlace emits the events about the election.
func (r *directoryReconciler) tellPlace(d *v1alpha1.ScimDirectory, primary condition) {
	switch primary.reason {
	case v1alpha1.ReasonElected:
		r.events.Eventf(d, nil, corev1.EventTypeNormal, "PrimaryElected", "Elect", "%s", primary.message)
	case v1alpha1.ReasonPrimaryConflict:
		r.events.Eventf(d, nil, corev1.EventTypeWarning, primary.reason, "Elect", "%s", primary.message)
	}
}

// tokensAsReported are a directory's tokens as its status has them, for a report about something else.
func tokensAsReported(d *v1alpha1.ScimDirectory) tokensVerdict {
	v := tokensVerdict{tokens: reportedTokens(d), condition: condition{
		kind: v1alpha1.ConditionTokensValid, reason: v1alpha1.ReasonNoToken, message: "the directory is being deleted",
	}}
	if c := meta.FindStatusCondition(d.Status.Conditions, v1alpha1.ConditionTokensValid); c != nil {
		v.condition.is = meta.IsStatusConditionTrue(d.Status.Conditions, c.Type)
		v.condition.reason, v.condition.message = c.Reason, c.Message
	}
	return v
}

// reportedTokens are what the controllers reported about a directory's tokens. What the SCIM server adds is left out, and
// so is a token that only its report still knows.
func reportedTokens(d *v1alpha1.ScimDirectory) []v1alpha1.DirectoryTokenStatus {
	var own []v1alpha1.DirectoryTokenStatus
	for _, t := range d.Status.Tokens {
		if t.State != "" {
			own = append(own, v1alpha1.DirectoryTokenStatus{
				Name: t.Name, State: t.State, LastFour: t.LastFour, ExpirationTime: t.ExpirationTime,
			})
		}
	}
	return own
}

// sameTokens compares reports whose order two field managers share.
func sameTokens(a, b []v1alpha1.DirectoryTokenStatus) bool {
	byName := func(a, b v1alpha1.DirectoryTokenStatus) int { return cmp.Compare(a.Name, b.Name) }
	return equality.Semantic.DeepEqual(slices.SortedFunc(slices.Values(a), byName), slices.SortedFunc(slices.Values(b), byName))
}
