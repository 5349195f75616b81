package bench

import (
	"testing"

	"github.com/gowsgi/gowsgi/internal/measure"
	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// noops are middlewares that have nothing to do for a plain GET.
var noops = []struct {
	name string
	m    wsgi.Middleware
}{
	{"pass on", func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			return next.Call(environ, start)
		})
	}},
	{"When", middleware.When(func(*wsgi.Environ) bool { return false }, middleware.Compress(middleware.CompressConfig{}))},
	{"Health", middleware.Health(middleware.HealthConfig{})},
	{"Mount", middleware.Mount("/elsewhere", wsgi.Response{Status: "200 OK"})},
	{"CrossOrigin", middleware.CrossOrigin(middleware.CrossOriginConfig{})},
	{"MethodOverride", middleware.MethodOverride(middleware.MethodOverrideConfig{})},
	{"Head", middleware.Head()},
}

// oneBlock always returns the same body object.
type oneBlock struct{ body wsgi.Iterable }

func (a oneBlock) Call(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	_, err := start("200 OK", nil, nil)
	return a.body, err
}

func startNothing(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil }

// BenchmarkNoop reports what one middleware that has nothing to do adds to a call
// of the application.
func BenchmarkNoop(b *testing.B) {
	for _, n := range noops {
		b.Run(n.name, func(b *testing.B) {
			app := wsgi.Application(oneBlock{wsgi.Bytes(hello)})
			environ := wsgitest.NewRequest("GET", "/greeting").Environ()
			call := func(app wsgi.Application) float64 {
				const perRound = 200_000
				begin := measure.Processor()
				for range perRound {
					app.Call(environ, startNothing)
				}
				return float64(measure.Processor()-begin) / perRound
			}
			wrapped := n.m(app)
			var costs []float64
			for b.Loop() {
				for range 10 {
					bare := call(app)
					costs = append(costs, call(wrapped)-bare)
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(measure.Median(costs), "added-ns")
			b.ReportMetric(testing.AllocsPerRun(1000, func() { wrapped.Call(environ, startNothing) }), "allocs")
		})
	}
}

// TestNoop checks that each returns the body of the application, the object
// itself, and allocates nothing.
func TestNoop(t *testing.T) {
	body := &struct{ wsgi.Iterable }{wsgi.Empty()}
	environ := wsgitest.NewRequest("GET", "/greeting").Environ()
	for _, n := range noops {
		app := n.m(oneBlock{body})
		if got, err := app.Call(environ, startNothing); err != nil || got != wsgi.Iterable(body) {
			t.Errorf("%s: body %v, error %v, expected the application's own", n.name, got, err)
		}
		if allocs := testing.AllocsPerRun(100, func() { app.Call(environ, startNothing) }); allocs > 0 {
			t.Errorf("%s: %v allocations, expected none", n.name, allocs)
		}
	}
}
