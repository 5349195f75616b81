package conformance

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestProve compares what a reader gets with what happened.
func TestProve(t *testing.T) {
	var p probing
	p.script.begin("in the application").note("nobody sees this")
	x := p.script.begin("in the application")
	w := x.wire()
	w.says("sent", []byte("GET / HTTP/1.1\r\n"))
	w.says("sent", []byte("Host: a\r\n\r\n"))
	w.says("received", []byte("HTTP/1.1 200 \xff\x00\n"+strings.Repeat("x", 200)))
	w.remark("(closed)")
	w.remark("(closed)")
	p.faultf("expected %s", "one")
	p.reading("AMB-03")
	p.faultf("expected two")
	p.reading("")
	start := observed(x, "", func(string, wsgi.Headers, error) (wsgi.Write, error) {
		return func(b []byte) (int, error) { return len(b), nil }, nil
	})
	write, _ := start("200 OK", plainText("X-A", "\r"), errProbe)
	write(make([]byte, 100))
	write(make([]byte, 100))
	write([]byte("\x01"))
	want := `expected one
expected two (PEP 3333 has other readings: see AMB-03)
sent:
  GET / HTTP/1.1\r\n
  Host: a\r\n
  \r\n
received:
  HTTP/1.1 200 \xff\x00\n
  x (200 times)
  (closed)
in the application:
  start_response("200 OK", Content-Type: text/plain, X-A: \r, exc_info)
  write(100 bytes) (2 times)
  write("\x01")`
	if diff := cmp.Diff(want, prove(p.faults)); diff != "" {
		t.Errorf("text differs (-want +got):\n%s", diff)
	}
}

// TestProveBounds sees that nothing makes a message endless.
func TestProveBounds(t *testing.T) {
	var p probing
	for i := range 100 {
		x := p.script.begin("events")
		for j := range 10 {
			w := x.wire()
			for k := range 200 {
				w.says("received", fmt.Appendf(nil, "line %d%s\n", k, strings.Repeat("-y", 300)))
				w.says("sent", []byte("z"))
				x.note("event %d", j*k)
			}
		}
		p.faultf("fault %d", i)
		p.faultf("fault %d again", i)
	}
	got := prove(p.faults)
	if len(got) > 32<<10 {
		t.Errorf("%d bytes, expected a bound", len(got))
	}
	for _, part := range []string{"fault 0\n", "(and 195 faults more)", "(8 connections before these are left out)", "bytes)", "events are left out", "turns are left out"} {
		if !strings.Contains(got, part) {
			t.Errorf("the message lacks %q", part)
		}
	}
}

// TestWireCut sees that what went well is forgotten.
func TestWireCut(t *testing.T) {
	w := new(wire)
	w.says("sent", []byte("a"))
	before := w.length()
	w.says("received", []byte("b"))
	w.cut(before)
	if diff := cmp.Diff("sent:\n  a\n", w.String()); diff != "" {
		t.Errorf("text differs (-want +got):\n%s", diff)
	}
}
