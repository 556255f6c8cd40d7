package scimserver

import (
	"net/http"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"
)

// tracerName is the instrumentation scope of the spans of requests.
const tracerName = "github.com/scim-operator/scim-operator/scimserver"

// beginSpan begins the span of a request. All that is done for the request finds it in its context. A span says what the log
// says, for the same reason: of what clients choose, paths, queries and user agents may name people.
//
// The trace of who calls is continued behind a proxy that is trusted, and only there: else anybody could have all of their
// requests recorded, and every write marked. Without, the request has a trace of its own with a link to the other.
func (h *handler) beginSpan(q *request) trace.Span {
	if h.tracer == nil {
		return trace.SpanFromContext(q.Context())
	}
	options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		semconv.HTTPRequestMethodKey.String(methodLabel(q.Method)),
		semconv.HTTPRoute(q.route.template()),
		semconv.ClientAddress(q.client),
		attribute.String("scim.request", q.id),
	)}
	ctx := q.Context()
	calling := propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(q.Header))
	if h.forwarded {
		ctx = calling
	} else if theirs := trace.SpanContextFromContext(calling); theirs.IsValid() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: theirs}))
	}
	return h.startSpan(q, q.Request.WithContext(ctx), options...)
}

// beginOperation begins the span of an operation of a bulk request, below that of the request.
func (h *handler) beginOperation(q *request) trace.Span {
	if h.tracer == nil {
		return trace.SpanFromContext(q.Context())
	}
	return h.startSpan(q, q.Request, trace.WithAttributes(
		semconv.HTTPRequestMethodKey.String(methodLabel(q.Method)), semconv.HTTPRoute(q.route.template())))
}

func (h *handler) startSpan(q *request, r *http.Request, options ...trace.SpanStartOption) trace.Span {
	ctx, span := h.tracer.Start(r.Context(), methodLabel(q.Method)+" "+q.route.template(), options...)
	q.Request = r.WithContext(ctx)
	return span
}

// endSpan ends the span of a request or of an operation, with what came of it. An error that is not the client's has its
// words in the log alone.
func endSpan(q *request, span trace.Span, status int, err error) {
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(semconv.HTTPResponseStatusCode(status))
	if c := q.credential; c.Directory != "" {
		span.SetAttributes(semconv.K8SNamespaceName(c.Namespace),
			attribute.String("scim.directory", c.Directory), attribute.String("scim.token", c.Token))
	}
	if q.resource != "" {
		span.SetAttributes(attribute.String("scim.resource", q.resource))
	}
	if err != nil && problemOf(err).scimType != "" {
		span.SetAttributes(attribute.String("scim.type", problemOf(err).scimType))
	}
	if status >= http.StatusInternalServerError {
		span.SetAttributes(semconv.ErrorTypeKey.String(strconv.Itoa(status)))
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

// template is the path with names in place of what is in it.
func (r route) template() string {
	path := root
	if r.namespace != "" {
		path += "/{namespace}/{directory}"
	}
	if r.pattern != "" {
		path += "/" + r.pattern
	}
	return path
}

// methodLabel is the method, or what semantic conventions have for one that a client has invented.
func methodLabel(method string) string {
	if known := knownMethod(method); known == method {
		return known
	}
	return "_OTHER"
}
