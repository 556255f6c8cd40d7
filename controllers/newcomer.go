package controllers

import (
	"context"
	"time"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// returnAfter is how much older than its object an id must be to say that the person was there before. It allows for
// clocks that differ, and is shorter than Kubernetes remembers the Event of the first time.
const returnAfter = 10 * time.Minute

// isNewcomer says whether the app has not had the person before: the member was made for this user, and the user did not
// come back under an id from the past, be it by a ScimTombstone or from a backup.
func isNewcomer(u *v1alpha1.ScimUser, member *v1alpha1.AppMembership) bool {
	if member != nil && member.Name != u.Name {
		return false
	}
	id, err := uuid.Parse(u.Name)
	if err != nil || id.Version() != 7 {
		return true // only version 7 tells its age (RFC 9562 §5.7)
	}
	return u.CreationTimestamp.Sub(time.Unix(id.Time().UnixTime())) < returnAfter
}

// provisionedTime is when the person of a decision that was carried out first became an active member; nil when that has
// not been. A newcomer is told of by exactly one Event, before the time is on record.
func (r *membershipReconciler) provisionedTime(ctx context.Context, p person, d decision) (*metav1.Time, error) {
	switch {
	case p.user == nil:
		return nil, nil
	case p.user.Status.ProvisionedTime != nil || d.action != provision || !d.active:
		return p.user.Status.ProvisionedTime, nil
	}
	if isNewcomer(p.user, d.member) {
		note := "ScimDirectory " + p.directory.Name + " has made this person a member of the app"
		if request := p.user.Annotations[v1alpha1.RequestAnnotation]; request != "" {
			note += ", request " + request
		}
		if err := r.tellOnce(ctx, occurrence{
			name: p.id + ".provisioned", regarding: p.user, kind: corev1.EventTypeNormal,
			reason: v1alpha1.EventUserProvisioned, action: "Provision", note: note,
		}); err != nil {
			return nil, err
		}
	}
	return &metav1.Time{Time: r.clock.Now()}, nil
}
