package conformance_test

import (
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// collector keeps what a Linter reports.
type collector struct {
	mu       sync.Mutex
	findings []conformance.Finding
}

func (c *collector) linter() *conformance.Linter {
	return &conformance.Linter{Report: func(f conformance.Finding) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.findings = append(c.findings, f)
	}}
}

// rules returns the ids of the findings, sorted.
func (c *collector) rules() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var ids []string
	for _, f := range c.findings {
		ids = append(ids, f.Rule.ID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (c *collector) String() string {
	var b strings.Builder
	for _, f := range c.findings {
		b.WriteString("\n" + f.Error())
	}
	return b.String()
}

// each iterates over the mutants of each side.
func each(sides map[string][]mutant) iter.Seq2[string, mutant] {
	return func(yield func(string, mutant) bool) {
		for side, mutants := range sides {
			for _, m := range mutants {
				if !yield(side, m) {
					return
				}
			}
		}
	}
}

// TestMutants runs subjects that each break one rule, and expects a finding
// about that rule and no other. Every rule that the lint checks has one.
func TestMutants(t *testing.T) {
	sides := map[string][]mutant{
		"server":      serverMutants(),
		"application": slices.Concat(applicationMutants(), middlewareMutants()),
	}
	linted := map[string]bool{}
	for _, r := range conformance.Rules() {
		if slices.Contains(r.Checks, "lint") {
			linted[r.ID] = false
		}
	}
	total, killed, falsely := 0, 0, 0
	for side, m := range each(sides) {
		total++
		t.Run(m.rule+"/"+m.name, func(t *testing.T) {
			if _, ok := linted[m.rule]; !ok {
				t.Errorf("the table does not say that %s is checked by lint", m.rule)
			}
			linted[m.rule] = true
			var c collector
			l := c.linter()
			m.run(l)
			l.Close()
			got := c.rules()
			if slices.Contains(got, m.rule) {
				killed++
			}
			for _, rule := range got {
				if rule != m.rule {
					falsely++
				}
			}
			if diff := cmp.Diff([]string{m.rule}, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s%s", diff, c.String())
			}
			if !slices.ContainsFunc(c.findings, func(f conformance.Finding) bool { return f.Side == side }) {
				t.Errorf("no finding blames the %s:%s", side, c.String())
			}
			for _, f := range c.findings {
				if f.Detail == "" || f.Where == "" || f.Request == "" || f.Side != "server" && f.Side != "application" || strings.Contains(f.Error(), "%!") {
					t.Errorf("incomplete finding %+v", f)
				}
			}
		})
	}
	for id, done := range linted {
		if !done {
			t.Errorf("%s has no mutant", id)
		}
	}
	conformance.Fared("lint", len(linted), total, killed, falsely)
}

// TestToldOnce expects the innermost observer alone to tell what everybody
// passes on, and the outermost alone what comes from the server.
func TestToldOnce(t *testing.T) {
	var c collector
	l := c.linter()
	environ := get().Environ()
	environ.Set("SERVER_PORT", "http")
	pass := func(app wsgi.Application) wsgi.Application {
		return l.Lint(wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) { return app.Call(e, start) }))
	}
	b := serve(pass(pass(l.Lint(started("200 OK", nil, yields("x"))))), environ)
	drain(b)
	b.Close()
	if len(c.findings) != 2 {
		t.Errorf("%d findings, expected 2:%s", len(c.findings), c.String())
	}
}

// TestTriedInTurn shares an environ between two applications, of which the
// second answers what the first does not.
func TestTriedInTurn(t *testing.T) {
	var c collector
	l := c.linter()
	none := l.Lint(wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return nil, errBroken }))
	some := l.Lint(good)
	res := wsgitest.Record(wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if body, err := none.Call(e, start); err == nil {
			return body, nil
		}
		return some.Call(e, start)
	}), get())
	if res.Code != 200 || len(c.findings) > 0 {
		t.Errorf("got %s, findings:%s", res.Status, c.String())
	}
}
