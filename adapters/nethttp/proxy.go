package nethttp

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"

	"github.com/gowsgi/gowsgi/internal/forward"
	"github.com/gowsgi/gowsgi/wsgi"
)

// measured gives the proxy request bodies of a known length only.
func (c *Client) measured(proxy http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength < 0 {
			body, err := forward.Open(forwardedBy(r.Context()).environ, c.options.MaxBodyBytes)
			switch {
			case err == forward.ErrTooLong:
				c.fail(w, r, &forward.Failure{Status: "413 Content Too Large", Doing: "reading the request", Err: err})
				return
			case err != nil:
				http.Error(w, statusOf(err), codeOf(statusOf(err)))
				return
			}
			defer body.Close()
			r = r.Clone(r.Context())
			r.ContentLength, r.TransferEncoding = body.Length, nil
			r.Body = io.NopCloser(body)
		}
		// Else a type is guessed where the first block of a response comes
		// before ReverseProxy's timer flushes the head (HDR-21).
		w.Header()["Content-Type"] = nil
		proxy.ServeHTTP(w, r)
	})
}

// proxyLog is where ReverseProxy says that a response was cut.
type proxyLog struct{ logger *slog.Logger }

func (l proxyLog) Write(p []byte) (int, error) {
	l.logger.Error("reverse proxy", "error", string(p))
	return len(p), nil
}

// rewrite makes the request to the backend.
func (c *Client) rewrite(p *httputil.ProxyRequest) {
	f := forwardedBy(p.In.Context())
	p.Out.URL = f.url()
	p.Out.URL.Scheme, p.Out.URL.Host = "http", "backend"
	p.Out.Host = p.In.Host
	p.Out.Close = p.In.Method == "HEAD" // gunicorn sends Django's body all the same: it is not the next response
	p.SetXForwarded()
	for _, name := range []string{"Upgrade", "Connection", "Expect", "Proxy"} {
		p.Out.Header.Del(name)
	}
	if p.Out.Body != nil && p.Out.Body != http.NoBody {
		p.Out.Body = &watchedBody{ReadCloser: p.Out.Body, f: f}
	}
}

// fail answers in the place of the backend.
func (c *Client) fail(w http.ResponseWriter, r *http.Request, err error) {
	f := forwardedBy(r.Context())
	if inputErr := f.inputError(); inputErr != nil {
		http.Error(w, statusOf(inputErr), codeOf(statusOf(inputErr)))
		return
	}
	if r.Context().Err() != nil {
		panic(http.ErrAbortHandler) // the client has left
	}
	if failure := (*forward.Failure)(nil); !errors.As(err, &failure) {
		err = &forward.Failure{Doing: "waiting for the response", Backend: f.addr(), Err: err}
	}
	start := func(status string, headers wsgi.Headers, _ error) (wsgi.Write, error) {
		for _, field := range headers {
			w.Header().Set(field.Name, field.Value)
		}
		w.WriteHeader(codeOf(status))
		return nil, nil
	}
	body, _ := forward.Fail(c.options.Logger, f.environ, start, err)
	for block := range body.Blocks {
		w.Write(block)
	}
	body.Close()
}

// statusOf returns the status with which a failure of wsgi.input is answered:
// such an error may be an application that knows.
func statusOf(err error) (status string) {
	status = "400 Bad Request"
	var app interface {
		error
		wsgi.Application
	}
	if errors.As(err, &app) {
		body, err := app.Call(wsgi.EnvironFromMap(nil), func(s string, _ wsgi.Headers, _ error) (wsgi.Write, error) {
			status = s
			return nil, nil
		})
		if err == nil {
			body.Close()
		}
	}
	return status
}

func codeOf(status string) int {
	code, _, err := wsgi.ParseStatus(status)
	if err != nil {
		return http.StatusInternalServerError
	}
	return code
}
