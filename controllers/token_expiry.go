package controllers

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

const day = 24 * time.Hour

// warnBefore is how long before the end of a token its administrator is warned, each time anew.
var warnBefore = []time.Duration{30 * day, 7 * day, day}

// expiryWarning says that a token stops working soon.
type expiryWarning struct {
	token  string
	at     time.Time
	within time.Duration
}

// String is the same for as long as the same threshold has been passed, so that the condition that holds it is the record
// of what was said already.
func (w expiryWarning) String() string {
	unit := "days"
	if w.within == day {
		unit = "day"
	}
	return fmt.Sprintf("token %q expires in less than %d %s, at %s; hand out another one before that",
		w.token, w.within/day, unit, w.at.UTC().Format(time.RFC3339))
}

// expiry is how a token that works until a time is to be warned of, and when that changes. Without a warning, within is
// zero.
func expiry(token string, at, now time.Time) (w expiryWarning, next time.Time) {
	w = expiryWarning{token: token, at: at}
	for _, before := range warnBefore {
		if due := at.Add(-before); now.Before(due) {
			return w, due
		}
		w.within = before
	}
	return w, at
}

// warn tells of the warnings that the directory's condition does not hold yet.
func (r *directoryReconciler) warn(ctx context.Context, d *v1alpha1.ScimDirectory, warnings []expiryWarning) error {
	said := ""
	if c := meta.FindStatusCondition(d.Status.Conditions, v1alpha1.ConditionTokensValid); c != nil {
		said = c.Message
	}
	for _, w := range warnings {
		if strings.Contains(said, w.String()) {
			continue
		}
		key := sha256.Sum256([]byte(string(d.UID) + "/" + w.String()))
		if err := r.tellOnce(ctx, occurrence{
			name: fmt.Sprintf("%s.%x", d.Name, key[:8]), regarding: d,
			kind: corev1.EventTypeWarning, reason: v1alpha1.ReasonTokenExpiringSoon, action: "Warn", note: w.String(),
		}); err != nil {
			return err
		}
	}
	return nil
}
