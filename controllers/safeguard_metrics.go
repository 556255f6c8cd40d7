package controllers

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// heldChanges is the metric of what safeguards hold back, read from the cache whenever it is asked for.
type heldChanges struct {
	directories client.Reader
}

var heldChangesMetric = prometheus.NewDesc("scim_held_changes",
	"People from whom the safeguard of a ScimDirectory holds back a removal of access or roles; absent without a safeguard.",
	[]string{"namespace", "directory"}, nil)

// Describe implements prometheus.Collector.
func (m heldChanges) Describe(ch chan<- *prometheus.Desc) { ch <- heldChangesMetric }

// Collect implements prometheus.Collector. There is nothing to show until the cache knows the directories.
func (m heldChanges) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var all v1alpha1.ScimDirectoryList
	if err := m.directories.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		return
	}
	for i := range all.Items {
		d := &all.Items[i]
		if d.Spec.Safeguard == nil {
			continue
		}
		people := 0.0
		if d.Status.Held != nil {
			people = float64(d.Status.Held.People)
		}
		ch <- prometheus.MustNewConstMetric(heldChangesMetric, prometheus.GaugeValue, people, d.Namespace, d.Name)
	}
}
