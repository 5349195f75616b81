package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/gowsgi/gowsgi/conformance"
)

// normaliser takes out of evidence what is another one in every run, and what
// tells of the machine: this is the only place that knows of it.
type normaliser struct {
	rules []replacement
}

type replacement struct {
	what *regexp.Regexp
	with string
}

// port finds the addresses that servers and clients of a check have. Their
// numbers stand elsewhere in the evidence too, alone.
var port = regexp.MustCompile(`(?:127\.0\.0\.1|localhost|\[::1\]|0\.0\.0\.0):(\d{4,5})\b`)

// newNormaliser makes a normaliser for this machine.
func newNormaliser() *normaliser {
	host, _ := os.Hostname()
	root, _ := os.Getwd()
	home, _ := os.UserHomeDir()
	return makeNormaliser(host, root, os.TempDir(), home)
}

func makeNormaliser(host, root, temp, home string) *normaliser {
	n := new(normaliser)
	add := func(what, with string) {
		n.rules = append(n.rules, replacement{regexp.MustCompile(what), with})
	}
	literal := func(text string) string { return regexp.QuoteMeta(filepath.ToSlash(text)) }
	if len(root) > 1 {
		add(literal(root)+`/?`, "")
	}
	if len(temp) > 1 {
		add(literal(strings.TrimRight(temp, "/"))+`/[^\s/"'\\:,)]+`, "TMP")
	}
	if len(home) > 1 {
		add(literal(home)+`\b`, "~")
	}
	if len(host) > 1 && host != "localhost" {
		name := `(?:(?i)` + literal(host) + `)(?:\.[A-Za-z0-9.-]*[A-Za-z0-9])?\b`
		add(`\b((?:SERVER_NAME|REMOTE_HOST)[^A-Za-z0-9\n]{1,12})`+name, "${1}HOST")
		if strings.ContainsAny(host, "0123456789-.") { // no word that may stand for itself
			add(`\b`+name, "HOST")
		}
	}
	// An IMF-fixdate of our time, as in a Date header, and the time of a log.
	// Those of last century are from a probe.
	add(`\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) 2\d{3} \d\d:\d\d:\d\d GMT`, "DATE")
	add(`\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?[+-]\d{4}|Z)?`, "TIME")
	add(`\b\d\d/(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)/\d{4}[ :]\d\d:\d\d:\d\d(?: [+-]\d{4})?`, "TIME")
	add(`\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d 2\d{3}`, "TIME")
	add(`(?i)\b(pid)([ :=]+)\d+`, "${1}${2}PID")
	// What uWSGI's log counts, and a name that mod_wsgi makes up.
	add(`\breq: \d+/\d+`, "req: N/N")
	add(`\bin \d+ msecs\b`, "in SOME msecs")
	add(`\b_mod_wsgi_[0-9a-f]{32}\b`, "_mod_wsgi_HASH")
	// The numbers of connections, when a probe makes as many as it can.
	add(`\(\d+ connections before these`, "(the connections before these")
	add(`(?m)^connection \d+:$`, "connection N:")
	// The paths of probes are numbered, as they come.
	add(`/probe-\d+`, "/probe")
	// Addresses in memory and what goes with them in a stack.
	add(`\b0x[0-9a-f]{6,16}\b`, "0xADDRESS")
	add(`\bgoroutine \d+`, "goroutine N")
	add(` \+0x[0-9a-f]+\b`, "")
	// What was measured, not what was waited for: that is a round figure.
	add(`\b\d+\.\d+(ns|µs|ms|s)\b`, "SOME${1}")
	// Variables with the number of a port, which may stand alone. In a bytes
	// literal of Python or Go a quote follows a backslash.
	add(`\b((?:SERVER|REMOTE)_PORT[^0-9\n]{1,12})\d{4,5}\b`, "${1}PORT")
	return n
}

// text returns evidence without what differs from run to run.
func (n *normaliser) text(evidence string) string {
	for _, m := range port.FindAllStringSubmatch(evidence, -1) {
		evidence = regexp.MustCompile(`\b`+m[1]+`\b`).ReplaceAllString(evidence, "PORT")
	}
	for _, r := range n.rules {
		evidence = r.what.ReplaceAllString(evidence, r.with)
	}
	return evidence
}

// mostEvidence is how many bytes of one result's evidence are kept.
const mostEvidence = 4 << 10

// report returns r with evidence that is the same in every run.
func (n *normaliser) report(r conformance.Report) conformance.Report {
	results := make([]conformance.Result, len(r.Results))
	for i, result := range r.Results {
		result.Evidence = shorten(n.text(result.Evidence))
		if result.Status == conformance.Pass {
			result.Evidence = "" // what happened once, and not when it was looked at again
		}
		results[i] = result
	}
	r.Results = results
	return r
}

// shorten keeps whole lines, as far as there is room.
func shorten(evidence string) string {
	if len(evidence) <= mostEvidence {
		return evidence
	}
	kept := evidence[:mostEvidence]
	if end := strings.LastIndexByte(kept, '\n'); end > 0 {
		kept = kept[:end]
	}
	return strings.ToValidUTF8(kept, "") + "\n… and more, which the page leaves out"
}
