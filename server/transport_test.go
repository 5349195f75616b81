package server

import (
	"net/http"
	"testing"
)

func TestIsCanonical(t *testing.T) {
	for _, name := range []string{
		"Vary", "vary", "VARY", "vAry", "X-Request-Id", "X-Request-ID", "x-a", "X-a", "X--A", "X--a", "-X", "-x", "X-", "0x", "0X",
		"A!b", "A!B", "Www-Authenticate", "WWW-Authenticate", "ETag", "Etag", "Sec-Websocket-Key", "Te", "A_b", "A_B", "a", "A",
	} {
		if got, want := isCanonical(name), http.CanonicalHeaderKey(name) == name; got != want {
			t.Errorf("isCanonical(%q) = %v, net/http makes %q of it", name, got, http.CanonicalHeaderKey(name))
		}
	}
}
