package conformance

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"
)

// printedBy returns what a server with that log prints: each whole line, as line
// makes it, "" for one that it does not print.
func printedBy(log func() []byte, line func(string) string) func() []byte {
	return func() []byte {
		var out []byte
		for text := range bytes.Lines(log()) {
			if bytes.HasSuffix(text, []byte("\n")) {
				out = append(out, line(string(text))...)
			}
		}
		return out
	}
}

// printing serves with faults, and has the suite see of the log what print makes of it.
func printing(t *testing.T, faults serverFaults, print func(log func() []byte) func() []byte) *serverSubject {
	d := newDispatcher()
	s := &mutantServer{serverFaults: faults}
	network, addr := s.serve(t, d)
	subject := s.subject(d, network, addr)
	subject.log, subject.printed = print(s.log.Bytes), true
	return subject
}

// without makes printedBy leave out lines that contain one of the texts.
func without(texts ...string) func(string) string {
	return func(line string) string {
		for _, text := range texts {
			if strings.Contains(line, text) {
				return ""
			}
		}
		return line
	}
}

// TestPrinted gives the suite what a server prints, which is not all that it
// logs. A server is accused of what it is seen to do, and of nothing else.
func TestPrinted(t *testing.T) {
	const rules = "LOG-13 LOG-15 ERR-07 ERR-15 BODY-14"
	all := func(line string) string { return line }
	python := func(line string) string { // as Python has it, with the file between
		return strings.Replace(line, "(most recent call last): ", "(most recent call last):\n  File \"server.py\", line 1, in run\nOSError: ", 1)
	}
	block := func(log func() []byte) func() []byte { // a buffer that is printed when it is full
		return func() []byte { b := log(); return b[:len(b)/4096*4096] }
	}
	for _, test := range []struct {
		name         string
		faults       serverFaults
		line         func(string) string
		broken, left string // rules
		reason       string // of each that is left
	}{
		{"sound", serverFaults{}, all, "", "", ""},
		{"prints nothing", serverFaults{}, func(string) string { return "" }, "", rules, "elsewhere"},
		{"prints wsgi.errors alone", serverFaults{}, without("on purpose"), "", "ERR-07 ERR-15 BODY-14", "the text of no error"},
		{"prints errors alone", serverFaults{}, func(line string) string {
			if strings.HasPrefix(line, "conformance-") {
				return ""
			}
			return line
		}, "", "LOG-13 LOG-15", "logs elsewhere"},
		{"prints no panics", serverFaults{}, without("panic"), "ERR-07", "", ""},
		{"prints no errors of Close", serverFaults{}, without("close: "), "BODY-14", "", ""},
		{"prints the trace of a client that leaves", serverFaults{logsLeavers: true}, python, "ERR-15", "", ""},
		{"prints another trace when a client leaves", serverFaults{logsLeavers: true}, func(line string) string {
			if strings.HasPrefix(line, "Traceback") {
				return "Traceback (most recent call last):\n  File \"server.py\", line 1, in run\nKeyError: 'x'\nBroken pipe\n"
			}
			return line
		}, "", "", ""},
		{"tears lines", serverFaults{tearsLines: true}, all, "LOG-13", "", ""},
		{"tears lines between processes", serverFaults{tearsLines: true, spoil: set("wsgi.multiprocess", true).spoil}, all, "", "LOG-13", "multiprocess"},
		{"loses lines", serverFaults{}, without("-7-ccc"), "", "LOG-13", "none of the others is torn"},
		{"cuts lines", serverFaults{}, func(line string) string {
			if len(line) > 80 {
				return line[:80] + "\n"
			}
			return line
		}, "", "LOG-13", "none of the others is torn"},
		{"one request at a time", serverFaults{mode: single}, all, "", "LOG-13", "wsgi.multithread is false"},
		{"joins lines", serverFaults{joinsLogLines: true}, all, "LOG-15", "", ""},
		{"records of one line", serverFaults{joinsLogLines: true}, func(line string) string { return strings.ReplaceAll(line, "- conf", `-\nconf`) }, "", "LOG-15", "log of records"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			subject := printing(t, test.faults, func(log func() []byte) func() []byte { return printedBy(log, test.line) })
			judgePrinted(t, subject, strings.Fields(rules), test.broken, test.left, test.reason)
		})
	}
	t.Run("the first errors alone", func(t *testing.T) {
		t.Parallel()
		subject := printing(t, serverFaults{}, func(log func() []byte) func() []byte {
			return func() []byte {
				errors := 0
				return printedBy(log, func(line string) string {
					if errors++; errors > 2 {
						return ""
					}
					return line
				})()
			}
		})
		judgePrinted(t, subject, []string{"ERR-07"}, "", "ERR-07", "does so late")
	})
	t.Run("in blocks", func(t *testing.T) {
		t.Parallel()
		subject := printing(t, serverFaults{}, block)
		judgePrinted(t, subject, strings.Fields(rules), "", rules, "")
	})
}

// TestPrintedWriteLines accuses WriteLines of nothing that Write does too.
func TestPrintedWriteLines(t *testing.T) {
	i := slices.IndexFunc(serverLogProbes, func(p probe[*serverSubject]) bool { return p.name == "writelines adds nothing" })
	for _, test := range []struct {
		name   string
		faults serverFaults
		line   func(string) string
		want   string
	}{
		{"sound", serverFaults{}, without(), "kept"},
		{"adds newlines", serverFaults{addsNewlines: true}, without(), "broken"},
		{"prints nothing", serverFaults{addsNewlines: true}, func(string) string { return "" }, "left"},
		{"a record for each write", serverFaults{}, func(line string) string { return strings.ReplaceAll(line, "-conf", "-\nconf") }, "left"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			subject := printing(t, test.faults, func(log func() []byte) func() []byte { return printedBy(log, test.line) })
			if got, text := judgeOnce(serverLogProbes[i], subject, 2*time.Second); got != test.want {
				t.Errorf("it is %s: %q, want it to be %s", got, text, test.want)
			}
		})
	}
}

// judgePrinted runs the probes of the rules, and compares what they say. What is
// not as expected is looked at again with all patience.
func judgePrinted(t *testing.T, subject *serverSubject, rules []string, broken, left, reason string) {
	t.Helper()
	for _, p := range serverGoProbes() {
		if !slices.Contains(rules, p.rule) || p.rule == "BODY-14" && p.name != "an error of Close is logged" {
			continue
		}
		want := "kept"
		switch {
		case strings.Contains(broken, p.rule):
			want = "broken"
		case strings.Contains(left, p.rule):
			want = "left"
		}
		got, text := judgeOnce(p, subject, mutantPatience)
		if got != want {
			got, text = judgeOnce(p, subject, defaultPatience)
		}
		if got != want || got == "left" && !strings.Contains(text, reason) {
			t.Errorf("%s is %s: %q, want it to be %s: %q", p.rule, got, text, want, reason)
		}
	}
}

func judgeOnce(p probe[*serverSubject], subject *serverSubject, patience time.Duration) (got, text string) {
	switch r := p.try(context.Background(), subject, patience); {
	case len(r.faults) > 0:
		return "broken", strings.Join(r.faults, "\n")
	case r.skipped != "":
		return "left", r.skipped
	}
	return "kept", ""
}

func TestTraceOfLeaver(t *testing.T) {
	const frame = "  File \"/usr/lib/server.py\", line 7, in send\n    self.sock.send(data)\n    ^^^^^^^^\n"
	for _, test := range []struct {
		name, log string
		want      bool
	}{
		{"none", "INFO: Client disconnected while serving /probe-1\n", false},
		{"a broken pipe", "Traceback (most recent call last):\n" + frame + "BrokenPipeError: [Errno 32] Broken pipe\n", true},
		{"one of two", "Traceback (most recent call last):\n" + frame + "ConnectionResetError: [Errno 104] Connection reset by peer\n\n" +
			"During handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n" + frame + "ValueError: no\n", true},
		{"another error, and a line behind it", "Traceback (most recent call last):\n" + frame + "ValueError: no\nwrite: Broken pipe\n", false},
		{"the words in a frame", "Traceback (most recent call last):\n  File \"x.py\", line 7, in send\n    raise ConnectionReset\nValueError: no\n", false},
		{"of the probe's own connection", "Traceback (most recent call last):\n  File \"/tmp/gowsgi_wire.py\", line 7, in send\n    self.sock.send(data)\nBrokenPipeError: [Errno 32] Broken pipe\n", false},
		{"behind a time", "[1 error] Traceback (most recent call last):\n[2 error]   File \"x.py\", line 7, in send\n[3 error] OSError: client connection closed\n", true},
		{"behind a time, another error", "[1 error] Traceback (most recent call last):\n[2 error]   File \"x.py\", line 7, in send\n[3 error] ValueError: no\n[4 error] Broken pipe\n", false},
		{"no end", "Traceback (most recent call last):\n" + frame, false},
		{"Go", "http: panic serving 127.0.0.1:9: write tcp: broken pipe\ngoroutine 7 [running]:\nmain.main()\n", true},
		{"Go, another panic", "http: panic serving 127.0.0.1:9: on purpose\ngoroutine 7 [running]:\nmain.main()\n", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := traceOfLeaver(test.log); (got != "") != test.want {
				t.Errorf("got the trace %q, want one: %v", got, test.want)
			}
		})
	}
}

func TestTorn(t *testing.T) {
	p := tearing{"conformance-1-2-"}
	one, two := p.payload(0, 7), p.payload(3, 11)
	for _, test := range []struct {
		name, log string
		want      bool
	}{
		{"whole", one + "\n" + two + "\n", false},
		{"whole, with more on the lines", "[1] " + one + " x\n[2] " + two + one + "\n", false},
		{"one in the other", one[:40] + two + "\n" + one[40:] + "\n", true},
		{"one in the other, behind a time", "[1] " + one[:40] + "[2] " + two + "\n" + one[40:] + "\n", true},
		{"in its number", one[:18] + two + "\n" + one[18:] + "\n", true},
		{"the end of another", one[:40] + two[90:] + "\n", true},
		{"the middle of another", one[:40] + two[50:70] + "\n", true},
		{"something else within", one[:40] + "127.0.0.1 GET /bbeef 200\n" + one[40:] + "\n", false},
		{"letters that may be anything", one[:40] + "dd 127.0.0.1\n", false},
		{"cut", one[:40] + "\n" + two + "\n", false},
		{"not yet whole", two + "\n" + one[:40], false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := p.torn(test.log); (got != "") != test.want {
				t.Errorf("got the torn line %q, want one: %v", got, test.want)
			}
		})
	}
}
