package scimserver

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := newMetrics(registry)
	m.observe("GET", "Users/{id}", 200, time.Millisecond)
	m.observe("BREW", "unknown", 404, time.Millisecond)
	m.observe("STEEP", "unknown", 404, time.Millisecond)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.Metric {
			labels := ""
			for _, l := range metric.Label {
				labels += " " + l.GetName() + "=" + l.GetValue()
			}
			got[family.GetName()+labels] = metric.GetCounter().GetValue() + float64(metric.GetHistogram().GetSampleCount())
		}
	}
	want := map[string]float64{
		"scim_requests_total code=200 method=GET route=Users/{id}":  1,
		"scim_requests_total code=404 method=other route=unknown":   2,
		"scim_request_duration_seconds method=GET route=Users/{id}": 1,
		"scim_request_duration_seconds method=other route=unknown":  2,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
