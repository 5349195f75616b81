package conformance_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"testing"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/internal/testlog"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// silent drops what the probe applications make the server report.
var silent = slog.New(slog.NewTextHandler(io.Discard, nil))

// run serves app by s on a loopback port until the end of the test.
func run(t testing.TB, s *server.Server, app wsgi.Application, l net.Listener) (network, addr string) {
	s.App = app
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		<-served
	})
	return l.Addr().Network(), l.Addr().String()
}

func listen(t testing.TB) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestServer(t *testing.T) {
	conformance.TestServer(t, func(t testing.TB, app wsgi.Application) (network, addr string) {
		return run(t, &server.Server{Logger: silent}, app, listen(t))
	})
}

// TestServerLog gives the suite the server's log.
func TestServerLog(t *testing.T) {
	log := new(testlog.Log)
	suite := conformance.Suite{Only: []string{"LOG", "ERR", "BODY-14"}, Log: log.Bytes}
	suite.TestServer(t, func(t testing.TB, app wsgi.Application) (network, addr string) {
		return run(t, &server.Server{Logger: slog.New(slog.NewTextHandler(log, nil))}, app, listen(t))
	})
}

// TestServerTLS speaks to the server by TLS.
func TestServerTLS(t *testing.T) {
	one := httptest.NewTLSServer(nil)
	defer one.Close()
	roots := x509.NewCertPool()
	roots.AddCert(one.Certificate())
	suite := conformance.Suite{TLS: &tls.Config{RootCAs: roots, ServerName: "example.com"}}
	suite.TestServer(t, func(t testing.TB, app wsgi.Application) (network, addr string) {
		return run(t, &server.Server{Logger: silent, TLSConfig: &tls.Config{Certificates: one.TLS.Certificates}}, app, listen(t))
	})
}

// TestServerSingleThread runs the server in its mode for one request at a time.
func TestServerSingleThread(t *testing.T) {
	suite := conformance.Suite{SingleThread: true, Only: []string{"THR", "ENV", "SRV", "ERR"}}
	suite.TestServer(t, func(t testing.TB, app wsgi.Application) (network, addr string) {
		return run(t, &server.Server{Logger: silent, SingleThread: true}, app, listen(t))
	})
}

// TestHandler puts the same application into the server of net/http.
func TestHandler(t *testing.T) {
	conformance.TestServer(t, func(t testing.TB, app wsgi.Application) (network, addr string) {
		s := httptest.NewUnstartedServer(server.Handler(app))
		s.Config.ErrorLog = slog.NewLogLogger(silent.Handler(), slog.LevelError)
		s.Start()
		t.Cleanup(s.Close)
		return s.Listener.Addr().Network(), s.Listener.Addr().String()
	})
}
