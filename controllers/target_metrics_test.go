package controllers

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

func TestOutOfSync(t *testing.T) {
	condition := func(kind, status string) []metav1.Condition {
		return []metav1.Condition{{Type: kind, Status: metav1.ConditionStatus(status), LastTransitionTime: metav1.NewTime(noon.Add(-time.Minute))}}
	}
	for _, c := range []struct {
		name       string
		conditions []metav1.Condition
		want       time.Duration
	}{
		{"ready", condition("Ready", "True"), 0},
		{"not ready", condition("Ready", "False"), time.Minute},
		{"never looked at", nil, time.Hour},
		{"another condition", condition("ScopesMatch", "True"), time.Hour},
	} {
		target := &v1alpha1.AppTarget{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(noon.Add(-time.Hour))}}
		target.Status.Conditions = c.conditions
		if got := outOfSync(target, noon); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestTargetMetrics(t *testing.T) {
	target := &v1alpha1.AppTarget{
		ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "cluster", CreationTimestamp: metav1.NewTime(noon)},
		Spec:       v1alpha1.AppTargetSpec{KubernetesRBAC: &v1alpha1.KubernetesRBACTarget{}},
	}
	target.Status.Grants, target.Status.LeftOut, target.Status.Awaited = 7, 2, 1
	target.Status.Plan = &v1alpha1.TargetPlan{Additions: 4, Removals: 3}
	k := reading(target)
	m := newTargetMetrics(k, clocktesting.NewFakePassiveClock(noon.Add(time.Minute)))
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(m)
	m.count(target, targets.Report{Granted: 5, FailedRevocations: 2})
	m.count(target, targets.Report{Granted: 1})
	want := []string{
		"scim_target_awaited_people 1",
		"scim_target_changes_total grant applied 6", "scim_target_changes_total grant failed 0",
		"scim_target_changes_total revoke applied 0", "scim_target_changes_total revoke failed 2",
		"scim_target_grants 7",
		"scim_target_left_out_people 2",
		"scim_target_out_of_sync_seconds 60",
		"scim_target_pending_changes grant 4", "scim_target_pending_changes revoke 3",
	}
	if got := samples(t, registry); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := k.Delete(t.Context(), target); err != nil {
		t.Fatal(err)
	}
	if got := samples(t, registry); len(got) != 0 {
		t.Errorf("of a target that is gone there is %q", got)
	}
}

// samples are the series of the one target, each with its other labels and its value.
func samples(t *testing.T, registry prometheus.Gatherer) []string {
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range families {
		for _, m := range f.GetMetric() {
			line, of := []string{f.GetName()}, map[string]string{}
			for _, l := range m.GetLabel() {
				if l.GetName() == "operation" || l.GetName() == "result" {
					line = append(line, l.GetValue())
				} else {
					of[l.GetName()] = l.GetValue()
				}
			}
			if want := map[string]string{"namespace": "acme", "target": "cluster", "kind": "kubernetesRBAC"}; !maps.Equal(of, want) {
				t.Errorf("%s is of %v, want %v", f.GetName(), of, want)
			}
			all = append(all, strings.Join(append(line, fmt.Sprint(m.GetGauge().GetValue()+m.GetCounter().GetValue())), " "))
		}
	}
	return all
}
