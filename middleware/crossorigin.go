package middleware

import (
	"fmt"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// CrossOriginConfig holds the choices of CrossOrigin.
type CrossOriginConfig struct {
	// Trusted are origins whose pages may act on this site, such as
	// "https://login.example.org".
	Trusted []string

	// Exempt, when not nil, tells which requests are not looked at: those that
	// prove in another way who sent them, such as calls of a webhook.
	Exempt func(environ *wsgi.Environ) bool
}

// Validate returns what CrossOrigin would panic with.
func (c CrossOriginConfig) Validate() error {
	_, err := c.trusted()
	return err
}

// CrossOrigin returns a middleware that refuses, with 403, requests that a page
// of another site has made the browser of a user send: cross-site request
// forgery. Requests by GET, HEAD and OPTIONS pass, since they change nothing.
//
// Of any other, Sec-Fetch-Site has to say that it comes from the same origin or
// from the user; where there is none, the host in Origin has to be the Host. A
// request with neither header is from no browser of today and passes. So no
// token is needed in any form. The application's status, headers and body stay as
// they are. A Trusted origin that is none panics.
//
// Security: it compares with the Host, so AllowedHosts, and ProxyFix behind a
// proxy, go outside; it looks at the method, so MethodOverride goes inside. The
// application must not change anything by GET. Browsers send Sec-Fetch-Site over
// https only, and a page of the same host at http passes the comparison: send
// Strict-Transport-Security.
//
// Source: net/http's CrossOriginProtection, which has the same rules.
func CrossOrigin(c CrossOriginConfig) wsgi.Middleware {
	trusted, err := c.trusted()
	if err != nil {
		panic(err.Error())
	}
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if sameSite(environ) || trusted[environ.Var("HTTP_ORIGIN")] || c.Exempt != nil && c.Exempt(environ) {
				return next.Call(environ, start)
			}
			return crossSite.Call(environ, start)
		})
	}
}

var crossSite = &HTTPError{Code: 403, Detail: "The request was sent from another site."}

func (c CrossOriginConfig) trusted() (map[string]bool, error) {
	all := map[string]bool{}
	for _, origin := range c.Trusted {
		checked, err := parseOrigin(origin)
		if err != nil {
			return nil, fmt.Errorf("middleware: CrossOrigin: %w", err)
		}
		all[checked] = true
	}
	return all, nil
}

// sameSite reports whether a request is harmless, of this origin, or not of a
// browser.
func sameSite(environ *wsgi.Environ) bool {
	switch environ.Var("REQUEST_METHOD") {
	case "GET", "HEAD", "OPTIONS":
		return true
	}
	switch environ.Var("HTTP_SEC_FETCH_SITE") {
	case "":
	case "same-origin", "none":
		return true
	default:
		return false
	}
	origin := environ.Var("HTTP_ORIGIN")
	if origin == "" {
		return true
	}
	_, host, ok := strings.Cut(origin, "://")
	return ok && host != "" && host == environ.Var("HTTP_HOST")
}
