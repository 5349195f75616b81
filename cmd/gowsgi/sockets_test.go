//go:build unix

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestInherited starts the command as systemd does, with a socket that listens
// already.
func TestInherited(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	socket, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	cmd := self(t, []string{"LISTEN_FDS=1", "LISTEN_FDNAMES=web"}, "serve")
	// LISTEN_PID is known once the process runs: a shell that becomes it.
	cmd.Args = append([]string{"sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
	cmd.ExtraFiles = []*os.File{socket} // descriptor 3
	c := startCommand(t, cmd)
	if base, want := c.url(), "http://"+l.Addr().String()+"/"; base != want {
		t.Errorf("the URL is %s, want %s", base, want)
	}
	if status, _ := get(t, http.DefaultClient, "http://"+l.Addr().String()+"/"); status != 200 {
		t.Errorf("status %d, want 200", status)
	}
	c.stop()
}

// certificate writes a certificate for 127.0.0.1 that signs itself.
func certificate(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	certFile = write("cert.pem", "CERTIFICATE", cert)
	keyFile = write("key.pem", "PRIVATE KEY", private)
	parsed, err := x509.ParseCertificate(cert)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(parsed)
	return certFile, keyFile, pool
}

func TestTLS(t *testing.T) {
	certFile, keyFile, pool := certificate(t)
	c := start(t, nil, "--listen", "127.0.0.1:0", "--tls-cert", certFile, "--tls-key", keyFile)
	base := c.url()
	for _, test := range []struct {
		proto string
		http2 bool
	}{{"HTTP/1.1", false}, {"HTTP/2.0", true}} {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: test.http2}
		defer transport.CloseIdleConnections()
		response, err := (&http.Client{Transport: transport}).Get(base + "hello")
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != 200 || response.Proto != test.proto {
			t.Errorf("got %s over %s, want 200 over %s", response.Status, response.Proto, test.proto)
		}
	}
	c.stop()
}
