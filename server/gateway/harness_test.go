package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
)

// A recording is what happened during one request, in order: on the wire
// ("head 200 OK; Name: value", "block text", "end"), and whatever the probe
// application notes, such as "close".
type recording struct {
	mu     sync.Mutex
	events []string
}

func (r *recording) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, fmt.Sprintf(format, args...))
}

func (r *recording) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.events...)
}

// variables is a Source.
type variables map[string]string

func (v variables) Lookup(key string) (string, bool) {
	value, ok := v[key]
	return value, ok
}

func (v variables) All(yield func(key, value string) bool) {
	for key, value := range v {
		if !yield(key, value) {
			return
		}
	}
}

// A reporter is a slog.Handler that keeps each record as one line: the level,
// the message and the rule.
type reporter struct{ *recording }

func (r reporter) Enabled(context.Context, slog.Level) bool { return true }
func (r reporter) WithAttrs([]slog.Attr) slog.Handler       { return r }
func (r reporter) WithGroup(string) slog.Handler            { return r }

func (r reporter) Handle(_ context.Context, record slog.Record) error {
	line := record.Level.String() + " " + record.Message
	record.Attrs(func(a slog.Attr) bool {
		if a.Key == "rule" {
			line += " (" + a.Value.String() + ")"
		}
		return true
	})
	r.note("%s", line)
	return nil
}

// A probe is what an application under test notes its experiences with.
type probe struct {
	t *testing.T
	*recording
	environ *wsgi.Environ
	input   wsgi.InputStream
}

// rule notes err, which a callable returned: its rule, or its text.
func (p *probe) rule(callable string, err error) {
	var broken *wsgi.ContractError
	switch {
	case err == nil:
		p.note("%s: ok", callable)
	case errors.As(err, &broken):
		p.note("%s: %s", callable, broken.Rule)
	default:
		p.note("%s: %v", callable, err)
	}
}

// body returns a body that yields blocks and notes its Close.
func (p *probe) body(blocks ...string) *probeBody {
	return &probeBody{p: p, blocks: blocks}
}

// steps is a body that also notes when it is asked for a block and when it is
// told to stop.
func (p *probe) steps(blocks ...string) *probeBody {
	return &probeBody{p: p, blocks: blocks, steps: true}
}

// run returns a body that runs blocks and notes its Close.
func (p *probe) run(blocks wsgi.Generator) *probeBody {
	return &probeBody{p: p, run: blocks}
}

type probeBody struct {
	p      *probe
	blocks []string
	steps  bool
	run    wsgi.Generator // in the place of blocks, when not nil
	err    error          // yielded after the blocks
	close  func() error   // called by Close, nil for nothing
}

func (b *probeBody) Blocks(yield func([]byte, error) bool) {
	if b.run != nil {
		b.run(yield)
		return
	}
	for i, block := range b.blocks {
		if b.steps {
			b.p.note("ask %d", i+1)
		}
		if !yield([]byte(block), nil) {
			if b.steps {
				b.p.note("stopped")
			}
			return
		}
	}
	if b.err != nil {
		yield(nil, b.err)
	}
}

func (b *probeBody) Close() error {
	b.p.note("close")
	if b.close != nil {
		return b.close()
	}
	return nil
}

// A sized body announces how many blocks it has.
type sized struct {
	*probeBody
	n int
}

func (s sized) Len() int { return s.n }

// call is the application of a test.
type call func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error)

// A request says how an application is called. Its zero value is GET / over a
// wire that never fails.
type request struct {
	gateway *gateway.Gateway // its Logger is set when that and Errors are nil
	ctx     context.Context
	method  string
	scheme  string
	source  wsgi.Source
	input   io.Reader
	failAt  int    // see wire
	during  func() // see wire
	adorn   func(*wire) gateway.Transport
}

// An outcome is what became of a request.
type outcome struct {
	events  []string
	reports []string
	err     error // of Serve
}

func (r request) serve(t *testing.T, app call) outcome {
	t.Helper()
	record := new(recording)
	p := &probe{t: t, recording: record}
	return r.serveApp(t, record, wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		p.environ, p.input = environ, environ.Input()
		return app(p, start)
	}))
}

func (r request) serveApp(t *testing.T, record *recording, app wsgi.Application) outcome {
	t.Helper()
	reports := new(recording)
	g := r.gateway
	if g == nil {
		g = new(gateway.Gateway)
	}
	if g.Errors == nil && g.Logger == nil {
		g.Logger = slog.New(reporter{reports})
	}
	w := &wire{t: t, recording: record, failAt: r.failAt, during: r.during}
	x := &gateway.Exchange{
		Source: r.source, Transport: w, Method: r.method, Scheme: r.scheme, Input: r.input,
	}
	if r.adorn != nil {
		x.Transport = r.adorn(w)
	}
	if x.Source == nil {
		x.Source = variables{"SCRIPT_NAME": "", "PATH_INFO": "/"}
	}
	if x.Method == "" {
		x.Method = "GET"
	}
	if x.Scheme == "" {
		x.Scheme = "http"
	}
	ctx := r.ctx
	if ctx == nil {
		ctx = context.Background()
	}
	err := g.Serve(ctx, app, x)
	if err != nil && !errors.Is(err, gateway.ErrCut) {
		t.Errorf("Serve returned %v, expected an error that wraps ErrCut", err)
	}
	if ended := w.over == "the end"; ended != (err == nil) {
		t.Errorf("Serve returned %v, but a response is either ended or cut (ended: %t)", err, ended)
	}
	return outcome{record.all(), reports.all(), err}
}

// An exchange is a test of one request: a probe application, and all that
// happens, in order.
type exchange struct {
	name    string // the requirement's id, a slash, and what about it
	request request
	call    call
	want    []string
	reports []string // what the operator is told
}

// Whether Serve returned an error needs no field: serve compares it with the
// presence of "end" in the events.
func (e exchange) run(t *testing.T) {
	got := e.request.serve(t, e.call)
	if diff := cmp.Diff(e.want, got.events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(e.reports, got.reports); diff != "" {
		t.Errorf("reports (-want +got):\n%s", diff)
	}
}

func runExchanges(t *testing.T, exchanges []exchange) {
	for _, e := range exchanges {
		t.Run(e.name, e.run)
	}
}

// answer is the commonest application: it starts the response with the given
// headers and returns the blocks.
func answer(headers wsgi.Headers, blocks ...string) call {
	return func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if _, err := start("200 OK", headers, nil); err != nil {
			return nil, err
		}
		return p.body(blocks...), nil
	}
}

// fields makes a list of headers of names and values in turn.
func fields(pairs ...string) (headers wsgi.Headers) {
	for i := 0; i < len(pairs); i += 2 {
		headers.Add(pairs[i], pairs[i+1])
	}
	return headers
}

// failed is the whole answer to a request whose application failed in time.
var failed = []string{
	"head 500 Internal Server Error; Content-Type: text/plain; charset=utf-8; Content-Length: 26",
	"block 500 Internal Server Error\n",
	"end",
}

// join makes one list of events.
func join(lists ...[]string) (events []string) {
	for _, list := range lists {
		events = append(events, list...)
	}
	return events
}
