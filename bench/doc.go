// Package bench measures what the contract costs: the same answers from a raw
// net/http handler and from WSGI applications, by turns in one run. It has
// tests and benchmarks only; README.md says what each figure means.
package bench
