package conformance

import (
	"crypto/tls"
	"crypto/x509"
	"net/http/httptest"
	"sync"
)

// mutantMode is how a mutantServer is started.
type mutantMode int

const (
	plain      mutantMode = iota
	encrypted             // with TLS
	single                // one request at a time
	halfSingle            // as if: the body is iterated beside other requests
	oneShot               // as if a program were run for each request
)

// certificate is that of net/http/httptest, and the roots that vouch for it.
var certificate = sync.OnceValues(func() (tls.Certificate, *x509.CertPool) {
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s.TLS.Certificates[0], roots
})

// subject tells the suite how the server was started.
func (s *mutantServer) subject(d *dispatcher, network, addr string) *serverSubject {
	subject := &serverSubject{dispatcher: d, network: network, addr: addr, protocol: "http", log: s.log.Bytes}
	switch s.mode {
	case encrypted:
		_, roots := certificate()
		subject.tls = &tls.Config{RootCAs: roots, ServerName: "example.com"}
	case single, halfSingle:
		subject.single = true
	case oneShot:
		subject.protocol = "cgi"
	}
	return subject
}

// variables are those of the environ that depend on the mode.
func (s *mutantServer) variables(e map[string]any) {
	switch s.mode {
	case encrypted:
		e["wsgi.url_scheme"], e["HTTPS"], e["SSL_PROTOCOL"], e["SSL_CIPHER"] = "https", "on", "TLSv1.3", "TLS_AES_128_GCM_SHA256"
	case single, halfSingle:
		e["wsgi.multithread"] = false
	case oneShot:
		e["wsgi.multithread"], e["wsgi.multiprocess"], e["wsgi.run_once"] = false, true, true
	}
}

// alone lets one request at a time pass until done, where the mode wants it.
func (s *mutantServer) alone() (done func()) {
	switch s.mode {
	case single, oneShot, halfSingle:
		s.one.Lock()
		return sync.OnceFunc(s.one.Unlock)
	}
	return func() {}
}
