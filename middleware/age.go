package middleware

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// NoCache returns a middleware that keeps responses out of all caches: with
// Cache-Control: no-store in the place of the application's own, and without Expires
// and Pragma. Status, body and all other headers stay as they are.
//
// Security: without it, a page for one user may be shown to the next one of a shared
// cache, or of the same browser.
func NoCache() wsgi.Middleware {
	return onHead(headLayer{room: 1, head: func(_ *wsgi.Environ, status string, headers headList) (string, headList) {
		headers = headers.own(1)
		headers.Del("Expires")
		headers.Del("Pragma")
		headers.Set("Cache-Control", "no-store")
		return status, headers
	}})
}

// SunsetConfig holds the choices of Sunset. At least one of the times is set.
type SunsetConfig struct {
	Deprecated time.Time // from when on nobody should begin to use it (RFC 9745)
	Gone       time.Time // when it will not be there any more (RFC 8594)
	Link       string    // the URL of a page about it; "" for none
}

// Sunset returns a middleware that tells clients that what they use is going away:
// by the headers Deprecation, Sunset and Link, which are added to those of the
// application. Status and body stay as they are. No time, a Gone before Deprecated,
// and a Link that is no URL panic.
//
// Security: it is a word to clients and refuses nothing.
func Sunset(c SunsetConfig) wsgi.Middleware {
	if c.Deprecated.IsZero() && c.Gone.IsZero() || !c.Deprecated.IsZero() && !c.Gone.IsZero() && c.Gone.Before(c.Deprecated) {
		panic(fmt.Sprintf("middleware: Sunset: Deprecated is %v and Gone is %v, expected one of them, or the first before the second", c.Deprecated, c.Gone))
	}
	var ours wsgi.Headers
	relation := "sunset"
	if !c.Gone.IsZero() {
		ours.Add("Sunset", c.Gone.UTC().Format(http.TimeFormat))
	}
	if !c.Deprecated.IsZero() {
		ours.Add("Deprecation", "@"+strconv.FormatInt(c.Deprecated.Unix(), 10))
		relation = "deprecation"
	}
	if c.Link != "" {
		target, err := url.Parse(c.Link)
		if err != nil || safeQuery(c.Link) != c.Link {
			panic(fmt.Sprintf("middleware: Sunset: the Link is %q, expected a URL", c.Link))
		}
		ours.Add("Link", "<"+target.String()+`>; rel="`+relation+`"; type="text/html"`)
	}
	return onHead(headLayer{room: len(ours), head: func(_ *wsgi.Environ, status string, headers headList) (string, headList) {
		headers = headers.own(len(ours))
		headers.Headers = append(headers.Headers, ours...)
		return status, headers
	}})
}
