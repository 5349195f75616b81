package middleware_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func TestSecureHeaders(t *testing.T) {
	type config = middleware.SecureHeadersConfig
	standard := headers(
		"X-Content-Type-Options", "nosniff",
		"X-Frame-Options", "SAMEORIGIN",
		"Referrer-Policy", "strict-origin-when-cross-origin",
		"Cross-Origin-Opener-Policy", "same-origin",
		"Content-Security-Policy", "base-uri 'self'; frame-ancestors 'self'; object-src 'none'",
	)
	tests := []struct {
		name   string
		config config
		scheme string
		app    wsgi.Headers
		want   wsgi.Headers
	}{
		{"http", config{}, "http", nil, standard},
		{"https", config{}, "https", nil, append(standard.Clone(), wsgi.Header{Name: "Strict-Transport-Security", Value: "max-age=31536000"})},
		{"the application's stay", config{}, "http", headers("x-frame-options", "DENY", "Content-Security-Policy", "default-src 'none'"),
			append(headers("x-frame-options", "DENY", "Content-Security-Policy", "default-src 'none'"), standard[0], standard[2], standard[3])},
		{"choices", config{
			StrictTransportSecurity: "-", ContentSecurityPolicy: "-", ContentTypeOptions: "-", FrameOptions: "DENY",
			ReferrerPolicy: "no-referrer", CrossOriginOpenerPolicy: "-", PermissionsPolicy: "camera=()",
		}, "https", nil, headers("X-Frame-Options", "DENY", "Referrer-Policy", "no-referrer", "Permissions-Policy", "camera=()")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			shared := append(make(wsgi.Headers, 0, 16), tt.app...)
			app := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				_, err := start("404 Not Found", shared, nil)
				return wsgi.Empty(), err
			})
			for range 2 {
				res := wsgitest.Do(t, middleware.SecureHeaders(tt.config)(app), &wsgitest.Request{Scheme: tt.scheme})
				res.Headers.Del("Content-Length")
				if diff := cmp.Diff(tt.want, res.Headers); diff != "" {
					t.Errorf("headers (-want +got):\n%s", diff)
				}
			}
		})
	}
	panics(t, func() { middleware.SecureHeaders(config{ReferrerPolicy: "a\r\nb"}) }, "SecureHeaders", "Referrer-Policy")
	keeps(t, middleware.SecureHeaders(config{}))
}
