package conformance

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync/atomic"
	"time"
)

// CheckURL looks at a server that is running somewhere, from outside: rawURL
// is http or https, and names something that can be got. What needs a probe
// application inside of the server is left out, and the report says so.
//
// The requests are GET, HEAD and OPTIONS, which only read, and malformed ones,
// which a server has to refuse; a few dozen of them, and never more than
// sixteen connections at a time. What is behind the URL is server and
// application in one: a rule of theirs both is broken by either.
//
// A certificate is not verified, for no secret is sent, and a server under
// test seldom has one that could be. Redirects are answers like others. The
// error is that of a server that cannot be reached or says nothing at all, or
// ctx's; the Subject of the report is rawURL, and its Version the header Server.
func (s Suite) CheckURL(ctx context.Context, rawURL string) (Report, error) {
	subject, err := newURLSubject(rawURL)
	if err != nil {
		return Report{}, err
	}
	if err := subject.meet(ctx, s.patience()); err != nil {
		return Report{}, err
	}
	report, err := checkProbes(ctx, s, subject, urlProbes(), "server")
	report.Subject, report.Version = rawURL, subject.software
	for i, r := range report.Results {
		if r.Status == Skip && !probesOf(r.ID) {
			report.Results[i].Evidence = "cannot be seen from outside: it takes a probe application in the server"
		}
	}
	return report, err
}

// probesOf reports whether a probe of a URL looks at rule.
func probesOf(rule string) bool {
	for _, p := range urlProbes() {
		if p.rule == rule {
			return true
		}
	}
	return false
}

// urlSubject is a server that runs somewhere.
type urlSubject struct {
	addr     string // for net.Dial
	host     string // for the header Host
	target   string // path and query
	scheme   string
	tls      *tls.Config // nil for HTTP in clear
	software string

	first  *wireResponse // to GET, nil if it was none
	steady atomic.Bool   // the response to GET is the same each time
	leaks  bool          // a body comes with the response to HEAD
}

func newURLSubject(rawURL string) (*urlSubject, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("conformance: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return nil, fmt.Errorf("conformance: expected a URL such as http://HOST:PORT/PATH, got %q", u.Redacted())
	}
	subject := &urlSubject{host: u.Host, target: u.RequestURI(), scheme: u.Scheme}
	port := u.Port()
	if u.Scheme == "https" {
		if port == "" {
			port = "443"
		}
		subject.tls = &tls.Config{ServerName: u.Hostname(), InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}
	} else if port == "" {
		port = "80"
	}
	subject.addr = net.JoinHostPort(u.Hostname(), port)
	return subject, nil
}

// meet makes sure that there is a server, and learns what to compare with.
func (u *urlSubject) meet(ctx context.Context, patience time.Duration) error {
	said := false
	var failed error
	p := probe[*urlSubject]{run: func(p *probing, _ *urlSubject) {
		s := &urlRun{probing: p, subject: u}
		defer s.close()
		var responses [2]*wireResponse
		for i := range responses {
			c, err := s.connect()
			if err != nil {
				failed = err
				return
			}
			c.send(s.request("GET"))
			if _, err := c.r.Peek(1); err != nil {
				failed = fmt.Errorf("expected a response to GET %s, got none: %w", u.target, err)
				return
			}
			said = true
			if responses[i], err = c.receive("GET"); err != nil {
				return // what it said is for the probes to judge
			}
		}
		a, b := responses[0], responses[1]
		u.first, u.software = a, a.headers.Get("Server")
		u.leaks = s.leaksOnHEAD()
		u.steady.Store(a.complete() && b.complete() && a.code == b.code && a.body == b.body)
	}}
	p.try(ctx, u, patience)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case failed != nil && !said:
		return fmt.Errorf("conformance: %w", failed)
	case u.first != nil && (errors.Is(u.first.err, errEndless) || len(u.first.body) >= maxWireBody):
		return fmt.Errorf("conformance: expected a response of less than %d MiB to GET %s", maxWireBody>>20, u.target)
	}
	return nil
}

// onURL makes a probe of a function that works on a urlRun, and relies on what
// is known of the answer to GET.
func onURL(rule, name string, run func(s *urlRun)) probe[*urlSubject] {
	return onRawURL(rule, name, func(s *urlRun) {
		if s.subject.first == nil {
			s.skipf("there is no response to GET that could be understood")
		}
		run(s)
	})
}

// onRawURL is onURL for a function that judges whether answers can be
// understood.
func onRawURL(rule, name string, run func(s *urlRun)) probe[*urlSubject] {
	return probe[*urlSubject]{rule, name, func(p *probing, subject *urlSubject) {
		s := &urlRun{probing: p, subject: subject}
		defer s.close()
		run(s)
	}}
}

// urlProbes returns the suite for URLs.
func urlProbes() (all []probe[*urlSubject]) {
	all = append(all, urlHeadProbes...)
	all = append(all, urlBodyProbes...)
	all = append(all, urlConnectionProbes...)
	return append(all, urlRefusalProbes...)
}
