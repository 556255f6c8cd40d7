package targets

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"
)

// tracerName is the instrumentation scope of the targets' spans.
const tracerName = "github.com/scim-operator/scim-operator/controllers/targets"

// begin begins a span below the one in the context, if that is recorded; otherwise it does nothing.
func begin(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, trace.SpanFromContext(context.Background())
	}
	return parent.TracerProvider().Tracer(tracerName).Start(ctx, name, options...)
}

// beginCall begins the span of a call to a system, which is told of the trace. The address has no path and no query: they may
// name people.
func beginCall(request *http.Request) (*http.Request, trace.Span) {
	ctx, span := begin(request.Context(), request.Method, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		semconv.HTTPRequestMethodKey.String(request.Method), semconv.ServerAddress(request.URL.Hostname())))
	if span.IsRecording() {
		request = request.WithContext(ctx)
		request.Header = request.Header.Clone()
		propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(request.Header))
	}
	return request, span
}

// endCall ends it with what was answered; response is nil where nothing was.
func endCall(span trace.Span, response *http.Response) {
	switch {
	case response == nil:
		span.SetStatus(codes.Error, "no answer")
	case response.StatusCode >= http.StatusBadRequest:
		span.SetStatus(codes.Error, "")
		fallthrough
	default:
		span.SetAttributes(semconv.HTTPResponseStatusCode(response.StatusCode))
	}
	span.End()
}

// endStep ends the span of a step that was to make so many changes.
func endStep(span trace.Span, changes, done int, err error) {
	span.SetAttributes(attribute.Int("scim.changes", changes), attribute.Int("scim.changes.done", done))
	if err != nil {
		span.SetStatus(codes.Error, "") // the target's status has the words
	}
	span.End()
}
