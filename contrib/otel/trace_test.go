package otel_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/gowsgi/gowsgi/contrib/otel"
	"github.com/gowsgi/gowsgi/internal/sandwich"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func providers() (*tracetest.SpanRecorder, *metric.ManualReader, otel.Config) {
	spans, reader := tracetest.NewSpanRecorder(), metric.NewManualReader()
	return spans, reader, otel.Config{
		Tracers:    sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)),
		Meters:     metric.NewMeterProvider(metric.WithReader(reader)),
		Propagator: propagation.TraceContext{},
	}
}

const parent = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"

func TestSpans(t *testing.T) {
	var inside trace.SpanContext
	app := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		inside = trace.SpanContextFromContext(environ.Context())
		switch environ.Var("PATH_INFO") {
		case "/fails":
			return nil, errors.New("failed")
		case "/waits":
			return nil, environ.Context().Err()
		case "/panics":
			panic("oh")
		case "/503":
			_, err := start("503 Sorry", nil, nil)
			return wsgi.Empty(), err
		}
		_, err := start("200 OK", nil, nil)
		return wsgi.Strings("hello"), err
	})
	tests := []struct {
		target, name string
		code         int64
		status       codes.Code
		ignore       bool
	}{
		{"/shop?token=secret", "GET /mount", 200, codes.Unset, false},
		{"/503", "GET /mount", 503, codes.Error, false},
		{"/fails", "GET /mount", 500, codes.Error, false},
		{"/panics", "GET /mount", 500, codes.Error, false},
		{"/waits", "GET /mount", 0, codes.Unset, false}, // of a client that has left
		{"/shop", "GET /mount", 200, codes.Unset, true},
	}
	for _, tt := range tests {
		t.Run(tt.target, func(t *testing.T) {
			spans, reader, config := providers()
			config.Ignore = tt.ignore
			config.Route = func(*wsgi.Environ) string { return "/mount" }
			req := wsgitest.NewRequest("GET", tt.target).With("Traceparent", parent)
			req.ExpectErrors = true
			if tt.target == "/waits" {
				left, leave := context.WithCancel(context.Background())
				leave()
				req.Context = left
			}
			wsgitest.Do(t, otel.New(config)(app), req)
			ended := spans.Ended()
			if len(ended) != 1 {
				t.Fatalf("%d spans have ended, expected 1", len(ended))
			}
			span := ended[0]
			got := map[attribute.Key]attribute.Value{}
			for _, a := range span.Attributes() {
				got[a.Key] = a.Value
				if a.Value.AsString() == "token=secret" {
					t.Errorf("%s has the query", a.Key)
				}
			}
			if span.Name() != tt.name || span.SpanKind() != trace.SpanKindServer || span.Status().Code != tt.status || got["http.response.status_code"].AsInt64() != tt.code {
				t.Errorf("span %q, kind %v, status %v, attributes %v", span.Name(), span.SpanKind(), span.Status(), got)
			}
			if inside.SpanID() != span.SpanContext().SpanID() {
				t.Error("the application has another span")
			}
			if continued := span.SpanContext().TraceID().String() == parent[3:35]; continued == tt.ignore {
				t.Errorf("the trace is %s", span.SpanContext().TraceID())
			}
			var data metricdata.ResourceMetrics
			if err := reader.Collect(context.Background(), &data); err != nil {
				t.Fatal(err)
			}
			histogram, ok := data.ScopeMetrics[0].Metrics[0].Data.(metricdata.Histogram[float64])
			if !ok || histogram.DataPoints[0].Count != 1 || data.ScopeMetrics[0].Metrics[0].Name != "http.server.request.duration" {
				t.Errorf("metrics %v", data.ScopeMetrics)
			}
		})
	}
}

func TestMain(m *testing.M) { sandwich.Main(m, all) }

func create() wsgi.Middleware {
	_, _, config := providers()
	return otel.New(config)
}

func all() map[string]wsgi.Middleware { return map[string]wsgi.Middleware{"traces": create()} }

func TestContract(t *testing.T) {
	sandwich.Keeps(t, create())
	t.Run("live", func(t *testing.T) { sandwich.Live(t, create) })
	t.Run("cgi", func(t *testing.T) { sandwich.LiveCGI(t, all) })
}

func ExampleNew() {
	spans := tracetest.NewSpanRecorder()
	m := otel.New(otel.Config{
		Tracers: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)),
		Route:   func(*wsgi.Environ) string { return "/notes" },
	})
	hello := wsgi.Response{Status: "200 OK", Body: wsgi.Strings("hello")}
	wsgitest.Record(m(hello), wsgitest.NewRequest("GET", "/notes/7"))
	fmt.Println(spans.Ended()[0].Name())
	// Output:
	// GET /notes
}
