package main

import (
	"crypto/tls"
	"fmt"
	"sync/atomic"

	"github.com/gowsgi/gowsgi/server"
)

// keyPair is the certificate of --tls-cert and --tls-key, which can be read again.
type keyPair struct {
	certFile, keyFile string
	current           atomic.Pointer[tls.Certificate]
}

func (c *keyPair) load() error {
	cert, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("certificate %s, key %s: %w", c.certFile, c.keyFile, err)
	}
	c.current.Store(&cert)
	return nil
}

// config is for a server that speaks TLS with the certificate as it is read last.
func (c *keyPair) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		return c.current.Load(), nil
	}}
}

// reloadCertificate reads the certificate again: it has been renewed, as a rule.
func (c *config) reloadCertificate(s *server.Server) {
	if c.certificate == nil {
		return
	}
	if err := c.certificate.load(); err != nil {
		s.Logger.Error("the certificate was not read again; the one that was there stays", "error", err.Error())
		return
	}
	s.Logger.Info("certificate read again", "file", c.tlsCert, "until", c.certificate.current.Load().Leaf.NotAfter)
}
