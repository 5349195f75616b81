package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gowsgi/gowsgi/internal/lifecycle"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// admin is the address of --admin. It answers from before the application is there
// until it is gone: its questions are about that.
type admin struct {
	server  *server.Server
	began   time.Time
	traffic map[string]*traffic // by the scheme of a protocol
	refused map[string]*refused // the same
	log     *slog.Logger        // that counts nothing
	open    atomic.Pointer[opened]
	stop    *lifecycle.Stop
}

// opened is what there is to tell of once the application is there.
type opened struct {
	pools   []*hosted
	servers map[string]protocolServer // by the scheme of a protocol
}

// startAdmin answers on the address of --admin, until the returned function is
// called. Without that option c.admin stays nil.
func (c *config) startAdmin(s *server.Server) (end func(), err error) {
	if c.adminAddress.spec == "" {
		return func() {}, nil
	}
	l := c.succession.admin
	if l != nil {
		adopt(c.adminAddress, l)
	} else {
		if l, err = c.adminAddress.open(); err != nil {
			return nil, fmt.Errorf("--admin: %w", err)
		}
	}
	l = c.succession.add(l)
	a := &admin{began: time.Now(), stop: c.stop, traffic: make(map[string]*traffic), refused: make(map[string]*refused), log: s.Logger}
	// Who asks has a second or two. It is no place for somebody who is slow.
	const limit = 5 * time.Second
	a.server = &server.Server{App: a, ReadHeaderTimeout: limit, ReadTimeout: limit, WriteTimeout: limit, MaxBodyBytes: 1 << 10, Logger: s.Logger}
	c.admin = a
	s.Logger = a.counting("http", a.log)
	s.Logger.Info("answering /healthz, /readyz and /metrics", "address", lifecycle.Address("http", l.Addr()))
	// One process answers for the service: asked by turns, the one that starts and the
	// one that is ready would have it come and go.
	waits := c.succession.predecessor != nil
	c.succession.endAdmin = func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		a.server.Shutdown(ctx)
	}
	ended, given := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		if waits {
			select {
			case <-c.succession.tookOver:
			case <-given: // up, and then Serve closes l and returns
			}
		}
		if err := a.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			a.log.Error("the address of --admin answers no more", "error", err.Error())
		}
	}()
	return func() {
		a.server.Close()
		close(given)
		<-ended
	}, nil
}

// Call answers a question. It is asked by machines, and by people with curl.
func (a *admin) Call(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	status, kind, text := "200 OK", "text/plain; charset=utf-8", ""
	switch environ.Var("PATH_INFO") {
	case "/healthz":
		text = "ok\n"
	case "/readyz":
		text = "ready\n"
		if why := a.unready(); why != "" {
			status, text = "503 Service Unavailable", why+"\n"
		}
	case "/metrics":
		kind, text = expositionType, a.metrics()
	default:
		status, text = "404 Not Found", "expected /healthz, /readyz or /metrics\n"
	}
	headers := wsgi.Headers{
		{Name: "Content-Type", Value: kind},
		{Name: "Content-Length", Value: fmt.Sprint(len(text))},
		{Name: "Cache-Control", Value: "no-store"},
	}
	body := wsgi.Strings(text)
	switch environ.Var("REQUEST_METHOD") {
	case "GET":
	case "HEAD":
		body = wsgi.Empty()
	default:
		status, body = "405 Method Not Allowed", wsgi.Empty()
		headers = wsgi.Headers{{Name: "Allow", Value: "GET, HEAD"}, {Name: "Content-Length", Value: "0"}}
	}
	return wsgi.Response{Status: status, Headers: headers, Body: body}.Call(environ, start)
}

// unready says why no request should be sent here; "" when there is no reason.
func (a *admin) unready() string {
	if a.stop.Gently().Err() != nil {
		return "stopping: " + context.Cause(a.stop.Gently()).Error()
	}
	now := a.open.Load()
	if now == nil {
		return "starting"
	}
	for _, h := range now.pools {
		if h.pool.Stats().Workers == 0 {
			return "no worker of " + h.app + " is ready"
		}
	}
	return ""
}
