package prometheus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	metrics "github.com/gowsgi/gowsgi/contrib/prometheus"
	"github.com/gowsgi/gowsgi/internal/sandwich"
	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func app(registry *prometheus.Registry) wsgi.Application {
	hello := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		switch environ.Var("PATH_INFO") {
		case "/fails":
			return nil, errors.New("failed")
		case "/waits":
			return nil, environ.Context().Err()
		case "/panics":
			panic("oh")
		}
		_, err := start("200 OK", nil, nil)
		return wsgi.Strings("hello"), err
	})
	m := metrics.New(metrics.Config{Registry: registry, Route: func(environ *wsgi.Environ) string {
		if strings.HasPrefix(environ.Var("PATH_INFO"), "/shop/") {
			return "/shop"
		}
		return ""
	}})
	return m(middleware.Mount("/shop", hello)(hello))
}

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	site := app(registry)
	for _, target := range []string{"GET /shop/a", "GET /shop/b", "HEAD /x", "BREW /x", "GET /fails", "GET /panics"} {
		method, path, _ := strings.Cut(target, " ")
		req := wsgitest.NewRequest(method, path)
		req.ExpectErrors = true
		wsgitest.Do(t, site, req)
	}
	left, leave := context.WithCancel(context.Background())
	leave()
	wsgitest.Do(t, site, &wsgitest.Request{Target: "/waits", Context: left})
	want := `
# HELP http_requests_total Requests that are over.
# TYPE http_requests_total counter
http_requests_total{code="200",method="GET",route="/shop"} 2
http_requests_total{code="200",method="HEAD",route=""} 1
http_requests_total{code="200",method="other",route=""} 1
http_requests_total{code="499",method="GET",route=""} 1
http_requests_total{code="500",method="GET",route=""} 2
# HELP http_response_bytes_total Bytes of bodies that the server has taken.
# TYPE http_response_bytes_total counter
http_response_bytes_total{method="GET",route=""} 0
http_response_bytes_total{method="GET",route="/shop"} 10
http_response_bytes_total{method="HEAD",route=""} 0
http_response_bytes_total{method="other",route=""} 5
# HELP http_requests_in_flight Requests that are not over yet.
# TYPE http_requests_in_flight gauge
http_requests_in_flight 0
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "http_requests_total", "http_response_bytes_total", "http_requests_in_flight"); err != nil {
		t.Error(err)
	}
	if n := testutil.CollectAndCount(registry, "http_request_duration_seconds"); n != 4 {
		t.Errorf("there are %d histograms, expected 4", n)
	}
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("%v, error %v", problems, err)
	}
}

func TestMain(m *testing.M) { sandwich.Main(m, all) }

func create() wsgi.Middleware {
	return metrics.New(metrics.Config{Registry: prometheus.NewRegistry(), Namespace: "test"})
}

func all() map[string]wsgi.Middleware { return map[string]wsgi.Middleware{"metrics": create()} }

func TestContract(t *testing.T) {
	sandwich.Keeps(t, create())
	t.Run("live", func(t *testing.T) { sandwich.Live(t, create) })
	t.Run("cgi", func(t *testing.T) { sandwich.LiveCGI(t, all) })
}

func ExampleNew() {
	registry := prometheus.NewRegistry()
	m := metrics.New(metrics.Config{Registry: registry})
	hello := wsgi.Response{Status: "200 OK", Body: wsgi.Strings("hello")}
	for range 3 {
		wsgitest.Record(m(hello), wsgitest.NewRequest("GET", "/"))
	}
	families, err := registry.Gather()
	if err != nil {
		fmt.Println(err)
	}
	for _, f := range families {
		if f.GetName() == "http_requests_total" {
			fmt.Println(f.GetMetric()[0].GetCounter().GetValue(), "requests")
		}
	}
	// Output:
	// 3 requests
}
