package conformance

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gowsgi/gowsgi/internal/requirements"
)

// Suite holds the choices of a run of the suites. The zero value is strict,
// looks at everything, and is what TestServer, TestApplication and
// TestMiddleware use.
type Suite struct {
	// Lenient makes a line in the log of what fails a test otherwise, where the
	// rule is a SHOULD or SHOULD NOT, or where PEP 3333 can be read in more
	// than one way: the suite expects the reading that this module chose, and
	// then takes the others for differences and not for faults. What
	// contradicts every reading of a MUST fails. The readings are those of the
	// list of ambiguities in doc/differences.md, AMB-01 and so on; the message
	// names the one.
	//
	// In a Report a SHOULD is never more than Warn; Lenient makes Warn of a
	// fault against one reading too.
	Lenient bool

	// Only selects rules, by id ("BODY-08") or by group ("START"); nothing else
	// is looked at or reported. Empty selects all. A name that is neither is an
	// error.
	Only []string

	// Protocol is what the server under test speaks: "" or "http" for HTTP/1.x
	// in clear, "h2c" for HTTP/2 in clear, or "fastcgi", "scgi", "uwsgi", "cgi".
	// Where it is not HTTP/1.x, the suite puts a front end of its own before
	// the server, and leaves out what is then the front end's affair.
	Protocol string

	// Python tells that the application is called by a Python server, by way
	// of package bridge: rules that Go's types enforce are then looked at, and
	// those that only Go has are left out.
	Python bool

	// TLS, if set, is how connections to the server are made: with TLS, and
	// HTTP/1.x inside of it. It has the roots that vouch for the server.
	TLS *tls.Config

	// SingleThread tells that the server was started in the mode in which it
	// lets one request at a time into the application (THR-01).
	SingleThread bool

	// Log, if set, returns all that the server has logged up to now, by itself
	// and for wsgi.errors: what is not there was not logged. Without Log and
	// Output, rules about the log are left out.
	Log func() []byte

	// Output, if set while Log is not, returns all that the server has printed
	// up to now, for a server of which nobody knows where it logs, such as a
	// command. A rule about the log is then decided where the server is seen to
	// print what the rule is about, and left out where it may log elsewhere, or
	// keep its log in a buffer.
	Output func() []byte

	// Patience bounds each wait for the subject: 5 s when it is zero. A
	// subject that keeps its contract is never waited for so long, and one
	// that keeps the suite waiting again and again is waited for less.
	Patience time.Duration

	// Progress, if set, is called with the rule and the name of each probe
	// before it runs, by the goroutine that runs the suite.
	Progress func(rule, name string)
}

const defaultPatience = 5 * time.Second

func (s Suite) patience() time.Duration {
	if s.Patience <= 0 {
		return defaultPatience
	}
	return s.Patience
}

// selects reports whether Only has rule, by its id or its group.
func (s Suite) selects(rule string) bool {
	group, _, _ := strings.Cut(rule, "-")
	return len(s.Only) == 0 || slices.Contains(s.Only, rule) || slices.Contains(s.Only, group)
}

// check returns an error for the first name in Only that is no rule or group.
func (s Suite) check() error {
	var groups []string
	for _, g := range requirements.Groups() {
		groups = append(groups, g.ID)
	}
	for _, name := range s.Only {
		if _, ok := requirements.ByID(name); !ok && !slices.Contains(groups, name) {
			return fmt.Errorf("conformance: %q is neither a rule, such as START-13, nor a group of rules: %s", name, strings.Join(groups, ", "))
		}
	}
	return nil
}

// chosen returns the probes of the rules that s selects.
func chosen[S any](s Suite, probes []probe[S]) (list []probe[S]) {
	for _, p := range probes {
		if s.selects(p.rule) {
			list = append(list, p)
		}
	}
	return list
}

// status weighs what a probe of row has found.
func (s Suite) status(row requirements.Row, r result) Status {
	switch {
	case len(r.faults) == 0 && r.skipped != "":
		return Skip
	case len(r.faults) == 0:
		return Pass
	case strings.HasPrefix(row.Word(), "SHOULD"):
		return Warn
	case s.Lenient && !r.firm:
		return Warn
	}
	return Fail
}
