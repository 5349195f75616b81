package server_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/fcgi"
	"os"
	"strings"
	"testing"
	"time"

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

// TestOwnTLSWriteTimeout: a client that reads nothing is not waited for there either,
// whatever it is that cannot be written.
func TestOwnTLSWriteTimeout(t *testing.T) {
	for _, tt := range []struct{ name, request string }{
		{"a head", "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"an early hint", get("/hint")},
		{"a refusal", get("/a%00b")},
		{"no body", get("/204")},
		{"a block", get("/")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			s := &server.Server{WriteTimeout: 200 * time.Millisecond, App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				for e.Var("PATH_INFO") == "/hint" && e.Context().Err() == nil {
					if err := e.Get("wsgi.early_hints").(func(wsgi.Headers) error)(wsgi.Headers{{Name: "Link", Value: "</a.css>"}}); err != nil {
						return nil, err
					}
				}
				if e.Var("PATH_INFO") == "/204" {
					_, err := start("204 No Content", nil, nil)
					return wsgi.Empty(), err
				}
				return text(strings.Repeat("x", 1<<20))(e, start)
			})}
			late := make(chan bool, 1)
			serveOn(t, s, tls.NewListener(narrow{l, late}, tlsConfig(t)))
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			c.(*net.TCPConn).SetReadBuffer(4 << 10)
			secure := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
			go func() {
				for requests := strings.Repeat(tt.request, 1000); err == nil; {
					_, err = io.WriteString(secure, requests)
				}
			}()
			receive(t, "a write that fails", late)
			c.Close() // or TLS would try to say goodbye
			eventually(t, "the end of the connection", func() bool { return s.Connections() == 0 })
		})
	}
}

// narrow is a listener with connections on which not much is under way. late gets a
// value when a write on one has failed for want of time.
type narrow struct {
	net.Listener
	late chan bool
}

func (l narrow) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c.(*net.TCPConn).SetWriteBuffer(64 << 10)
	return narrowConn{c, l.late}, nil
}

type narrowConn struct {
	net.Conn
	late chan bool
}

func (c narrowConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		select {
		case c.late <- true:
		default: // a goodbye
		}
	}
	return n, err
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
