package middleware

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// ErrorPagesConfig holds the choices of ErrorPages.
type ErrorPagesConfig struct {
	// Page returns the application that makes the page for a status, for those
	// who ask for HTML; nil, or a Page that returns nil, means the plain page of
	// this package. It is called with the environ of the request made a GET
	// without a body. Its status counts for nothing, and of its page a MiB is
	// taken at most; when it fails, the plain page is sent.
	Page func(code int) wsgi.Application
}

// ErrorPages returns a middleware that gives a body to responses that report an
// error and have none, and to every HTTPError: a page of HTML for browsers, which
// ask for it in Accept, and problem details in JSON (RFC 9457) for all others.
//
// It looks at the statuses from 400 to 599. The status is kept, and so are the
// headers, but those that speak of the body that was: Content-Type,
// Content-Encoding, Content-Language, Content-Length, Last-Modified, Cache-Control,
// ETag, digests and ranges. Accept is added to Vary. A response that has a body, or
// that might have one since it is not known before it is iterated, stays as it is.
// HEAD has the headers of GET.
//
// It is put outside Recover, whose responses are among them, and inside what adds
// headers to all.
//
// Security: a page shows the status, the Detail of an HTTPError, escaped, and the
// id of the request, never the reason of a failure. Pages are not to be stored
// (Cache-Control: no-store).
func ErrorPages(c ErrorPagesConfig) wsgi.Middleware {
	p := &errorPages{c}
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			f := &errorPage{pages: p, environ: environ}
			f.held = held{start: start, by: f}
			f.inner = environ.Clone()
			f.inner.Set(errorPagesKey, p)
			return f.call(next)
		})
	}
}

// errorPagesKey is the variable with the *errorPages, for HTTPError.
const errorPagesKey = "gowsgi.error_pages"

type errorPages struct{ ErrorPagesConfig }

// problem is what a page tells, and the problem details of RFC 9457.
type problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Code      int    `json:"status"`
	Detail    string `json:"detail,omitempty"`
	RequestID string `json:"request_id,omitempty"`

	Status string `json:"-"`
}

//go:embed errorpages.html
var errorPageHTML string

var errorPageTemplate = template.Must(template.New("error").Parse(errorPageHTML))

// render returns the headers and the body of the page for a status.
func (p *errorPages) render(environ *wsgi.Environ, status, detail string) (wsgi.Headers, []byte) {
	code, phrase, _ := strings.Cut(status, " ")
	about := problem{Type: "about:blank", Title: phrase, Detail: detail, RequestID: environ.Var(requestIDKey), Status: code}
	about.Code, _ = strconv.Atoi(code)
	if !prefersHTML(environ.Var("HTTP_ACCEPT")) {
		text, _ := json.Marshal(about) // strings and a number
		return pageHeaders("application/problem+json"), append(text, '\n')
	}
	if p.Page != nil {
		if app := p.Page(about.Code); app != nil {
			headers, page, err := collect(app, asGet(environ))
			if err == nil {
				return append(headers, wsgi.Header{Name: "Cache-Control", Value: "no-store"}), page
			}
			environ.Errors().WriteString("middleware: ErrorPages: the page for " + code + ": " + escape(err.Error()) + "\n")
		}
	}
	var page bytes.Buffer
	errorPageTemplate.Execute(&page, about) // to memory
	return pageHeaders("text/html; charset=utf-8"), page.Bytes()
}

func pageHeaders(contentType string) wsgi.Headers {
	return wsgi.Headers{
		{Name: "Content-Type", Value: contentType},
		{Name: "X-Content-Type-Options", Value: "nosniff"},
		{Name: "Cache-Control", Value: "no-store"},
	}
}

// asGet returns environ as that of a GET without a body, in which an HTTPError
// is plain: so no page asks for a page.
func asGet(environ *wsgi.Environ) *wsgi.Environ {
	environ = environ.Clone()
	environ.Set("REQUEST_METHOD", "GET")
	environ.Set("wsgi.input", wsgi.NewInput(strings.NewReader("")))
	for _, key := range []string{
		"CONTENT_LENGTH", "CONTENT_TYPE", errorPagesKey, "HTTP_RANGE", "HTTP_IF_RANGE", "HTTP_IF_MATCH",
		"HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE", "HTTP_ACCEPT_ENCODING",
	} {
		environ.Delete(key)
	}
	return environ
}

// mostPage is how many bytes a page has at most.
const mostPage = 1 << 20

var errLargePage = fmt.Errorf("it has more than %d bytes", mostPage)

// collect calls an application and returns all of its response but the status and
// the headers that will be others.
func collect(app wsgi.Application, environ *wsgi.Environ) (headers wsgi.Headers, page []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &wsgi.PanicError{Value: v}
		}
	}()
	take := func(block []byte) (int, error) {
		if len(page)+len(block) > mostPage {
			return 0, errLargePage
		}
		page = append(page, block...)
		return len(block), nil
	}
	started := false
	body, err := app.Call(environ, func(_ string, h wsgi.Headers, _ error) (wsgi.Write, error) {
		started, headers = true, h
		return take, nil
	})
	if body != nil {
		defer func() { err = errors.Join(err, body.Close()) }()
	}
	if err != nil || body == nil {
		return nil, nil, errors.Join(err, errIf(body == nil && err == nil, errNoBody))
	}
	for block, failed := range body.Blocks {
		if failed == nil {
			_, failed = take(block)
		}
		if failed != nil {
			return nil, nil, failed
		}
	}
	if !started || len(page) == 0 || !headers.Has("Content-Type") {
		return nil, nil, errors.New("the response is empty, expected one with a Content-Type and a body")
	}
	return withoutBodyHeaders(headers, "Content-Encoding", "Content-Type"), page, nil
}

func errIf(condition bool, err error) error {
	if condition {
		return err
	}
	return nil
}

// withoutBodyHeaders returns a copy of headers without those that speak of a body
// that is gone, except some.
func withoutBodyHeaders(headers wsgi.Headers, except ...string) wsgi.Headers {
	gone := []string{"Content-Type", "Content-Encoding", "Content-Language", "Last-Modified", "Cache-Control"}
	return slices.DeleteFunc(headers.Clone(), func(h wsgi.Header) bool {
		is := func(name string) bool { return strings.EqualFold(name, h.Name) }
		return (dependsOnBody(h.Name) || slices.ContainsFunc(gone, is)) && !slices.ContainsFunc(except, is)
	})
}

// answer is the response for an HTTPError.
func (p *errorPages) answer(e *HTTPError, environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	headers, page := p.render(environ, e.Status(), e.Detail)
	headers.Add("Content-Length", strconv.Itoa(len(page)))
	headers = append(headers, withoutBodyHeaders(e.Headers)...)
	addVary(&headers, "Accept")
	if _, err := start(e.Status(), headers, nil); err != nil {
		return nil, err
	}
	if environ.Var("REQUEST_METHOD") == "HEAD" {
		return wsgi.Empty(), nil
	}
	return wsgi.Bytes(page), nil
}

// errorPage is a response that may get a page.
type errorPage struct {
	held
	pages   *errorPages
	environ *wsgi.Environ // as it came
	inner   *wsgi.Environ // for the application
	page    []byte        // nil for none
}

func (f *errorPage) call(next wsgi.Application) (wsgi.Iterable, error) {
	head := f.environ.Var("REQUEST_METHOD") == "HEAD" // before the application has the environ
	body, err := f.held.call(next, f.inner)
	if body == nil || err != nil || f.page == nil || head { // whose body is empty
		return body, err
	}
	return replacedBody{wsgi.Block(f.page), body}, nil
}

// adjust makes the head of a response without a body that of a page.
func (f *errorPage) adjust(status string, headers wsgi.Headers, body wsgi.Iterable) (wsgi.Headers, error) {
	f.page = nil
	if body == nil || status < "4" || status >= "6" {
		return headers, nil
	}
	if n, known := length(body); !known || n > 0 {
		return headers, nil
	}
	if n, err := strconv.Atoi(headers.Get("Content-Length")); err == nil && n > 0 || f.environ.Var("REQUEST_METHOD") == "HEAD" && headers.Has("Content-Type") {
		return headers, nil // HEAD, whose GET has a body
	}
	ours, page := f.pages.render(f.environ, status, "")
	f.page = page
	headers = append(withoutBodyHeaders(headers), ours...)
	headers.Add("Content-Length", strconv.Itoa(len(page)))
	addVary(&headers, "Accept")
	return headers, nil
}

// replacedBody is a page in the place of a body, which is closed with it.
type replacedBody struct {
	wsgi.Block
	instead wsgi.Iterable
}

func (b replacedBody) Close() error { return b.instead.Close() }
