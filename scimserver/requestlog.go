package scimserver

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/scim-operator/scim-operator/scimserver/store"
)

// logRequest writes one line for each request, and for each operation of a bulk request, be it a read or a write, and counts
// it. Both name things by ids; they hold no token and no attribute value, and of what the client chose only its request
// id, if that is plain.
func (h *handler) logRequest(q *request, status int, change *store.Change, err error) {
	took := time.Since(q.started)
	route := q.route.pattern
	if route == "" {
		route = "unknown"
	}
	h.metrics.observe(q.Method, route, status, q.measured(), change == nil && q.toChange(status), took)

	attributes := []slog.Attr{
		slog.String("request", q.id),
		slog.String("source", q.client),
		slog.String("method", knownMethod(q.Method)),
		slog.String("route", route),
		slog.Int("status", status),
		slog.Duration("duration", took),
	}
	if q.credential.Directory != "" {
		attributes = append(attributes,
			slog.String("namespace", q.credential.Namespace),
			slog.String("directory", q.credential.Directory),
			slog.String("token", q.credential.Token))
	}
	if q.resource != "" {
		attributes = append(attributes, slog.String("resource", q.resource))
	}
	inTrace := trace.SpanContextFromContext(q.Context())
	if inTrace.IsSampled() {
		attributes = append(attributes, slog.String("trace_id", inTrace.TraceID().String()))
	}
	if err != nil && problemOf(err).scimType != "" {
		attributes = append(attributes, slog.String("scimType", problemOf(err).scimType))
	}
	h.log.LogAttrs(q.Context(), slog.LevelInfo, "SCIM request", attributes...)
	// Where the answer is not the error itself, there is more to know than the client was told.
	if status >= http.StatusInternalServerError && !errors.Is(problemOf(err), err) {
		h.log.LogAttrs(q.Context(), slog.LevelError, "SCIM request failed", slog.String("request", q.id), slog.String("error", err.Error()))
	}
}

// knownMethod keeps what a client invents out of logs and labels.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	default:
		return "other"
	}
}
