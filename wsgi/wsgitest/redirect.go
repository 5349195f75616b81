package wsgitest

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// ErrRedirects is wrapped by Err of a response that a Client could not follow:
// one redirect too many, or one that wants a Stream to be sent again.
var ErrRedirects = errors.New("wsgitest: redirect not followed")

// redirect returns the request to which res redirects, nil when there is none
// for this Client to send.
func (c *Client) redirect(from *Request, res *Response) (*Request, error) {
	switch res.Code {
	case 301, 302, 303, 307, 308:
	default:
		return nil, nil
	}
	location, err := url.Parse(res.Headers.Get("Location"))
	if err != nil || !res.Headers.Has("Location") || res.Err != nil || c.MaxRedirects < 0 {
		return nil, nil
	}
	here := from.url()
	there := here.ResolveReference(location)
	there.Fragment, there.RawFragment = "", ""
	path := orElse(there.Path, "/")
	if !strings.EqualFold(there.Hostname(), here.Hostname()) ||
		path != from.ScriptName && !strings.HasPrefix(path, from.ScriptName+"/") {
		return nil, nil // another application's
	}
	limit := c.MaxRedirects
	if limit == 0 {
		limit = 10
	}
	if len(res.History) == limit {
		return nil, fmt.Errorf("%w: %d redirects did not end: %s", ErrRedirects, limit, trail(res, there))
	}
	to := from.clone()
	to.Scheme, to.Target = there.Scheme, there.RequestURI()
	to.Headers.Set("Host", there.Host)
	if res.Code < 307 && from.method() != "HEAD" {
		// RFC 9110, 15.4: browsers change to GET, for 301 and 302 as for 303.
		to.Method, to.Body, to.Stream = "GET", nil, nil
		to.Headers = slices.DeleteFunc(to.Headers, func(h wsgi.Header) bool {
			return len(h.Name) > 8 && strings.EqualFold(h.Name[:8], "Content-")
		})
	}
	if to.Stream != nil {
		return nil, fmt.Errorf("%w: %s to %s wants the body again, and a Stream can be read once", ErrRedirects, res.Status, there)
	}
	return to, nil
}

// trail names the stations of a chain of redirects.
func trail(res *Response, end *url.URL) string {
	var b strings.Builder
	for _, station := range append(slices.Clone(res.History), res) {
		b.WriteString(station.Request.parse().uri)
		b.WriteString(" -> ")
	}
	return b.String() + end.RequestURI()
}

// url returns the URL of r.
func (r *Request) url() *url.URL {
	t := r.parse()
	if t.uri == "*" {
		t.uri = "/" // OPTIONS for the whole server
	}
	u, err := url.Parse(t.scheme + "://" + t.host + t.uri)
	if err != nil {
		r.refuse(err.Error())
	}
	return u
}
