package server_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/fcgi"
	"testing"

	"github.com/gowsgi/gowsgi/adapters/fastcgi"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// TestOwnTLS serves a listener that speaks TLS already: url_scheme is https,
// and HTTP/2 is there when its configuration says so.
func TestOwnTLS(t *testing.T) {
	for _, tt := range []struct {
		protocols []string
		want      string
	}{{nil, "https on HTTP/1.1"}, {[]string{"h2", "http/1.1"}, "https on HTTP/2.0"}} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s := &server.Server{App: wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			body := environ.Get("wsgi.url_scheme").(string) + " " + environ.Var("HTTPS") + " " + environ.Var("SERVER_PROTOCOL")
			return wsgi.Response{Status: "200 OK", Body: wsgi.Strings(body)}.Call(environ, start)
		})}
		served := make(chan error, 1)
		go func() {
			served <- s.Serve(tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{certificate(t, "server")}, NextProtos: tt.protocols}))
		}()
		transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
		r, err := (&http.Client{Transport: transport}).Get("https://" + l.Addr().String() + "/")
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r.Body)
		r.Body.Close()
		if string(text) != tt.want || err != nil {
			t.Errorf("with the protocols %v: %q, %v, want %q", tt.protocols, text, err, tt.want)
		}
		transport.CloseIdleConnections()
		s.Close()
		<-served
	}
}

// TestNetHTTPFCGI runs Handler behind net/http/fcgi with what nginx sends of a
// POST: the type of the body twice.
func TestNetHTTPFCGI(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() {
		served <- fcgi.Serve(l, server.Handler(wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			b, err := io.ReadAll(environ.Input())
			if err != nil {
				return nil, err
			}
			return wsgi.Response{Status: "200 OK", Body: wsgi.Strings(environ.Var("CONTENT_TYPE"), " ", string(b))}.Call(environ, start)
		})))
	}()
	app := &fastcgi.Client{Addr: l.Addr().String(), MaxIdleConns: -1,
		Environ: map[string]string{"HTTP_CONTENT_TYPE": "text/x", "HTTP_CONTENT_LENGTH": "5"}}
	r := wsgitest.NewRequest("POST", "/a").Content("text/x", "hello")
	if answer := wsgitest.Record(app, r); answer.Code != 200 || answer.Text() != "text/x hello" {
		t.Errorf("got %s %q, want what was sent", answer.Status, answer.Text())
	}
	l.Close()
	<-served
}
