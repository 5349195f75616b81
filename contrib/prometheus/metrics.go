// Package prometheus keeps metrics of requests by the official client.
//
// It has the name of the client, so one of the two is renamed where both are imported:
//
//	import (
//		"github.com/prometheus/client_golang/prometheus"
//		metrics "github.com/gowsgi/gowsgi/contrib/prometheus"
//	)
package prometheus

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Config holds the choices of New.
type Config struct {
	// Registry gets the metrics; nil means the default one of the client.
	Registry prometheus.Registerer

	// Namespace is what their names begin with; "" means none.
	Namespace string

	// Route names the part of the site that a request is for, as the label route;
	// nil means SCRIPT_NAME, the mount. It is asked when the request comes, and must
	// have few results: each is a series that is kept for ever.
	Route func(environ *wsgi.Environ) string

	// Buckets are the bounds of durations in seconds; nil means the client's.
	Buckets []float64
}

// New returns a middleware that counts requests, and registers what it counts:
//
//	http_requests_total            by method, route and code
//	http_request_duration_seconds  by method and route, to the end of the body
//	http_response_bytes_total      by method and route
//	http_requests_in_flight
//
// The code is 500 for a failure that the server answers, and 499 when the client had
// left before there was any. It does nothing to status, headers or body, and the server
// still gets a list, or a file, as such. It is put outside of what answers in the place
// of the application. New panics when the metrics are registered already.
//
// Security: a label is no path and no word of a client's: methods that are not
// standard count as "other". Who may see the metrics is for whoever serves them to say.
func New(c Config) wsgi.Middleware {
	if c.Registry == nil {
		c.Registry = prometheus.DefaultRegisterer
	}
	if c.Route == nil {
		c.Route = func(environ *wsgi.Environ) string { return environ.Var("SCRIPT_NAME") }
	}
	if c.Buckets == nil {
		c.Buckets = prometheus.DefBuckets
	}
	m := &metrics{
		route:    c.Route,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: c.Namespace, Name: "http_requests_total", Help: "Requests that are over."}, []string{"method", "route", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: c.Namespace, Name: "http_request_duration_seconds", Help: "Time from the call of the application to the end of its body.", Buckets: c.Buckets}, []string{"method", "route"}),
		bytes:    prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: c.Namespace, Name: "http_response_bytes_total", Help: "Bytes of bodies that the server has taken."}, []string{"method", "route"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: c.Namespace, Name: "http_requests_in_flight", Help: "Requests that are not over yet."}),
	}
	c.Registry.MustRegister(m.requests, m.duration, m.bytes, m.inFlight)
	return middleware.Observe(middleware.ObserveConfig{Start: m.start, Finish: m.finish})
}

type metrics struct {
	route    func(environ *wsgi.Environ) string
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	bytes    *prometheus.CounterVec
	inFlight prometheus.Gauge
}

// labels are what is known when a request comes.
type labels struct{ method, route string }

func (m *metrics) start(o *middleware.Observation) {
	o.Value = labels{method(o.Environ.Var("REQUEST_METHOD")), m.route(o.Environ)}
	m.inFlight.Inc()
}

func (m *metrics) finish(o *middleware.Observation) {
	m.inFlight.Dec()
	l, ok := o.Value.(labels)
	if !ok { // the route panicked
		return
	}
	m.requests.WithLabelValues(l.method, l.route, code(o)).Inc()
	m.duration.WithLabelValues(l.method, l.route).Observe(time.Since(o.Began).Seconds())
	m.bytes.WithLabelValues(l.method, l.route).Add(float64(o.Bytes))
}

// method is a standard method, or "other".
func method(name string) string {
	switch name {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE":
		return name
	}
	return "other"
}

// code is the status that the client got, and nginx's for one that had left.
func code(o *middleware.Observation) string {
	if code := o.Code(); code != 0 {
		return strconv.Itoa(code)
	}
	return "499"
}
