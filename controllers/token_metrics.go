package controllers

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// tokenExpiries is the metric of when tokens expire, read from the cache whenever it is asked for: a token that goes is
// gone from it at once.
type tokenExpiries struct {
	directories client.Reader
}

var tokenExpiryMetric = prometheus.NewDesc("scim_token_expiry_timestamp_seconds",
	"When a token of a ScimDirectory expires, in seconds since 1970; absent for a token that does not.",
	[]string{"namespace", "directory", "token"}, nil)

// Describe implements prometheus.Collector.
func (m tokenExpiries) Describe(ch chan<- *prometheus.Desc) { ch <- tokenExpiryMetric }

// Collect implements prometheus.Collector. There is nothing to show until the cache knows the directories.
func (m tokenExpiries) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var all v1alpha1.ScimDirectoryList
	if err := m.directories.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		return
	}
	for i := range all.Items {
		d := &all.Items[i]
		for _, t := range d.Spec.Tokens {
			if t.ExpirationTime != nil {
				ch <- prometheus.MustNewConstMetric(tokenExpiryMetric, prometheus.GaugeValue, float64(t.ExpirationTime.Unix()),
					d.Namespace, d.Name, t.Name)
			}
		}
	}
}
