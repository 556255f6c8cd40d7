package controllers

import (
	"context"
	"slices"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	ac "github.com/scim-operator/scim-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

const (
	// tracerName is the instrumentation scope of the spans of reconciles.
	tracerName = "github.com/scim-operator/scim-operator/controllers"
	// maxCauses bounds the traces that one reconcile says it follows from. One may serve thousands of writes.
	maxCauses = 16
)

// causes remembers which traced requests led to the reconciles that are due. Each is recorded as a trace of its own that
// links to theirs, since it may serve many of them. What no traced request led to is not recorded at all.
//
// The way from a request to a reconcile leads through etcd: the request's write marks the object with its trace, and when
// the mark is new, so is the cause of what the write sets off. An object that is deleted bears no mark of the deletion.
type causes struct {
	// name is the controller's, subject the attribute that says which object was reconciled.
	name, subject string
	tracer        trace.Tracer // nil for none
	mu            sync.Mutex
	due           map[reconcile.Request][]trace.SpanContext
}

// newCauses are those of the reconciles of one controller. They make no spans without a provider.
func newCauses(controller, subject string, provider trace.TracerProvider) *causes {
	c := &causes{name: controller, subject: subject, due: map[reconcile.Request][]trace.SpanContext{}}
	if provider != nil {
		c.tracer = provider.Tracer(tracerName)
	}
	return c
}

// of has a handler's reconciles follow from the request that marked the object.
func (c *causes) of(h handler.Funcs) handler.EventHandler {
	if c.tracer == nil {
		return h
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) {
			mark := ""
			if !e.IsInInitialList {
				mark = e.Object.GetAnnotations()[v1alpha1.TraceparentAnnotation]
			}
			h.Create(ctx, e, c.noting(mark, q))
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) {
			mark := e.ObjectNew.GetAnnotations()[v1alpha1.TraceparentAnnotation]
			if mark == e.ObjectOld.GetAnnotations()[v1alpha1.TraceparentAnnotation] {
				mark = ""
			}
			h.Update(ctx, e, c.noting(mark, q))
		},
		DeleteFunc:  h.Delete,
		GenericFunc: h.Generic,
	}
}

// noting notes that all that is queued follows from the traces in a mark.
func (c *causes) noting(mark string, q queue) queue {
	from := parseTraceparents(mark)
	if p, ok := q.(priorityqueue.PriorityQueue[reconcile.Request]); ok && len(from) > 0 {
		return notingQueue{p, c, from}
	}
	return q
}

// notingQueue is a queue of which one event is told. Handlers add to a priority queue by AddWithOpts, whichever way.
type notingQueue struct {
	priorityqueue.PriorityQueue[reconcile.Request]
	causes *causes
	from   []trace.SpanContext
}

func (q notingQueue) AddWithOpts(o priorityqueue.AddOpts, due ...reconcile.Request) {
	for _, request := range due {
		q.causes.note(request, q.from)
	}
	q.PriorityQueue.AddWithOpts(o, due...)
}

func (c *causes) note(due reconcile.Request, from []trace.SpanContext) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.due[due]
	for _, cause := range from {
		if len(known) < maxCauses && !slices.ContainsFunc(known, cause.Equal) {
			known = append(known, cause)
		}
	}
	c.due[due] = known
}

func (c *causes) take(due reconcile.Request) []trace.SpanContext {
	c.mu.Lock()
	defer c.mu.Unlock()
	from := c.due[due]
	delete(c.due, due)
	return from
}

// record records those reconciles that follow from a traced request. While done says no of a result, or there is an error,
// the next reconcile goes on with the same work.
func (c *causes) record(r reconcile.Reconciler, done func(reconcile.Result) bool) reconcile.Reconciler {
	if c.tracer == nil {
		return r
	}
	return reconcile.Func(func(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
		from := c.take(request)
		if len(from) == 0 {
			return r.Reconcile(ctx, request)
		}
		options := []trace.SpanStartOption{trace.WithNewRoot(), trace.WithAttributes(
			semconv.K8SNamespaceName(request.Namespace), attribute.String(c.subject, request.Name))}
		for _, cause := range from {
			options = append(options, trace.WithLinks(trace.Link{SpanContext: cause}))
		}
		ctx, span := c.tracer.Start(ctx, "reconcile "+c.name, options...)
		defer span.End()
		ctx = log.IntoContext(ctx, log.FromContext(ctx).WithValues("trace_id", span.SpanContext().TraceID().String()))
		result, err := r.Reconcile(context.WithValue(ctx, causesKey{}, from), request)
		if err != nil {
			span.SetStatus(codes.Error, "") // the log has the words
		}
		if err != nil || !done(result) {
			c.note(request, from)
		}
		return result, err
	})
}

// causesKey is the key of the causes of the reconcile that a context belongs to.
type causesKey struct{}

// mark has the object that is applied say from which traces the change follows. Whoever applies it without a mark the next
// time takes the mark away.
func mark(ctx context.Context, cfg *ac.AppMembershipApplyConfiguration) {
	if from, ok := ctx.Value(causesKey{}).([]trace.SpanContext); ok {
		cfg.WithAnnotations(map[string]string{v1alpha1.TraceparentAnnotation: formatTraceparents(from)})
	}
}

const traceparentHeader = "traceparent"

// parseTraceparents reads a mark. What is none is left out.
func parseTraceparents(mark string) []trace.SpanContext {
	var from []trace.SpanContext
	for word := range strings.SplitSeq(mark, ",") {
		ctx := propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{traceparentHeader: word})
		if c := trace.SpanContextFromContext(ctx); c.IsSampled() && len(from) < maxCauses {
			from = append(from, c)
		}
	}
	return from
}

func formatTraceparents(from []trace.SpanContext) string {
	words := make([]string, len(from))
	for i, c := range from {
		carrier := propagation.MapCarrier{}
		propagation.TraceContext{}.Inject(trace.ContextWithSpanContext(context.Background(), c), carrier)
		words[i] = carrier[traceparentHeader]
	}
	return strings.Join(words, ",")
}
