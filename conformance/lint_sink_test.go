package conformance_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// twice is an application that breaks START-19.
func twice(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	start("200 OK", plain.Clone(), nil)
	_, err := start("200 OK", plain.Clone(), nil)
	return generator("x"), err
}

func TestLintReportsToErrors(t *testing.T) {
	res := wsgitest.Record(conformance.Lint(wsgi.AppFunc(twice)), wsgitest.NewRequest("GET", "/a%0Ab"))
	for _, want := range []string{
		"gowsgi lint: START-19 (MUST°) broken by the application: ", `[GET /a\nb, `, "conformance_test.twice ", "lint_sink_test.go:",
	} {
		if !strings.Contains(res.Errors, want) {
			t.Errorf("wsgi.errors has %q, expected %q in it", res.Errors, want)
		}
	}
	if n := strings.Count(res.Errors, "\n"); n != 1 {
		t.Errorf("wsgi.errors has %d lines, expected one: %q", n, res.Errors)
	}
}

// TestLintReportsToLog looks at findings that come when wsgi.errors is over.
func TestLintReportsToLog(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	var write wsgi.Write
	app := func(_ *wsgi.Environ, start wsgi.StartResponse) (_ wsgi.Iterable, err error) {
		write, err = start("204 No Content", nil, nil)
		return generator(), err
	}
	wsgitest.Record(conformance.Lint(wsgi.AppFunc(app)), get())
	if _, err := write([]byte("late")); err == nil {
		t.Error("a late write succeeded, expected an error")
	}
	if got := log.String(); !strings.Contains(got, "level=ERROR") || !strings.Contains(got, "rule=SRV-10 side=application") {
		t.Errorf("the log has %q, expected SRV-10", got)
	}
}

// recorder is a testing.TB that fails without failing.
type recorder struct {
	testing.TB
	errors, logs []string
	cleanups     []func()
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Error(args ...any) {
	r.errors = append(r.errors, fmt.Sprint(args...))
}
func (r *recorder) Log(args ...any) { r.logs = append(r.logs, fmt.Sprint(args...)) }

func TestNewLinter(t *testing.T) {
	r := &recorder{TB: t}
	l := conformance.NewLinter(r)
	wsgitest.Record(l.Lint(wsgi.AppFunc(twice)), get())
	warned := started("200 OK", nil, yields("no type"))
	wsgitest.Record(l.Lint(warned), get())
	drain(serve(l.Lint(good), get().Environ()))
	if len(r.errors) != 1 || !strings.Contains(r.errors[0], "START-19") {
		t.Errorf("errors %q, expected START-19", r.errors)
	}
	if len(r.logs) != 1 || !strings.Contains(r.logs[0], "HDR-20 (SHOULD†, warning)") {
		t.Errorf("logs %q, expected a warning of HDR-20", r.logs)
	}
	for _, f := range r.cleanups {
		f()
	}
	if len(r.errors) != 2 || !strings.Contains(r.errors[1], "BODY-08") {
		t.Errorf("errors %q, expected BODY-08 at the end of the test", r.errors)
	}
}

// TestReportPanics lets a finding end the request, which the server survives.
func TestReportPanics(t *testing.T) {
	l := &conformance.Linter{Report: func(f conformance.Finding) { panic(f) }}
	res := wsgitest.Record(l.Lint(wsgi.AppFunc(twice)), get())
	if panicked := res.Panic(); res.Code != 500 || panicked == nil {
		t.Fatalf("got %s and %v, expected 500 and a panic", res.Status, panicked)
	} else if f, ok := panicked.Value.(conformance.Finding); !ok || f.Rule.ID != "START-19" {
		t.Errorf("the panic is %v, expected a finding about START-19", panicked.Value)
	}
}

func TestFindingIsLogged(t *testing.T) {
	var c collector
	wsgitest.Record(c.linter().Lint(wsgi.AppFunc(twice)), get())
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Warn("lint", "finding", c.findings[0])
	if !strings.Contains(log.String(), `"finding":{"rule":"START-19","side":"application","detail":"`) {
		t.Errorf("logged %s", log.String())
	}
}

// TestForgottenIsCollected expects the garbage collector to find a body that
// nobody has closed, without Linter.Close.
func TestForgottenIsCollected(t *testing.T) {
	found := make(chan conformance.Finding, 1)
	l := &conformance.Linter{Report: func(f conformance.Finding) { found <- f }}
	drain(serve(l.Lint(good), get().Environ()))
	timeout := time.After(20 * time.Second)
	for {
		runtime.GC()
		select {
		case f := <-found:
			if f.Rule.ID != "BODY-08" {
				t.Errorf("found %v, expected BODY-08", f)
			}
			l.Close()
			return
		case <-timeout:
			t.Fatal("nothing was found in 20 s")
		default:
			runtime.Gosched()
		}
	}
}

// TestGoexit ends the goroutine from within the application: no finding, and
// nothing is left open.
func TestGoexit(t *testing.T) {
	for _, app := range []wsgi.AppFunc{
		func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { runtime.Goexit(); return nil, nil },
		started("200 OK", plain, func(*wsgi.Environ) wsgi.Iterable {
			return wsgi.Generator(func(func([]byte, error) bool) { runtime.Goexit() })
		}),
	} {
		var c collector
		l := c.linter()
		done := make(chan struct{})
		go func() {
			defer close(done)
			wsgitest.Record(l.Lint(l.Lint(app)), get())
		}()
		<-done
		l.Close()
		if len(c.findings) > 0 {
			t.Errorf("findings, expected none:%s", c.String())
		}
	}
}

// TestConcurrent observes many requests at once, and callables that leak to
// other goroutines.
func TestConcurrent(t *testing.T) {
	l := conformance.NewLinter(t)
	app := l.Lint(l.Lint(writing("a", "b")))
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if res := wsgitest.Record(app, get()); res.Text() != "ab" {
				t.Errorf("got %q", res.Text())
			}
		})
	}
	all.Wait()
}

// discard is a transport that costs nothing.
type discard struct{}

func (discard) Head(int, string, wsgi.Headers) error { return nil }
func (discard) Block([]byte) error                   { return nil }
func (discard) End() error                           { return nil }

type vars map[string]string

func (v vars) Lookup(key string) (string, bool) { s, ok := v[key]; return s, ok }

func (v vars) All(yield func(key, value string) bool) {
	for key, value := range v {
		if !yield(key, value) {
			return
		}
	}
}

// BenchmarkLint serves a request of a browser, with a body of one block and
// with one of three.
func BenchmarkLint(b *testing.B) {
	source := vars{
		"REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/", "QUERY_STRING": "", "SERVER_NAME": "example.com",
		"SERVER_PORT": "443", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "192.0.2.1", "HTTP_HOST": "example.com",
		"HTTP_ACCEPT": "text/html", "HTTP_ACCEPT_LANGUAGE": "en", "HTTP_ACCEPT_ENCODING": "gzip", "HTTP_COOKIE": "a=b",
		"HTTP_USER_AGENT": "Mozilla/5.0", "HTTP_REFERER": "https://example.com/", "HTTP_CACHE_CONTROL": "max-age=0",
	}
	block := started("200 OK", plain, func(*wsgi.Environ) wsgi.Iterable { return wsgi.Strings("hello") })
	for _, bm := range []struct {
		name string
		app  wsgi.Application
	}{
		{"block/without", block},
		{"block/with", conformance.Lint(block)},
		{"stream/without", good},
		{"stream/with", conformance.Lint(good)},
	} {
		b.Run(bm.name, func(b *testing.B) {
			g := gateway.Gateway{Errors: io.Discard}
			b.ReportAllocs()
			for b.Loop() {
				g.Serve(b.Context(), bm.app, &gateway.Exchange{Source: source, Transport: discard{}, Method: "GET", Scheme: "https"})
			}
		})
	}
}
