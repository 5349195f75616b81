package conformance

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/gowsgi/gowsgi/internal/requirements"
	"github.com/gowsgi/gowsgi/wsgi"
)

// CheckServer is TestServer for programs: it looks at a server and reports
// what it found, rule by rule.
//
// start runs the server with the given application at the root of its paths,
// and returns where it listens, as for net.Dial, or for what s.Protocol says.
// It is called once. The server keeps running when CheckServer returns;
// whoever started it stops it. The error is that of start, or of the choices in
// s, or ctx's when it ended before the suite did; the report then has what was
// found by then.
func (s Suite) CheckServer(ctx context.Context, start func(app wsgi.Application) (network, addr string, err error)) (Report, error) {
	if err := s.check(); err != nil {
		return Report{}, err
	}
	d := newDispatcher()
	network, addr, err := start(d)
	if err != nil {
		return Report{}, err
	}
	subject, closeFront, err := s.reach(d, network, addr)
	if err != nil {
		return Report{}, err
	}
	defer closeFront()
	return checkProbes(ctx, s, subject, serverProbes(), "server")
}

// CheckApplication is TestApplication for programs. Its error is that of the
// choices in s, or ctx's.
func (s Suite) CheckApplication(ctx context.Context, app wsgi.Application) (Report, error) {
	return checkProbes(ctx, s, app, slices.Concat(applicationProbes, applicationPythonProbes), "app")
}

// CheckMiddleware is TestMiddleware for programs. Its error is that of the
// choices in s, or ctx's.
func (s Suite) CheckMiddleware(ctx context.Context, m wsgi.Middleware) (Report, error) {
	return checkProbes(ctx, s, m, middlewareProbes, "mw")
}

// checkProbes runs the probes that s selects on subject, which is of the given
// party.
func checkProbes[S any](ctx context.Context, s Suite, subject S, probes []probe[S], party string) (Report, error) {
	if err := s.check(); err != nil {
		return Report{}, err
	}
	found := newCollected()
	h := hearing{patience: s.patience()}
	for _, p := range chosen(s, probes) {
		if ctx.Err() != nil {
			break
		}
		s.progress(p.rule, p.name)
		found.add(s, p.rule, p.name, hear(ctx, &h, p, subject))
	}
	return Report{Results: found.results(s, party)}, ctx.Err()
}

// progress calls Progress.
func (s Suite) progress(rule, name string) {
	if s.Progress != nil {
		s.Progress(rule, name)
	}
}

// runProbes runs the probes that s selects as subtests of their names.
func runProbes[S any](t *testing.T, s Suite, subject S, probes []probe[S]) {
	t.Helper()
	if err := s.check(); err != nil {
		t.Fatal(err)
	}
	h := hearing{patience: s.patience()}
	for _, p := range chosen(s, probes) {
		s.progress(p.rule, p.name)
		t.Run(p.String(), func(t *testing.T) {
			t.Helper()
			r := hear(t.Context(), &h, p, subject)
			s.report(t, p.rule, r)
			if len(r.faults) == 0 && r.skipped != "" {
				t.Skip(r.skipped)
			}
		})
	}
}

// report tells t what a probe found: the rule, what was expected, what came,
// and what proves it.
func (s Suite) report(t testing.TB, rule string, r result) {
	t.Helper()
	if r.once != "" {
		t.Log("It did not happen again, and is no fault for this suite:\n" + indent(r.once, "  "))
	}
	if len(r.faults) == 0 {
		return
	}
	row, _ := requirements.ByID(rule)
	text := fmt.Sprintf("%s (%s): %s\n%s", rule, row.Level, row.Text, indent(r.proof, "  "))
	if s.Lenient && s.status(row, r) != Fail {
		t.Log(text)
		return
	}
	t.Error(text)
}
