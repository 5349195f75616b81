package demo

import "github.com/gowsgi/gowsgi/wsgi"

// securityHeaders tell the browser that these pages need nothing but their own
// style sheet and icon, and a form that comes back here.
var securityHeaders = wsgi.Headers{
	{Name: "Content-Security-Policy", Value: "default-src 'none'; style-src 'self'; img-src 'self'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
	{Name: "X-Content-Type-Options", Value: "nosniff"},
	{Name: "Referrer-Policy", Value: "no-referrer"},
	{Name: "Cross-Origin-Opener-Policy", Value: "same-origin"},
	{Name: "Cross-Origin-Resource-Policy", Value: "same-origin"},
}

// secure is a middleware that adds securityHeaders to every response of app.
// It need not touch the body: it passes on a start_response of its own, and
// what app returns goes to the server as it is.
func secure(app wsgi.Application) wsgi.Application {
	return wsgi.AppFunc(func(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
		return app.Call(environ, func(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
			headers = headers.Clone()
			for _, h := range securityHeaders {
				headers.SetDefault(h.Name, h.Value)
			}
			return startResponse(status, headers, excInfo)
		})
	})
}
