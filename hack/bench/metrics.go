package main

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"k8s.io/client-go/discovery"
)

// sample is one line of Prometheus' text format.
type sample struct {
	labels map[string]string
	value  float64
}

var (
	sampleLine = regexp.MustCompile(`(?m)^(\w+)\{(.*)\} (\S+)$`)
	labelPair  = regexp.MustCompile(`(\w+)="([^"]*)"`)
)

// samplesOf are the samples of one metric that has labels.
func samplesOf(text []byte, metric string) (samples []sample, err error) {
	for _, line := range sampleLine.FindAllSubmatch(text, -1) {
		if string(line[1]) != metric {
			continue
		}
		s := sample{labels: map[string]string{}}
		for _, pair := range labelPair.FindAllSubmatch(line[2], -1) {
			s.labels[string(pair[1])] = string(pair[2])
		}
		if s.value, err = strconv.ParseFloat(string(line[3]), 64); err != nil {
			return nil, fmt.Errorf("metric %s: %w", metric, err)
		}
		samples = append(samples, s)
	}
	return samples, nil
}

// writes are the successful writes that the API server has counted, by group, resource and subresource.
type writes map[string]float64

// countWrites counts the writes so far of what the operator writes: its own kinds, and Events.
func (s *stage) countWrites(ctx context.Context) (writes, error) {
	c, err := discovery.NewDiscoveryClientForConfig(s.plane.Config)
	if err != nil {
		return nil, err
	}
	text, err := c.RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return nil, err
	}
	samples, err := samplesOf(text, "apiserver_request_total")
	if err != nil {
		return nil, err
	}
	w := writes{}
	for _, sample := range samples {
		group, resource := sample.labels["group"], sample.labels["resource"]
		switch sample.labels["verb"] {
		case "GET", "LIST", "WATCH":
			continue
		}
		if group != "scim-operator.io" && resource != "events" || !strings.HasPrefix(sample.labels["code"], "2") {
			continue
		}
		if sub := sample.labels["subresource"]; sub != "" {
			resource += "/" + sub
		}
		w[resource] += sample.value
	}
	return w, nil
}

// since are the writes that came after others.
func (w writes) since(before writes) writes {
	more := writes{}
	for resource, n := range w {
		if n > before[resource] {
			more[resource] = n - before[resource]
		}
	}
	return more
}

// untilIdle returns when the operator's controllers have looked at that many people since its start, and have nothing more
// to do.
func (o *operator) untilIdle(ctx context.Context, people int) error {
	return until(ctx, 100*time.Millisecond, func() (bool, error) {
		status, text, err := o.do(ctx, http.MethodGet, "http://"+o.metrics+"/metrics", nil)
		if err != nil || status != http.StatusOK {
			return false, fmt.Errorf("the operator's metrics: status %d: %w", status, err)
		}
		looks, err := samplesOf(text, "controller_runtime_reconcile_total")
		if err != nil {
			return false, err
		}
		looked := 0.0
		for _, l := range looks {
			if l.labels["controller"] == "membership" {
				looked += l.value
			}
		}
		waiting := 0.0
		for _, metric := range []string{"workqueue_depth", "controller_runtime_active_workers"} {
			samples, err := samplesOf(text, metric)
			if err != nil {
				return false, err
			}
			for _, s := range samples {
				waiting += s.value
			}
		}
		return looked >= float64(people) && waiting == 0, nil
	})
}
