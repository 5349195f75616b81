package conformance

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// undecided returns the rules of which the probes say nothing, each with the
// first reason.
func undecided[S any](t *testing.T, subject S, probes []probe[S], rules []string) map[string]string {
	t.Helper()
	found := newCollected()
	for _, p := range probes {
		if slices.Contains(rules, p.rule) {
			found.add(Suite{}, p.rule, p.name, p.try(context.Background(), subject, 2*time.Second))
		}
	}
	reasons := make(map[string]string)
	for rule, one := range found {
		if one.status == Skip {
			reasons[rule] = strings.Join(one.skipped, "\n")
		} else {
			t.Errorf("%s is %s, expected it not to be looked at: %s", rule, one.status, strings.Join(one.faults, "\n"))
		}
	}
	return reasons
}

// TestUndecidedServer checks that a server is said to keep no rule that could
// not be looked at: what it does not have, and what cannot be seen because it
// breaks another rule before.
func TestUndecidedServer(t *testing.T) {
	never := func(*mutantExchange) bool { return true }
	for _, test := range []struct {
		name, rules, reason string
		faults              serverFaults
	}{
		{"no wsgi.file_wrapper", "FILE-05 FILE-06 FILE-08 FILE-11 FILE-12 FILE-14 FILE-16", "offers no wsgi.file_wrapper", set("wsgi.file_wrapper", nil)},
		{"no wrapper, and a body for HEAD", "FILE-16", "offers no wsgi.file_wrapper", serverFaults{headBody: true, spoil: set("wsgi.file_wrapper", nil).spoil}},
		{"a body for HEAD", "FILE-16", "HTTP-15's affair", serverFaults{headBody: true}},
		{"no wsgi.input_terminated", "COM-01", "does not set wsgi.input_terminated to true", set("wsgi.input_terminated", nil)},
		{"no address of the client", "COM-13", "neither of them", set("REMOTE_ADDR", nil, "REMOTE_PORT", nil)},
		{"no port", "CGI-22", "CGI-08's affair", set("SERVER_PORT", nil)},
		{"no close", "SRV-03 BODY-11 ERR-15", "affair", serverFaults{noClose: never}},
		{"no write", "LEN-03 WRITE-03 WRITE-04 WRITE-07 WRITE-09 WRITE-10 WRITE-11 WRITE-12 START-28", "START-02's affair", serverFaults{nilWrite: true}},
		{"exc_info is taken after output", "START-15", "START-14's affair", serverFaults{lateIsFine: true}},
		{"claims threads, and has none", "ENV-18", "one came into the application after the other", serverFaults{mode: single, spoil: set("wsgi.multithread", true).spoil}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDispatcher()
			s := &mutantServer{serverFaults: test.faults}
			network, addr := s.serve(t, d)
			rules := strings.Fields(test.rules)
			reasons := undecided(t, s.subject(d, network, addr), serverGoProbes(), rules)
			for _, rule := range rules {
				if !strings.Contains(reasons[rule], test.reason) {
					t.Errorf("%s is not looked at because %q, expected %q", rule, reasons[rule], test.reason)
				}
			}
		})
	}
}

// TestEveryFaultOfAHead checks that one fault of a head does not hide another.
func TestEveryFaultOfAHead(t *testing.T) {
	var app wsgi.AppFunc = func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		_, err := start("200", fields("Content-Type", "text/plain", "X Y", "z", "Connection", "close", "X-Y", "a\nb",
			"Content-Length", "5", "Content-Length", "5"), nil)
		return wsgi.Strings("hello"), err
	}
	j := judge[wsgi.Application](app, applicationProbes, defaultPatience, "")
	for _, rule := range []string{"HDR-01", "HDR-09", "HDR-11", "HDR-13", "LEN-11"} {
		if j.broken[rule] == "" {
			t.Errorf("%s is not found to be broken", rule)
		}
	}
}

// TestUndecidedMiddleware is the same of a middleware that never calls the
// application: its own response is judged, and nothing else.
func TestUndecidedMiddleware(t *testing.T) {
	var rules []string
	for _, p := range middlewareProbes {
		if !slices.Contains([]string{"MW-01", "MW-02", "MW-11", "MW-16"}, p.rule) {
			rules = append(rules, p.rule)
		}
	}
	var m wsgi.Middleware = func(wsgi.Application) wsgi.Application { return wsgi.Response{Status: "403 Forbidden"} }
	for rule, reason := range undecided(t, m, middlewareProbes, rules) {
		if !strings.Contains(reason, "MW-02's affair") {
			t.Errorf("%s is not looked at because %q", rule, reason)
		}
	}
}

// TestUndecidedApplication is the same of applications that show nothing of
// what the rules are about.
func TestUndecidedApplication(t *testing.T) {
	const heads = "HDR-01 HDR-02 HDR-03 HDR-04 HDR-05 HDR-09 HDR-10 HDR-11 HDR-13 HDR-19 HDR-23 LEN-10 LEN-11 START-16 START-17 START-19 HDR-20 HDR-24"
	for _, test := range []struct {
		name, rules string
		app         wsgi.AppFunc
	}{
		{"fails always", heads, func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return nil, errors.New("no database") }},
		{"has no body", "HDR-20 HDR-24 INPUT-05", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("204 No Content", nil, nil)
			return blocksOf(), err
		}},
		{"has no Len", "BODY-07", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("200 OK", plainText(), nil)
			return blocksOf("hello"), err
		}},
		{"traps refusals", "START-17", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", plainText(), nil)
			return blocksOf("hello"), nil
		}},
		{"is written in Go", "INPUT-08", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("200 OK", plainText(), nil)
			return blocksOf("hello"), err
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			rules := strings.Fields(test.rules)
			if reasons := undecided[wsgi.Application](t, test.app, applicationProbes, rules); len(reasons) != len(rules) {
				t.Errorf("of %q only %q are not looked at", rules, reasons)
			}
		})
	}
}
