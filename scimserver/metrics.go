package scimserver

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics count requests. A client without a valid token gets no series of its own, whatever path it calls, and a directory
// that is gone has none left.
type metrics struct {
	requests  *prometheus.CounterVec
	unchanged *prometheus.CounterVec
	duration  *prometheus.HistogramVec
	// exists says whether a directory is still there.
	exists func(namespace, directory string) bool

	mu   sync.Mutex
	seen map[directoryLabels]bool
}

type directoryLabels struct{ namespace, directory string }

func newMetrics(registerer prometheus.Registerer, exists func(namespace, directory string) bool) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "scim_requests_total",
			Help: "SCIM requests, and the operations of bulk requests, by method, route, status code and the directory whose valid token they had, if any.",
		}, []string{"method", "route", "code", "namespace", "directory"}),
		unchanged: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "scim_requests_unchanged_total",
			Help: "SCIM requests to change something that succeeded without a write, because all was so already, by method, route and directory.",
		}, []string{"method", "route", "namespace", "directory"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "scim_request_duration_seconds",
			Help:    "How long SCIM requests, and the operations of bulk requests, took, by method and route.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2.5, 12), // 1 ms to 24 s
		}, []string{"method", "route"}),
		exists: exists,
		seen:   map[directoryLabels]bool{},
	}
	if registerer != nil {
		registerer.MustRegister(m)
	}
	return m
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	m.requests.Describe(ch)
	m.unchanged.Describe(ch)
	m.duration.Describe(ch)
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	m.forget()
	m.requests.Collect(ch)
	m.unchanged.Collect(ch)
	m.duration.Collect(ch)
}

// forget drops the series of directories that are gone.
func (m *metrics) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for d := range m.seen {
		if !m.exists(d.namespace, d.directory) {
			gone := prometheus.Labels{"namespace": d.namespace, "directory": d.directory}
			m.requests.DeletePartialMatch(gone)
			m.unchanged.DeletePartialMatch(gone)
			delete(m.seen, d)
		}
	}
}

// observe counts a request that was answered. The zero directory stands for none.
func (m *metrics) observe(method, route string, status int, d directoryLabels, unchanged bool, took time.Duration) {
	method = knownMethod(method)
	m.duration.WithLabelValues(method, route).Observe(took.Seconds())
	// Under the lock, so that no series comes to be between the look at what is gone and its end.
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests.WithLabelValues(method, route, strconv.Itoa(status), d.namespace, d.directory).Inc()
	if unchanged {
		m.unchanged.WithLabelValues(method, route, d.namespace, d.directory).Inc()
	}
	if d != (directoryLabels{}) {
		m.seen[d] = true
	}
}

// measured is the directory whose valid token a request has.
func (q *request) measured() directoryLabels {
	if q.credential.Expired {
		return directoryLabels{}
	}
	return directoryLabels{q.credential.Namespace, q.credential.Directory}
}

// toChange says whether a request succeeded that was to change something.
func (q *request) toChange(status int) bool {
	return status < http.StatusMultipleChoices && q.directory != nil && q.attempted(status) != nil
}
