// Package conformance has the rules of the contract as data, and what checks
// that servers, applications and middleware keep them.
//
// [Rules] is the catalogue: PEP 3333 in numbered rules. Errors of this module,
// and everything that this package finds, name a rule by its id.
//
// # Suites
//
// [TestServer], [TestApplication] and [TestMiddleware] are suites for go test:
// each puts probes around its subject, and every rule is a subtest named by its
// id. Three lines check a middleware:
//
//	func TestMine(t *testing.T) {
//		conformance.TestMiddleware(t, mine.Middleware)
//	}
//
// A failure names the rule, says what was expected and what came, and shows what
// happened: here of a middleware that returns a wsgi.Generator in the place of
// the body that it was given.
//
//	MW-10 (MUST†): close of the inner iterable is reached through the outer one, exactly once, in every ending.
//	  expected one Close of the application's body after a complete response, got 0
//	  in order:
//	    application: is called
//	    application: start_response("200 OK", Content-Type: text/plain)
//	    middleware: start_response("200 OK", Content-Type: text/plain)
//	    middleware: returns from its call
//	    application: the body is iterated
//	    application: yields "hello"
//	    middleware: yields "HELLO"
//	    application: the iteration ends
//	    server: closes the middleware's body
//
// Of a server it shows what was sent, what was received, and what the
// application did meanwhile. A fault is one that was found twice: the probe is
// run again, with all patience, before it accuses anybody.
//
// The methods of [Suite] of the same names have choices: which rules, how
// strictly, how the server is reached. Its CheckServer, CheckApplication and
// CheckMiddleware are the suites for programs, and return a [Report].
//
// # Lint
//
// [Lint] is an observer between a server, or a middleware, and an application.
// It reports what either side does against the rules while they serve, in a
// test or in production:
//
//	l := conformance.NewLinter(t)
//	res := wsgitest.Do(t, l.Lint(middleware(l.Lint(app))), req)
//
// It costs five to seven microseconds and less than forty small allocations a
// request, as measured by BenchmarkLint, and two passes over each block of a
// body that is not a wsgi.Block: little enough for a server of which one wants
// to know.
package conformance

//go:generate go run ../internal/requirements/page ../doc/rules.md
