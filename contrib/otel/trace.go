// Package otel makes a span, and a measure of duration, of each request by
// OpenTelemetry.
//
// It has the name of the client's package, so one of the two is renamed where both are
// imported.
package otel

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Config holds the choices of New. What is nil is what package otel has as global.
type Config struct {
	Tracers    trace.TracerProvider
	Meters     metric.MeterProvider
	Propagator propagation.TextMapPropagator // reads where a trace began from the headers

	// Route names the part of the site that a request is for; nil means SCRIPT_NAME,
	// the mount. It is asked when the request comes, and must have few results.
	Route func(environ *wsgi.Environ) string

	// Ignore starts a trace with each request, whatever its headers say.
	Ignore bool
}

// scope is the name of this instrumentation.
const scope = "github.com/gowsgi/gowsgi/contrib/otel"

// New returns a middleware that makes a span of each request, from the call of the
// application to the end of its body, and records its duration as
// http.server.request.duration. The application finds the span in the context of its
// environ. Names and attributes are those of the semantic conventions for HTTP
// servers.
//
// It does nothing to status, headers or body, and the server still gets a list, or a
// file, as such. New panics when the meter refuses the instrument.
//
// Security: a client that may send traceparent chooses to which trace its request
// belongs, and whether it is sampled; where that is not wanted, set Ignore. A span has
// the path, but not the query, which may be a secret.
func New(c Config) wsgi.Middleware {
	if c.Tracers == nil {
		c.Tracers = otel.GetTracerProvider()
	}
	if c.Meters == nil {
		c.Meters = otel.GetMeterProvider()
	}
	if c.Propagator == nil {
		c.Propagator = otel.GetTextMapPropagator()
	}
	if c.Route == nil {
		c.Route = func(environ *wsgi.Environ) string { return environ.Var("SCRIPT_NAME") }
	}
	duration, err := c.Meters.Meter(scope).Float64Histogram("http.server.request.duration",
		metric.WithUnit("s"), metric.WithDescription("Duration of HTTP server requests."),
		metric.WithExplicitBucketBoundaries(.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10))
	if err != nil {
		panic(fmt.Sprintf("otel: New: %v", err))
	}
	t := &tracing{Config: c, tracer: c.Tracers.Tracer(scope), duration: duration}
	return middleware.Observe(middleware.ObserveConfig{Start: t.start, Finish: t.finish})
}

type tracing struct {
	Config
	tracer   trace.Tracer
	duration metric.Float64Histogram
}

// carrier is an environ as what a propagator reads headers from.
type carrier struct{ environ *wsgi.Environ }

func (c carrier) Get(key string) string { return c.environ.Header(key) }
func (c carrier) Set(string, string)    {} // nothing is sent on from here
func (c carrier) Keys() (keys []string) {
	for key := range c.environ.All() {
		if name, ok := strings.CutPrefix(key, "HTTP_"); ok {
			keys = append(keys, strings.ToLower(strings.ReplaceAll(name, "_", "-")))
		}
	}
	return keys
}

// request is what is kept of one.
type request struct {
	span   trace.Span
	labels []attribute.KeyValue // of the measure
}

func (t *tracing) start(o *middleware.Observation) {
	e := o.Environ
	ctx := e.Context()
	if !t.Ignore {
		ctx = t.Propagator.Extract(ctx, carrier{e})
	}
	verb, route := method(e.Var("REQUEST_METHOD")), t.Route(e)
	name := verb
	if verb == "_OTHER" {
		name = "HTTP"
	}
	labels := []attribute.KeyValue{
		attribute.String("http.request.method", verb),
		attribute.String("url.scheme", e.Var("wsgi.url_scheme")),
	}
	if route != "" {
		name += " " + route
		labels = append(labels, attribute.String("http.route", route))
	}
	attributes := append(labels[:len(labels):len(labels)],
		attribute.String("url.path", e.Var("SCRIPT_NAME")+e.Var("PATH_INFO")),
		attribute.String("server.address", e.Var("SERVER_NAME")),
		attribute.String("client.address", e.Var("REMOTE_ADDR")),
		attribute.String("user_agent.original", e.Var("HTTP_USER_AGENT")),
	)
	ctx, span := t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(o.Began), trace.WithAttributes(attributes...))
	o.Environ = e.WithContext(ctx)
	o.Value = &request{span, labels}
}

// method is a standard method, or what the conventions have for any other.
func method(name string) string {
	switch name {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE":
		return name
	}
	return "_OTHER"
}

func (t *tracing) finish(o *middleware.Observation) {
	r, ok := o.Value.(*request)
	if !ok { // the route panicked
		return
	}
	labels, code := r.labels, o.Code()
	if code > 0 {
		labels = append(labels, attribute.Int("http.response.status_code", code))
		r.span.SetAttributes(attribute.Int("http.response.status_code", code))
	}
	switch {
	case o.Failed():
		r.span.RecordError(o.Err)
		r.span.SetStatus(codes.Error, "")
		labels = append(labels, attribute.String("error.type", fmt.Sprintf("%T", o.Err)))
	case code >= 500:
		r.span.SetStatus(codes.Error, "")
		labels = append(labels, attribute.String("error.type", strconv.Itoa(code)))
	}
	r.span.SetAttributes(attribute.Int64("http.response.body.size", o.Bytes))
	t.duration.Record(o.Environ.Context(), time.Since(o.Began).Seconds(), metric.WithAttributes(labels...))
	r.span.End()
}
