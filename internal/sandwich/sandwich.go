// Package sandwich tests middlewares: between two observers, with applications of
// every kind, and on every server of the module. What is the same for those of
// package middleware and those of contrib is here.
package sandwich

import (
	"testing"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// Keeps checks that m keeps the contract with whatever is on both sides of it:
// by the suite, and between two observers while applications of every kind
// answer requests of several kinds.
func Keeps(t *testing.T, m wsgi.Middleware) {
	t.Run("contract", func(t *testing.T) { conformance.TestMiddleware(t, m) })
	t.Run("sandwich", func(t *testing.T) { Sandwich(t, m) })
}

// Sandwich is the second half of Keeps.
func Sandwich(t *testing.T, m wsgi.Middleware) {
	for visit, req := range Visits() {
		req.ExpectErrors = true // for applications that fail; the observers fail the test
		for kind, app := range Kinds(t) {
			t.Run(visit+" "+kind, func(t *testing.T) {
				l := conformance.NewLinter(t)
				wsgitest.Do(t, l.Lint(m(l.Lint(app))), req)
			})
		}
	}
}
