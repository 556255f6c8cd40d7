package controllers

import (
	"context"
	"fmt"

	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/reference"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// occurrence is something that happens once and that exactly one Event is to tell of.
type occurrence struct {
	// name is the Event's, the same whoever tells of it, and again after a crash.
	name string
	// regarding is what it happened to; related, which may be nil, had a part in it.
	regarding, related client.Object
	kind               string // corev1.EventTypeNormal or corev1.EventTypeWarning
	reason             string
	action             string
	note               string
}

// tellOnce makes the Event unless there is one already. Kubernetes forgets Events after a time (an hour by default): what
// has been told for good belongs in the status of an object afterwards.
func (k kube) tellOnce(ctx context.Context, o occurrence) error {
	regarding, err := reference.GetReference(k.Scheme(), o.regarding)
	if err != nil {
		return fmt.Errorf("event %s on %s: %w", o.reason, o.regarding.GetName(), err)
	}
	event := &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: o.regarding.GetNamespace(), Name: o.name},
		EventTime:  metav1.NewMicroTime(k.clock.Now()),
		Regarding:  *regarding,
		Type:       o.kind, Reason: o.reason, Action: o.action, Note: o.note,
		ReportingController: v1alpha1.FieldManager, ReportingInstance: v1alpha1.FieldManager,
	}
	if o.related != nil {
		if event.Related, err = reference.GetReference(k.Scheme(), o.related); err != nil {
			return fmt.Errorf("event %s on %s: %w", o.reason, o.regarding.GetName(), err)
		}
	}
	if err := k.Create(ctx, event); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("event %s on %s: %w", o.reason, o.regarding.GetName(), err)
	}
	return nil
}
