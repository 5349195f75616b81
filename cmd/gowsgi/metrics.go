package main

import (
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/gowsgi/gowsgi/adapters/python"
	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
)

// hosted is a Python application.
type hosted struct {
	app      string // the TARGET
	mount    string // the PATH of --mount; "" for the TARGET that is not mounted
	pool     *python.Pool
	failures atomic.Int64 // reloads that failed
}

// bounds of durations, in seconds: those that Prometheus's own clients have.
var bounds = [...]float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// traffic is the requests that came over one protocol.
type traffic struct {
	inFlight atomic.Int64
	codes    [6]atomic.Int64 // by the first digit of the status, from 2 on
	within   [len(bounds) + 1]atomic.Int64
	nanos    atomic.Int64
}

// observed puts a counter of the requests that come over the protocol around app.
func (a *admin) observed(scheme string, app wsgi.Application) wsgi.Application {
	if a == nil {
		return app
	}
	t := new(traffic)
	a.traffic[scheme] = t
	return middleware.Observe(middleware.ObserveConfig{
		Start:  func(*middleware.Observation) { t.inFlight.Add(1) },
		Finish: t.finish,
	})(app)
}

func (t *traffic) finish(o *middleware.Observation) {
	taken := time.Since(o.Began)
	i := 0
	for i < len(bounds) && taken.Seconds() > bounds[i] {
		i++
	}
	t.within[i].Add(1)
	t.nanos.Add(int64(taken))
	t.codes[class(o)].Add(1)
	t.inFlight.Add(-1)
}

// class is the first digit of the status that the client got: 4 for one that has left
// before there was any, as nginx counts them.
func class(o *middleware.Observation) int {
	switch code := o.Code(); {
	case code == 0:
		return 4
	case code >= 200 && code < 600:
		return code / 100
	}
	return 5
}

// metrics is the page for Prometheus.
func (a *admin) metrics() string {
	e := new(exposition)
	e.family("gowsgi_info", "gauge", "Which gowsgi this is.")
	e.sample(1, "version", moduleVersion(), "go", runtime.Version())
	e.family("process_start_time_seconds", "gauge", "When the process began, in seconds since 1970.")
	e.sample(float64(a.began.UnixMilli()) / 1000)
	e.family("gowsgi_ready", "gauge", "Whether /readyz answers with 200.")
	ready := 1.0
	if a.unready() != "" {
		ready = 0
	}
	e.sample(ready)
	if now := a.open.Load(); now != nil {
		a.requests(e, now)
		workers(e, now.pools)
	}
	return e.String()
}

// requests tells of the requests that an application was called for.
func (a *admin) requests(e *exposition, now *opened) {
	e.family("gowsgi_requests_total", "counter", "Requests that are over, by the class of their status.")
	for scheme, t := range sorted(a.traffic) {
		for class := 2; class < len(t.codes); class++ {
			e.sample(float64(t.codes[class].Load()), "protocol", scheme, "code", strconv.Itoa(class)+"xx")
		}
	}
	e.family("gowsgi_request_duration_seconds", "histogram", "Time from the call of the application to the end of the response.")
	for scheme, t := range sorted(a.traffic) {
		n := int64(0)
		for i, bound := range bounds {
			n += t.within[i].Load()
			e.part("_bucket", float64(n), "protocol", scheme, "le", number64(bound))
		}
		n += t.within[len(bounds)].Load()
		e.part("_bucket", float64(n), "protocol", scheme, "le", "+Inf")
		e.part("_sum", time.Duration(t.nanos.Load()).Seconds(), "protocol", scheme)
		e.part("_count", float64(n), "protocol", scheme)
	}
	e.family("gowsgi_requests_refused_total", "counter", "Requests that no application was called for, by their status.")
	for scheme := range sorted(now.servers) {
		for code, n := range sorted(a.refused[scheme].seen()) {
			e.sample(float64(n), "protocol", scheme, "code", code)
		}
	}
	e.family("gowsgi_requests_in_flight", "gauge", "Requests that are not over.")
	for scheme, t := range sorted(a.traffic) {
		e.sample(float64(t.inFlight.Load()), "protocol", scheme)
	}
	e.family("gowsgi_connections", "gauge", "Connections that are open.")
	for scheme, s := range sorted(now.servers) {
		e.sample(float64(s.Connections()), "protocol", scheme)
	}
}

// workers tells of the workers of Python applications.
func workers(e *exposition, pools []*hosted) {
	if len(pools) == 0 {
		return
	}
	for _, m := range []struct {
		name, kind, help string
		of               func(s python.Stats, h *hosted) int64
	}{
		{"gowsgi_workers", "gauge", "Workers that are ready.", func(s python.Stats, _ *hosted) int64 { return int64(s.Workers) }},
		{"gowsgi_worker_threads", "gauge", "Requests that the workers can run at a time.", func(s python.Stats, _ *hosted) int64 { return int64(s.Lanes) }},
		{"gowsgi_worker_threads_busy", "gauge", "Requests that the workers run.", func(s python.Stats, _ *hosted) int64 { return int64(s.Busy) }},
		{"gowsgi_requests_waiting", "gauge", "Requests that wait for a worker.", func(s python.Stats, _ *hosted) int64 { return int64(s.Waiting) }},
		{"gowsgi_worker_requests_total", "counter", "Requests that were given to a worker.", func(s python.Stats, _ *hosted) int64 { return s.Requests }},
		{"gowsgi_worker_requests_lost_total", "counter", "Requests that were lost with their worker.", func(s python.Stats, _ *hosted) int64 { return s.Failed }},
		{"gowsgi_worker_restarts_total", "counter", "Workers that ended although nobody wanted it.", func(s python.Stats, _ *hosted) int64 { return s.Restarts }},
		{"gowsgi_worker_replacements_total", "counter", "Workers that were replaced because of a limit.", func(s python.Stats, _ *hosted) int64 { return s.Recycled }},
		{"gowsgi_reloads_total", "counter", "Reloads of the application.", func(s python.Stats, _ *hosted) int64 { return s.Reloads }},
		{"gowsgi_reload_failures_total", "counter", "Reloads that failed.", func(_ python.Stats, h *hosted) int64 { return h.failures.Load() }},
	} {
		e.family(m.name, m.kind, m.help)
		for _, h := range pools {
			e.sample(float64(m.of(h.pool.Stats(), h)), "app", h.app, "mount", h.mount)
		}
	}
}
