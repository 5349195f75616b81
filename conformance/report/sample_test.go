package report_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/conformance"
)

// sampleSubjects are the reports of samples. They are made up, so that what
// the goldens show is wide and various enough; the scoreboard is what was
// measured.
var sampleSubjects = [][2]string{
	{"keeper", "1.0"}, {"wsgiref", "0.2"}, {"gthread", "26.1.0"}, {"cheroot", "9.0.0"}, {"uwsgi", "2.0.21"},
}

// sampleFaults are the rules that the samples break, and the evidence.
var sampleFaults = map[string]map[string]string{
	"SRV-06": {
		"cheroot": "block without start_response: expected a complete response 500, got nothing and then EOF\n  seen: in the application: called, next, close",
		"uwsgi":   `block without start_response: expected a complete response 500, got "no head at all"`,
	},
	"CGI-23": {
		"wsgiref": `repeated headers: expected HTTP_COOKIE "a=1; b=2", got "a=1,b=2"`,
		"gthread": `repeated headers: expected HTTP_COOKIE "a=1; b=2", got "a=1,b=2"`,
		"cheroot": `repeated headers: expected HTTP_X_FOO "bar, baz", got "baz"` + "\n" + `expected HTTP_COOKIE "a=1; b=2", got "b=2"`,
	},
	"CGI-24": {
		"wsgiref": `underscore in a name: expected HTTP_X_UNDER "true", got "forged,true"`,
		"uwsgi":   `underscore in a name: expected HTTP_X_UNDER "true", got "forged, true"`,
	},
	"INPUT-20": {
		"wsgiref": "read without a body: expected the end of the stream, the read was still waiting after 5s",
	},
	"START-08": {
		"wsgiref": "empty block first: expected nothing on the wire while the application waits behind an empty block, got " + sampleHead,
		"gthread": "empty block first: expected nothing on the wire while the application waits behind an empty block, got " + sampleHead,
	},
	"START-13": {
		"gthread": "replaced headers: expected the headers of the second call only, got " + sampleHead + "\n  seen: in the application: start_response, start_response with exc_info, next, next, close",
		"cheroot": "replaced headers: expected the headers of the second call only, got " + sampleHead,
	},
	"LEN-02": {
		"wsgiref": "stops at the limit: expected no further block to be asked for, the application was asked for 3 more",
		"gthread": "stops at the limit: expected no further block to be asked for, the application was asked for 3 more",
		"cheroot": "stops at the limit: expected no further block to be asked for, the application was asked for 3 more",
		"uwsgi":   "stops at the limit: expected no further block to be asked for, the application was asked for 3 more",
	},
	"BODY-05": {
		"uwsgi": fmt.Sprintf("all bytes: expected %q, got %q", allBytes(), allBytes()[:200]),
	},
	"THR-02": {
		"uwsgi": strings.Repeat("requests do not mix: expected the answer to request-7, got \"request-8\"\n", 16),
	},
	"WRITE-06": {
		"cheroot": "write alone: expected a complete response 200 with body \"written\", got \"HTTP/1.1 200 OK\" with body \"\"",
	},
	"CGI-28": {
		"wsgiref": "absolute target: expected PATH_INFO \"/x\", got \"http://other.test:99/x\" (one reading of PEP 3333: AMB-22)",
		"uwsgi":   "absolute target: expected PATH_INFO \"/x\", got \"http://other.test:99/x\" (one reading of PEP 3333: AMB-22)",
	},
	"HTTP-15": {
		"wsgiref": "HEAD: expected no body, got \"the body\"",
		// What a server sends may be made to harm whoever reads it.
		"uwsgi": "HEAD: got \x1b[2J\x1b]0;owned\a <script>alert(1)</script> | ``` \u202e \xff\x00",
	},
}

const sampleHead = `"HTTP/1.1 200 OK\r\nServer: sample\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: keep-alive\r\nX-Old: stays\r\nContent-Type: text/plain\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"`

func allBytes() string {
	var all []byte
	for i := range 256 {
		all = append(all, byte(i))
	}
	return string(all)
}

// samples returns reports as the checks of servers make them.
func samples() []conformance.Report {
	var reports []conformance.Report
	for _, subject := range sampleSubjects {
		r := conformance.Report{Subject: subject[0], Version: subject[1]}
		for _, rule := range conformance.Rules() {
			if rule.Keyword() == "" || !slices.Contains(rule.Binds, "server") {
				continue
			}
			result := conformance.Result{ID: rule.ID, Level: rule.Level, Status: conformance.Pass}
			evidence, broken := sampleFaults[rule.ID][r.Subject]
			switch {
			case broken:
				result.Status, result.Evidence = conformance.Fail, evidence
				if !strings.HasPrefix(rule.Keyword(), "MUST") || strings.Contains(evidence, "AMB-") {
					result.Status = conformance.Warn
				}
			case !slices.Contains(rule.Checks, "server"):
				result.Status = conformance.Skip
				result.Evidence = "no probe of this suite looks at it; checks: " + strings.Join(rule.Checks, ", ")
			case r.Subject == "wsgiref" && strings.HasPrefix(rule.ID, "EXP-"):
				result.Status, result.Evidence = conformance.Skip, "100 Continue: the server speaks HTTP/1.0"
			}
			r.Results = append(r.Results, result)
		}
		reports = append(reports, r)
	}
	return reports
}

// sample returns the one of samples that has that subject.
func sample(subject string) conformance.Report {
	for _, r := range samples() {
		if r.Subject == subject {
			return r
		}
	}
	panic("no sample " + subject)
}
