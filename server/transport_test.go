package server

import (
	"net/http"
	"testing"

	"github.com/gowsgi/gowsgi/wsgi"
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

// Names that fieldKey passes without a look are what it would have made of them.
func TestFieldKey(t *testing.T) {
	for _, name := range []string{
		"Content-Type", "Content-Length", "Cache-Control", "Content-Encoding", "Last-Modified", "Location", "Set-Cookie", "Vary",
		"Content-Security-Policy", "Cross-Origin-Opener-Policy", "Referrer-Policy", "Strict-Transport-Security",
		"X-Content-Type-Options", "X-Frame-Options", "X-Request-Id",
	} {
		if want := http.CanonicalHeaderKey(name); name != want {
			t.Errorf("%s is not canonical, net/http makes %s of it", name, want)
		}
		if got := fieldKey(wsgi.Headers{{Name: name}}, 0); got != name {
			t.Errorf("fieldKey makes %q of %q", got, name)
		}
	}
}
