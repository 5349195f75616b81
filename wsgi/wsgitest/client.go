package wsgitest

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Client is a browser for tests: it sends requests, keeps cookies and follows
// redirects. App or Send must be set; every other field has a default. A Client
// may be used concurrently as long as its fields are not changed.
type Client struct {
	// T is the test that fails for the reasons that Do tells, with every
	// response on the way. When nil no test does.
	T testing.TB

	// App is the application whose responses are recorded.
	App wsgi.Application

	// Send, when not nil, is called instead of recording App. With Live the
	// same test runs against a server.
	Send func(*Request) *Response

	// Base is the URL of the application's root: a scheme and a host for the
	// requests that name none, and a path that is their mount point. "" means
	// "http://127.0.0.1".
	Base string

	// Headers are added to each request that has no header of the same name.
	Headers wsgi.Headers

	// Prepare, when not nil, may change each request before it is sent, with
	// the defaults in place. It is given a copy and not called again for the
	// redirects that follow.
	Prepare func(*Request)

	// Jar keeps the cookies; nil means that there are none.
	Jar http.CookieJar

	// MaxRedirects is how many redirects are followed for one request, 0
	// meaning 10; less than 0 means that none is.
	MaxRedirects int
}

// NewClient returns a Client with an empty cookie jar. t may be nil.
func NewClient(t testing.TB, app wsgi.Application) *Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic("wsgitest: NewClient: " + err.Error()) // unreachable without options
	}
	return &Client{T: t, App: app, Jar: jar}
}

// Get sends a GET request.
func (c *Client) Get(target string) *Response {
	if c.T != nil {
		c.T.Helper()
	}
	return c.Do(NewRequest("GET", target))
}

// Head sends a HEAD request.
func (c *Client) Head(target string) *Response {
	if c.T != nil {
		c.T.Helper()
	}
	return c.Do(NewRequest("HEAD", target))
}

// Post sends a POST request with the given content.
func (c *Client) Post(target, contentType, body string) *Response {
	if c.T != nil {
		c.T.Helper()
	}
	return c.Do(NewRequest("POST", target).Content(contentType, body))
}

// PostForm sends an HTML form, url-encoded.
func (c *Client) PostForm(target string, values url.Values) *Response {
	if c.T != nil {
		c.T.Helper()
	}
	return c.Do(NewRequest("POST", target).Form(values))
}

// PostMultipart sends an HTML form with uploads.
func (c *Client) PostMultipart(target string, values url.Values, files ...File) *Response {
	if c.T != nil {
		c.T.Helper()
	}
	return c.Do(NewRequest("POST", target).Multipart(values, files...))
}

// PostJSON sends v as JSON.
func (c *Client) PostJSON(target string, v any) *Response {
	if c.T != nil {
		c.T.Helper()
	}
	return c.Do(NewRequest("POST", target).JSON(v))
}

// Do sends req, with the Client's defaults and cookies, and follows redirects
// as long as they stay within the same host and mount point. It returns the
// last response; the others are its History. When the redirects did not end,
// Err of the last response wraps ErrRedirects.
func (c *Client) Do(req *Request) *Response {
	if c.T != nil {
		c.T.Helper()
	}
	var history []*Response
	next := c.prepare(req)
	for {
		res := c.send(next)
		res.History = history
		following, err := c.redirect(next, res)
		if err != nil {
			res.Err = err
			if c.T != nil && !req.ExpectErrors {
				c.T.Error(err)
			}
		}
		if following == nil {
			return res
		}
		history = append(history, res)
		next = following
	}
}

// prepare returns a copy of req with the defaults of the Client.
func (c *Client) prepare(req *Request) *Request {
	r := req.clone()
	base, err := url.Parse(orElse(c.Base, "http://127.0.0.1"))
	if err != nil || base.Host == "" {
		panic(fmt.Sprintf("wsgitest: Client.Base is %q, expected an absolute URL", c.Base))
	}
	r.Scheme = orElse(r.Scheme, base.Scheme)
	r.ScriptName = orElse(r.ScriptName, strings.TrimSuffix(base.Path, "/"))
	for _, h := range c.Headers {
		if !req.Headers.Has(h.Name) {
			r.Headers = append(r.Headers, h)
		}
	}
	r.Headers.SetDefault("Host", base.Host)
	if c.Prepare != nil {
		c.Prepare(r)
	}
	return r
}

// send sends r with the cookies for it, and keeps those that come back.
func (c *Client) send(r *Request) *Response {
	if c.T != nil {
		c.T.Helper()
	}
	location := r.url()
	r = r.clone()
	if c.Jar != nil {
		for _, cookie := range c.Jar.Cookies(location) {
			r.With("Cookie", cookie.String())
		}
	}
	var res *Response
	if c.Send != nil {
		res = c.Send(r)
	} else {
		res = Record(c.App, r)
	}
	if c.Jar != nil {
		set := http.Response{Header: http.Header{"Set-Cookie": res.Headers.Values("Set-Cookie")}}
		c.Jar.SetCookies(location, set.Cookies())
	}
	if c.T != nil {
		complain(c.T, res)
	}
	return res
}
