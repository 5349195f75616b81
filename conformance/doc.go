// Package conformance has the rules of the contract as data, and what checks
// that servers, applications and middleware keep them.
//
// [Rules] is the catalogue: PEP 3333 in numbered rules. Errors of this module,
// and everything that this package finds, name a rule by its id.
package conformance

//go:generate go run ../internal/requirements/page ../doc/rules.md
