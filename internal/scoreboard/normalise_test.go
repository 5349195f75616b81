package main

import (
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/conformance"
)

func TestNormalise(t *testing.T) {
	n := makeNormaliser("box7", "/src/gowsgi", "/tmp", "/home/somebody")
	for _, test := range []struct{ name, evidence, want string }{
		{"nothing", `expected "ab", got "HTTP/1.1 200 OK"`, `expected "ab", got "HTTP/1.1 200 OK"`},
		{"address", `dial tcp 127.0.0.1:40123: refused`, `dial tcp 127.0.0.1:PORT: refused`},
		{"port of an address alone", "asked 127.0.0.1:40123\ngot SERVER_PORT \"40123\"", "asked 127.0.0.1:PORT\ngot SERVER_PORT \"PORT\""},
		{"variable", `expected SERVER_PORT = "40123", got REMOTE_PORT=51999`, `expected SERVER_PORT = "PORT", got REMOTE_PORT=PORT`},
		{"length", `Content-Length: 40123`, `Content-Length: 40123`},
		{"date", `"Date: Thu, 26 Nov 2026 11:45:27 GMT\r\nServer: x"`, `"Date: DATE\r\nServer: x"`},
		{"date of a probe", `"Date: Thu, 01 Jan 1970 00:00:00 GMT"`, `"Date: Thu, 01 Jan 1970 00:00:00 GMT"`},
		{"logs", "[2026-11-26 11:45:27 +0000] [811] x\n127.0.0.1 - - [26/Nov/2026 11:45:27] pid: 811", "[TIME] [811] x\n127.0.0.1 - - [TIME] pid: PID"},
		{"host", `SERVER_NAME "box7.lan.example", box7, mybox7`, `SERVER_NAME "HOST", HOST, mybox7`},
		{"folders", `"/tmp/gowsgi-12345/probe.py", /home/somebody/x, /src/gowsgi/wsgi/x.go:12 +0x5e`, `"TMP/probe.py", ~/x, wsgi/x.go:12`},
		{"address in memory", `<Body object at 0x7f00a1b2c3d4>, 0xff`, `<Body object at 0xADDRESS>, 0xff`},
		{"probes", "GET /probe-12/x HTTP/1.1, /probes-1", "GET /probe/x HTTP/1.1, /probes-1"},
		{"log of uWSGI", "[pid: 7|app: 0|req: 436/437] 127.0.0.1 () [Thu Nov  6 12:54:10 2026] GET /x => generated 0 bytes in 12 msecs",
			"[pid: PID|app: 0|req: N/N] 127.0.0.1 () [TIME] GET /x => generated 0 bytes in SOME msecs"},
		{"module of mod_wsgi", "_mod_wsgi_fc1e5158d749c9d69d6f5b32267dac66.ProbeError", "_mod_wsgi_HASH.ProbeError"},
		{"connections", "(57 connections before these are left out)\nconnection 58:\nsent:", "(the connections before these are left out)\nconnection N:\nsent:"},
		{"durations", `after 5.003s, within 100ms and 5s`, `after SOMEs, within 100ms and 5s`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := n.text(test.evidence); got != test.want {
				t.Errorf("the evidence is\n%s\nwant\n%s", got, test.want)
			}
			if again := n.text(n.text(test.evidence)); again != test.want {
				t.Errorf("the evidence of evidence is\n%s\nwant it to stay", again)
			}
		})
	}
}

// TestNormaliseHost is about a machine that is called by a word.
func TestNormaliseHost(t *testing.T) {
	n := makeNormaliser("server", "", "", "")
	got := n.text(`expected the server to set SERVER_NAME = "Server.example", got SERVER_NAME "server"`)
	if want := `expected the server to set SERVER_NAME = "HOST", got SERVER_NAME "HOST"`; got != want {
		t.Errorf("the evidence is %s, want %s", got, want)
	}
}

func TestNormaliseShortens(t *testing.T) {
	n := makeNormaliser("", "", "", "")
	in := conformance.Report{Results: []conformance.Result{{Evidence: strings.Repeat("a line\n", 10_000)}, {Evidence: strings.Repeat("é", 10_000)}}}
	for i, result := range n.report(in).Results {
		if len(result.Evidence) > mostEvidence+100 || !strings.HasSuffix(result.Evidence, "leaves out") {
			t.Errorf("the evidence has %d bytes and ends in %q", len(result.Evidence), result.Evidence[len(result.Evidence)-20:])
		}
		if len(in.Results[i].Evidence) < 20_000 {
			t.Error("the report that was given has changed")
		}
	}
}
