package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// certificate makes a self-signed certificate for 127.0.0.1 and tests.
func certificate(t testing.TB, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		DNSNames:     []string{"test.example"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func tlsConfig(t testing.TB) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{certificate(t, "server")}}
}

// TestServerTLSListener meets what comes to a TLS port without speaking TLS.
func TestServerTLSListener(t *testing.T) {
	s := &server.Server{App: wsgi.AppFunc(text("x")), ReadHeaderTimeout: 200 * time.Millisecond, TLSConfig: tlsConfig(t)}
	l := serve(t, s)
	dial := func() *client {
		clear := l.in(t)
		clear.server = new(server.Server) // dial in clear
		return clear.dial()
	}
	t.Run("HTTP", func(t *testing.T) {
		if got := dial().send("%s", get("/")).rest(); !strings.Contains(got, "speaks TLS") {
			t.Errorf("answer is %q", got)
		}
		eventually(t, "a log line", func() bool { return strings.Contains(l.log.String(), "HTTP on a TLS port") })
	})
	t.Run("garbage", func(t *testing.T) {
		dial().send("garbage garbage garbage").rest()
		eventually(t, "a log line", func() bool { return strings.Contains(l.log.String(), "TLS handshake failed") })
	})
	t.Run("silence", func(t *testing.T) {
		if got := dial().rest(); got != "" {
			t.Errorf("answer is %q, expected the end of the connection", got)
		}
	})
	t.Run("does not hold up others", func(t *testing.T) {
		l := serve(t, &server.Server{App: wsgi.AppFunc(text("x")), ReadHeaderTimeout: -1, TLSConfig: tlsConfig(t)})
		clear := l.in(t)
		clear.server = new(server.Server)
		clear.dial() // says nothing, and for ever
		if a := l.roundTrip(get("/")); a.body != "x" {
			t.Errorf("answer is %q", a.body)
		}
	})
	t.Run("closed during a handshake", func(t *testing.T) {
		dial() // noLeaks sees to the rest
	})
}
