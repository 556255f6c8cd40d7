package store

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// tracerName is the instrumentation scope of the store's spans.
const tracerName = "github.com/scim-operator/scim-operator/scimserver/store"

// What happens in a span beside the calls that have spans of their own.
const (
	eventConflict  = "conflict"     // another write came in between; this one is made again
	eventUnchanged = "no change"    // nothing is to be written
	eventTaken     = "name taken"   // somebody else has the name; this write is taken back
	eventSealed    = "slice sealed" // another write is moving the members
)

// begin begins a span below the one in the context, if that is recorded; otherwise it does nothing.
func begin(ctx context.Context, name string) (context.Context, trace.Span) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, trace.SpanFromContext(context.Background())
	}
	return parent.TracerProvider().Tracer(tracerName).Start(ctx, name)
}

// markTrace notes on an object which trace it is written in, for the spans of what follows from it. Nothing is noted when
// the trace is not recorded, and what an earlier write noted goes.
func markTrace(ctx context.Context, annotations map[string]string) {
	delete(annotations, v1alpha1.TraceparentAnnotation)
	if trace.SpanContextFromContext(ctx).IsSampled() {
		carrier := propagation.MapCarrier{}
		propagation.TraceContext{}.Inject(ctx, carrier)
		annotations[v1alpha1.TraceparentAnnotation] = carrier["traceparent"]
	}
}
