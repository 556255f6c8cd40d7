package controllers

import (
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ac "github.com/scim-operator/scim-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

const (
	// safeguardFieldManager owns what the safeguard reports in a directory's status.
	safeguardFieldManager = v1alpha1.FieldManager + "-safeguard"
	// maxNamedPeople is how many people the condition names.
	maxNamedPeople = 20
	// maxNameShown is how much of a userName it shows.
	maxNameShown = 64
)

// heldReport is what a directory's status says of its safeguard. Times are in seconds, as the API has them.
type heldReport struct {
	windowStart, since int64
	removed, people    int
	plan, message      string
	generation         int64
}

// report is what the ledger has to say in the directory's status.
func (l *ledger) report(d *v1alpha1.ScimDirectory) heldReport {
	r := heldReport{generation: d.Generation}
	if !l.window.start.IsZero() {
		r.windowStart, r.removed = l.window.start.Unix(), l.window.people
	}
	if len(l.held) == 0 {
		return r
	}
	r.since, r.people, r.plan = l.since.Unix(), len(l.held), planOf(l.since, l.held)
	r.message = heldMessage(d, l.held, r.plan)
	return r
}

// heldMessage says who would lose what, and how to approve it.
func heldMessage(d *v1alpha1.ScimDirectory, held map[string]removal, plan string) string {
	var named []string
	for _, r := range sorted(held)[:min(len(held), maxNamedPeople)] {
		name := []rune(r.userName)
		named = append(named, fmt.Sprintf("%q (%s)", string(name[:min(len(name), maxNameShown)]), r.what()))
	}
	message := fmt.Sprintf("%s would lose access or roles, which is more than the safeguard lets pass: %s",
		people(len(held)), strings.Join(named, ", "))
	if more := len(held) - len(named); more > 0 {
		message += fmt.Sprintf(" and %d more", more)
	}
	message += fmt.Sprintf(". They keep them until plan %s is approved: kubectl annotate scimdirectory %s -n %s --overwrite %s=%s",
		plan, d.Name, d.Namespace, v1alpha1.ApproveAnnotation, plan)
	if approval := d.Annotations[v1alpha1.ApproveAnnotation]; approval != "" && approval != plan {
		message += ". The approval that is set is not of this plan: the plan has changed"
	}
	return message
}

func people(n int) string {
	if n == 1 {
		return "1 person"
	}
	return fmt.Sprintf("%d people", n)
}

// reportOf reads what a directory's status says.
func reportOf(d *v1alpha1.ScimDirectory) heldReport {
	var r heldReport
	if w := d.Status.Removals; w != nil {
		r.windowStart, r.removed = w.StartTime.Unix(), int(w.People)
	}
	if h := d.Status.Held; h != nil {
		r.since, r.people, r.plan = h.Since.Unix(), int(h.People), h.Plan
	}
	if c := meta.FindStatusCondition(d.Status.Conditions, v1alpha1.ConditionChangesHeld); c != nil {
		r.message, r.generation = c.Message, c.ObservedGeneration
	}
	return r
}

// says says whether two reports are the same. Only the condition has a generation.
func (r heldReport) says(other heldReport) bool {
	if r.people == 0 && other.people == 0 {
		r.generation, other.generation = 0, 0
	}
	return r == other
}

func (r *safeguardReconciler) writeStatus(ctx context.Context, d *v1alpha1.ScimDirectory, report heldReport) error {
	status := ac.ScimDirectoryStatus()
	if report.windowStart != 0 {
		status.WithRemovals(ac.RemovalWindow().
			WithStartTime(metav1.NewTime(time.Unix(report.windowStart, 0))).WithPeople(int32(report.removed)))
	}
	if report.people > 0 {
		since := metav1.NewTime(time.Unix(report.since, 0))
		status.WithHeld(ac.HeldChanges().WithPeople(int32(report.people)).WithPlan(report.plan).WithSince(since)).
			WithConditions(conditionConfigs([]metav1.Condition{{
				Type: v1alpha1.ConditionChangesHeld, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonSafeguard,
				Message: report.message, ObservedGeneration: report.generation, LastTransitionTime: since,
			}})...)
	}
	return r.applyStatus(ctx, ac.ScimDirectory(d.Name, d.Namespace).WithUID(d.UID).WithStatus(status), safeguardFieldManager)
}
