package scimserver

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/scim-operator/scim-operator/scimserver/store"
)

func TestMetrics(t *testing.T) {
	registry, there := prometheus.NewPedanticRegistry(), true
	m := newMetrics(registry, func(namespace, directory string) bool { return there || namespace != "acme" || directory != "okta" })
	okta, entra := directoryLabels{"acme", "okta"}, directoryLabels{"acme", "entra"}
	m.observe("GET", "Users/{id}", 200, okta, false, time.Millisecond)
	m.observe("PATCH", "Users/{id}", 200, okta, true, time.Millisecond)
	m.observe("GET", "Users/{id}", 200, entra, false, time.Millisecond)
	m.observe("BREW", "unknown", 404, directoryLabels{}, false, time.Millisecond)
	m.observe("STEEP", "unknown", 404, directoryLabels{}, false, time.Millisecond)
	all := map[string]float64{
		"scim_requests_total code=200 directory=okta method=GET namespace=acme route=Users/{id}":    1,
		"scim_requests_total code=200 directory=okta method=PATCH namespace=acme route=Users/{id}":  1,
		"scim_requests_total code=200 directory=entra method=GET namespace=acme route=Users/{id}":   1,
		"scim_requests_total code=404 directory= method=other namespace= route=unknown":             2,
		"scim_requests_unchanged_total directory=okta method=PATCH namespace=acme route=Users/{id}": 1,
		"scim_request_duration_seconds method=GET route=Users/{id}":                                 2,
		"scim_request_duration_seconds method=PATCH route=Users/{id}":                               1,
		"scim_request_duration_seconds method=other route=unknown":                                  2,
	}
	if got := gathered(t, registry); !maps.Equal(got, all) {
		t.Errorf("got %v, want %v", got, all)
	}

	there = false
	maps.DeleteFunc(all, func(series string, _ float64) bool { return strings.Contains(series, "directory=okta") })
	if got := gathered(t, registry); !maps.Equal(got, all) {
		t.Errorf("of a directory that is gone: got %v, want %v", got, all)
	}
}

// TestMeasured: who has no valid token makes no series, though an expired one tells whose it was.
func TestMeasured(t *testing.T) {
	expired := request{credential: store.Credential{Namespace: "acme", Directory: "okta", Expired: true}}
	if got := expired.measured(); got != (directoryLabels{}) {
		t.Errorf("an expired token is measured as %v", got)
	}
}

// gathered are the values of all series, of a histogram how many values it holds.
func gathered(t *testing.T, registry prometheus.Gatherer) map[string]float64 {
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
	return got
}
