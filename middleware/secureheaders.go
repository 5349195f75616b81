package middleware

import (
	"fmt"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// SecureHeadersConfig has the value of each header that SecureHeaders sets: ""
// means what the comment says, "-" leaves the header out.
type SecureHeadersConfig struct {
	// StrictTransportSecurity is sent over https only: max-age=31536000, a
	// year. A browser that has seen it will not use http for that long.
	StrictTransportSecurity string

	// ContentSecurityPolicy is "base-uri 'self'; frame-ancestors 'self';
	// object-src 'none'", which few pages notice. A policy for scripts is the
	// application's to write.
	ContentSecurityPolicy string

	ContentTypeOptions      string // X-Content-Type-Options: nosniff
	FrameOptions            string // X-Frame-Options: SAMEORIGIN
	ReferrerPolicy          string // strict-origin-when-cross-origin
	CrossOriginOpenerPolicy string // same-origin
	PermissionsPolicy       string // not sent
}

// SecureHeaders returns a middleware that adds the headers by which browsers
// protect pages. What the application sets itself stays as it is.
//
// It adds headers to every response, whatever the status, and leaves status and
// body as they are. It is put outside Recover and of what answers in the place of
// the application, so that pages of errors have them too. A value that could not
// be sent panics.
//
// Security: wsgi.url_scheme decides on Strict-Transport-Security, so behind a
// proxy ProxyFix goes outside. Browsers ignore that header over http, where
// anybody could have put it in.
func SecureHeaders(c SecureHeadersConfig) wsgi.Middleware {
	var plain wsgi.Headers
	add := func(name, value, standard string) {
		if value == "" {
			value = standard
		}
		if value != "" && value != "-" {
			plain.Add(name, value)
		}
	}
	add("X-Content-Type-Options", c.ContentTypeOptions, "nosniff")
	add("X-Frame-Options", c.FrameOptions, "SAMEORIGIN")
	add("Referrer-Policy", c.ReferrerPolicy, "strict-origin-when-cross-origin")
	add("Cross-Origin-Opener-Policy", c.CrossOriginOpenerPolicy, "same-origin")
	add("Content-Security-Policy", c.ContentSecurityPolicy, "base-uri 'self'; frame-ancestors 'self'; object-src 'none'")
	add("Permissions-Policy", c.PermissionsPolicy, "")
	noTLS := len(plain)
	add("Strict-Transport-Security", c.StrictTransportSecurity, "max-age=31536000")
	if err := plain.Validate(); err != nil {
		panic(fmt.Sprintf("middleware: SecureHeaders: %v", err))
	}
	return onHead(headLayer{room: len(plain), head: func(environ *wsgi.Environ, status string, headers headList) (string, headList) {
		ours := plain
		if environ.Var("wsgi.url_scheme") != "https" {
			ours = plain[:noTLS]
		}
		before := headers.Headers
		headers = headers.own(len(ours))
		for _, h := range ours {
			if !hasHeader(before, h.Name) {
				headers.Headers = append(headers.Headers, h)
			}
		}
		return status, headers
	}})
}

// hasHeader is Headers.Has, quicker where names differ in length, as most do.
func hasHeader(headers wsgi.Headers, name string) bool {
	for i := range headers {
		if len(headers[i].Name) == len(name) && strings.EqualFold(headers[i].Name, name) {
			return true
		}
	}
	return false
}
