package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"
	"k8s.io/client-go/rest"
)

// tracingTimeout is how long the last spans may take to be sent, after all else has ended.
const tracingTimeout = 3 * time.Second

// tracing makes spans and sends them to a collector. Where it is off, its providers are nil.
type tracing struct {
	// requests decides which of them are traced; consequences traces all that follows from those.
	requests, consequences trace.TracerProvider
	stop                   func(context.Context) error
}

// startTracing starts it as OpenTelemetry's environment variables say, which the SDK and its exporter read; it is off unless
// they name a collector. It returns an error for what they would not understand, or would misunderstand.
func startTracing(ctx context.Context, log logr.Logger) (*tracing, error) {
	on, err := tracingWanted(os.Getenv)
	if err != nil || !on {
		return &tracing{}, err
	}
	otel.SetLogger(log)
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		log.Info("Traces do not reach the collector; is OTEL_EXPORTER_OTLP_ENDPOINT where it takes OTLP over HTTP?", "reason", err.Error())
	}))
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("export traces: %w", err)
	}
	self, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithHost(),
		resource.WithAttributes(semconv.ServiceName("scim-operator"), semconv.ServiceVersion(version)), resource.WithFromEnv())
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	batches := sdktrace.NewBatchSpanProcessor(exporter)
	return &tracing{
		requests:     sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(batches), sdktrace.WithResource(self)),
		consequences: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(batches), sdktrace.WithResource(self), sdktrace.WithSampler(sdktrace.AlwaysSample())),
		stop:         batches.Shutdown,
	}, nil
}

// tracingWanted says whether the environment names a collector.
func tracingWanted(env func(string) string) (bool, error) {
	forTraces := func(name string) (string, string) {
		if specific := strings.Replace(name, "OTLP_", "OTLP_TRACES_", 1); env(specific) != "" {
			return specific, env(specific)
		}
		return name, env(name)
	}
	name, endpoint := forTraces("OTEL_EXPORTER_OTLP_ENDPOINT")
	exporter := env("OTEL_TRACES_EXPORTER")
	switch {
	case endpoint == "", exporter == "none", strings.EqualFold(env("OTEL_SDK_DISABLED"), "true"):
		return false, nil
	case exporter != "" && exporter != "otlp":
		return false, fmt.Errorf("OTEL_TRACES_EXPORTER=%q: traces go out by otlp only", exporter)
	}
	if u, err := url.Parse(endpoint); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return false, fmt.Errorf("%s=%q is not an address such as http://otel-collector:4318", name, endpoint)
	}
	if name, protocol := forTraces("OTEL_EXPORTER_OTLP_PROTOCOL"); protocol != "" && protocol != "http/protobuf" {
		return false, fmt.Errorf("%s=%q: traces go out by http/protobuf only, to a collector's port 4318 as a rule", name, protocol)
	}
	return true, nil
}

// around has calls to the API server be part of the traces that they are made for, and the API server know of these. All
// other calls, such as watches, are left alone.
func (t *tracing) around(config *rest.Config) {
	if t.requests == nil {
		return
	}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return otelhttp.NewTransport(next,
			otelhttp.WithFilter(func(r *http.Request) bool { return trace.SpanFromContext(r.Context()).IsRecording() }),
			otelhttp.WithPropagators(propagation.TraceContext{}),
			otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return "Kubernetes " + r.Method }))
	})
}

// end sends the last spans, for as long as that goes on within the time given.
func (t *tracing) end(within time.Duration) {
	if t.stop == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	if err := t.stop(ctx); err != nil {
		otel.Handle(err)
	}
}
