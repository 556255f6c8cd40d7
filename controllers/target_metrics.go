package controllers

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

// targetMetrics tell of the AppTargets: what their status says, read from the cache whenever it is asked for, and what this
// process changed in their systems. Of a target that is gone, nothing is left.
type targetMetrics struct {
	targets client.Reader
	clock   clock.PassiveClock
	changes *prometheus.CounterVec

	mu   sync.Mutex
	seen map[client.ObjectKey]bool
}

var (
	ofTargetLabels  = []string{"namespace", "target", "kind"}
	outOfSyncMetric = prometheus.NewDesc("scim_target_out_of_sync_seconds", "For how long an AppTarget has not been ready: its system is not known to be as it should; 0 while it is.", ofTargetLabels, nil)
	grantsMetric    = prometheus.NewDesc("scim_target_grants", "Grants that an AppTarget's system holds and that are the target's, by its record.", ofTargetLabels, nil)
	leftOutMetric   = prometheus.NewDesc("scim_target_left_out_people", "People with a role that an AppTarget's system cannot take.", ofTargetLabels, nil)
	awaitedMetric   = prometheus.NewDesc("scim_target_awaited_people", "People with a role whom an AppTarget's system does not know yet.", ofTargetLabels, nil)
	pendingMetric   = prometheus.NewDesc("scim_target_pending_changes", "Grants that are yet to be made in an AppTarget's system, or revoked, when it was last read.", append(ofTargetLabels, "operation"), nil)
	targetDescs     = []*prometheus.Desc{outOfSyncMetric, grantsMetric, leftOutMetric, awaitedMetric, pendingMetric}
)

func newTargetMetrics(reader client.Reader, c clock.PassiveClock) *targetMetrics {
	return &targetMetrics{targets: reader, clock: c, seen: map[client.ObjectKey]bool{}, changes: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "scim_target_changes_total",
		Help: "Changes that this process made in an AppTarget's system, by operation (grant, revoke) and result (applied, failed); what failed is tried again.",
	}, append(ofTargetLabels, "operation", "result"))}
}

// count adds what a run did.
func (m *targetMetrics) count(t *v1alpha1.AppTarget, r targets.Report) {
	m.mu.Lock() // so that no series comes to be between the look at what is gone and its end
	defer m.mu.Unlock()
	for _, c := range []struct {
		operation, result string
		changes           int
	}{
		{"grant", "applied", r.Granted}, {"grant", "failed", r.FailedGrants},
		{"revoke", "applied", r.Revoked}, {"revoke", "failed", r.FailedRevocations},
	} {
		m.changes.WithLabelValues(t.Namespace, t.Name, kindOf(t).Name, c.operation, c.result).Add(float64(c.changes))
	}
	m.seen[client.ObjectKeyFromObject(t)] = true
}

// Describe implements prometheus.Collector.
func (m *targetMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range targetDescs {
		ch <- d
	}
	m.changes.Describe(ch)
}

// Collect implements prometheus.Collector. There is nothing to show until the cache knows the targets.
func (m *targetMetrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var all v1alpha1.AppTargetList
	if err := m.targets.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		return
	}
	there := map[client.ObjectKey]bool{}
	for i := range all.Items {
		t := &all.Items[i]
		there[client.ObjectKeyFromObject(t)] = true
		show := func(d *prometheus.Desc, value float64, more ...string) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, append([]string{t.Namespace, t.Name, kindOf(t).Name}, more...)...)
		}
		show(outOfSyncMetric, outOfSync(t, m.clock.Now()).Seconds())
		show(grantsMetric, float64(t.Status.Grants))
		show(leftOutMetric, float64(t.Status.LeftOut))
		show(awaitedMetric, float64(t.Status.Awaited))
		var plan v1alpha1.TargetPlan
		if t.Status.Plan != nil {
			plan = *t.Status.Plan
		}
		show(pendingMetric, float64(plan.Additions), "grant")
		show(pendingMetric, float64(plan.Removals), "revoke")
	}
	m.forget(there)
	m.changes.Collect(ch)
}

// forget drops the series of targets that are not there.
func (m *targetMetrics) forget(there map[client.ObjectKey]bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key := range m.seen {
		if !there[key] {
			m.changes.DeletePartialMatch(prometheus.Labels{"namespace": key.Namespace, "target": key.Name})
			delete(m.seen, key)
		}
	}
}

// outOfSync is for how long a target has not been ready: since it is so, or since it was made.
func outOfSync(t *v1alpha1.AppTarget, now time.Time) time.Duration {
	since := t.CreationTimestamp.Time
	if c := meta.FindStatusCondition(t.Status.Conditions, v1alpha1.ConditionReady); c != nil {
		if c.Status == "True" {
			return 0
		}
		since = c.LastTransitionTime.Time
	}
	return max(0, now.Sub(since))
}
