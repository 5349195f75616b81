package server

import (
	"crypto/tls"
	"encoding/pem"
)

var tlsKeys = []string{
	"HTTPS", "SSL_PROTOCOL", "SSL_CIPHER", "SSL_TLS_SNI",
	"SSL_CLIENT_VERIFY", "SSL_CLIENT_S_DN", "SSL_CLIENT_I_DN", "SSL_CLIENT_CERT",
}

// tlsVariable computes one of the variables of Apache's mod_ssl (ENV-10).
func tlsVariable(state *tls.ConnectionState, key string) (string, bool) {
	switch key {
	case "HTTPS":
		return "on", true
	case "SSL_PROTOCOL":
		switch state.Version {
		case tls.VersionTLS12:
			return "TLSv1.2", true
		case tls.VersionTLS13:
			return "TLSv1.3", true
		}
		return tls.VersionName(state.Version), true
	case "SSL_CIPHER":
		return tls.CipherSuiteName(state.CipherSuite), true
	case "SSL_TLS_SNI":
		return state.ServerName, state.ServerName != ""
	case "SSL_CLIENT_VERIFY":
		switch {
		case len(state.PeerCertificates) == 0:
			return "NONE", true
		case len(state.VerifiedChains) == 0:
			return "GENEROUS", true // shown, but the configuration did not verify it
		}
		return "SUCCESS", true
	}
	if len(state.PeerCertificates) == 0 {
		return "", false
	}
	cert := state.PeerCertificates[0]
	switch key {
	case "SSL_CLIENT_S_DN":
		return cert.Subject.String(), true
	case "SSL_CLIENT_I_DN":
		return cert.Issuer.String(), true
	case "SSL_CLIENT_CERT":
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})), true
	}
	return "", false
}
