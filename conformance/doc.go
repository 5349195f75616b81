// Package conformance has the rules of the contract as data, and what checks
// that servers, applications and middleware keep them.
//
// [Rules] is the catalogue: PEP 3333 in numbered rules. Errors of this module,
// and everything that this package finds, name a rule by its id.
//
// [TestServer], [TestApplication] and [TestMiddleware] are suites for go test:
// each puts probes around its subject, and every rule is a subtest named by its
// id. Three lines check a middleware:
//
//	func TestMine(t *testing.T) {
//		conformance.TestMiddleware(t, mine.Middleware)
//	}
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
