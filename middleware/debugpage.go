package middleware

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"net/netip"
	"strconv"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// DebugPageConfig holds the choices of DebugPage.
type DebugPageConfig struct {
	// Secret tells which variables, headers and parameters of a query are not
	// shown, besides those whose names say what they are, such as COOKIE,
	// API_TOKEN and password; nil adds none. The name is as it stands in the
	// environ or in the query.
	Secret func(name string) bool

	// Log is told of each failure that has been answered here; nil means a line
	// on wsgi.errors, with the stack of a panic.
	Log func(environ *wsgi.Environ, err error)
}

// DebugPage returns a middleware for development. When the application fails, by
// an error that does not say itself what to answer or by a panic, and nothing of
// the response was sent, the browser of the developer gets a page that tells of
// it: the errors, the stack with the source around each call, the request and the
// environ.
//
// The page has the status 500 and headers and a body of its own. It is shown to
// those who ask for HTML, come from this machine (REMOTE_ADDR is a loopback
// address), by a name of it (Host is localhost, or ends in .localhost, or is a
// loopback address), and not by way of a proxy. All other requests and failures
// are left as they are; Recover, outside, answers them.
//
// Security: a stack and an environ tell an attacker much. The conditions above
// are checked all of them, for the proxy of a public site may run on the same
// machine, and the name of a foreign site may be made to lead to it. Values whose
// names tell of a secret are masked, query strings included, but not what the text
// of an error says. All the same it has no place in a program that serves the
// public.
func DebugPage(c DebugPageConfig) wsgi.Middleware {
	if c.Log == nil {
		c.Log = func(environ *wsgi.Environ, err error) { logFailure("DebugPage", environ, err) }
	}
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			throws, _ := environ.Get("x-wsgiorg.throw_errors").(bool)
			if throws || !isDeveloper(environ) {
				return next.Call(environ, start)
			}
			d := &debugged{config: &c, came: environ.Clone()}
			g := guarded{environ: environ, start: start, by: d, panics: true}
			return g.call(next, start)
		})
	}
}

// isDeveloper reports whether a page of all that there is may be shown.
func isDeveloper(environ *wsgi.Environ) bool {
	peer, err := netip.ParseAddr(environ.Var("REMOTE_ADDR"))
	if err != nil || !peer.Unmap().IsLoopback() || !prefersHTML(environ.Var("HTTP_ACCEPT")) {
		return false
	}
	for _, key := range []string{"HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PROTO", "HTTP_X_REAL_IP"} {
		if _, proxied := environ.Lookup(key); proxied {
			return false
		}
	}
	name, _, ok := requestHost(environ)
	if !ok {
		return false
	}
	address, err := netip.ParseAddr(name)
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || err == nil && address.Unmap().IsLoopback()
}

// debugged is a request of a developer's.
type debugged struct {
	config *DebugPageConfig
	came   *wsgi.Environ // the environ as the request came
}

func (d *debugged) instead(environ *wsgi.Environ, err error) wsgi.Application {
	if isAbort(environ, err) || response(err) != nil {
		return nil
	}
	return &debugPage{debugged: d, environ: environ, err: err}
}

//go:embed debugpage.html
var debugPageHTML string

var debugPageTemplate = template.Must(template.New("debug").Parse(debugPageHTML))

// debugPage is the page for one failure.
type debugPage struct {
	*debugged
	environ *wsgi.Environ // as the application has left it
	err     error
}

// mask stands in the place of a secret.
const mask = "••••••"

// row is a line of a table: Note is said of a value that is not shown.
type row struct{ Name, Value, Note string }

// link is an error in a chain of errors.
type link struct{ Type, Text string }

type debugView struct {
	Kind, Summary, Method, URL, Mask string
	Chain                            []link
	Frames                           []frame
	Headers, Environ                 []row
}

func (p *debugPage) Call(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	if err := takeOver(start); err != nil {
		return nil, err // it is for the server to log it
	}
	p.config.Log(p.environ, p.err)
	view := debugView{Kind: "Error", Summary: p.err.Error(), Method: p.came.Var("REQUEST_METHOD"), Mask: mask}
	if view.Summary == "" {
		view.Summary = fmt.Sprintf("%T", p.err)
	}
	if panicked := (*wsgi.PanicError)(nil); errors.As(p.err, &panicked) {
		view.Kind, view.Summary = "Panic", fmt.Sprint(panicked.Value)
		view.Frames = parseStack(panicked.Stack)
	} else {
		view.Chain = chain(p.err)
	}
	view.URL = p.url()
	view.Headers, view.Environ = p.tables()
	var page bytes.Buffer
	debugPageTemplate.Execute(&page, view) // to memory
	_, err := start("500 Internal Server Error", wsgi.Headers{
		{Name: "Content-Type", Value: "text/html; charset=utf-8"},
		{Name: "Content-Length", Value: strconv.Itoa(page.Len())},
		{Name: "Cache-Control", Value: "no-store"},
		{Name: "Content-Security-Policy", Value: "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
		{Name: "Cross-Origin-Resource-Policy", Value: "same-origin"},
		{Name: "Referrer-Policy", Value: "no-referrer"},
		{Name: "X-Content-Type-Options", Value: "nosniff"},
	}, nil)
	return wsgi.Bytes(page.Bytes()), err
}

// chain returns an error and those that it wraps, the outermost first.
func chain(err error) (all []link) {
	const most = 20
	for wait := []error{err}; len(wait) > 0 && len(all) < most; {
		err, wait = wait[0], wait[1:]
		if err == nil {
			continue
		}
		all = append(all, link{fmt.Sprintf("%T", err), err.Error()})
		switch e := err.(type) {
		case interface{ Unwrap() error }:
			wait = append([]error{e.Unwrap()}, wait...)
		case interface{ Unwrap() []error }:
			wait = append(e.Unwrap(), wait...)
		}
	}
	return all
}
