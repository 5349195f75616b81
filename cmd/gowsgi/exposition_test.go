package main

import "testing"

// TestExposition writes what the page of serve has no example of.
func TestExposition(t *testing.T) {
	e := new(exposition)
	e.family("a_total", "counter", "Things.")
	e.sample(1e9)
	e.sample(0.25, "path", "a\\b\"c\nd", "n", "")
	e.part("_sum", 12345678.5)
	const want = `# HELP a_total Things.
# TYPE a_total counter
a_total 1e+09
a_total{path="a\\b\"c\nd",n=""} 0.25
a_total_sum 1.23456785e+07
`
	if got := e.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
