package scgi

import (
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/internal/backend"
)

func TestMalformed(t *testing.T) {
	// head is a netstring of the block.
	head := func(block string) []byte { return append(adaptertest.Netstring(block), ',') }
	const good = "CONTENT_LENGTH\x000\x00SCGI\x001\x00REQUEST_METHOD\x00GET\x00PATH_INFO\x00/a\x00SERVER_PROTOCOL\x00HTTP/1.1\x00"
	with := func(list ...string) []byte {
		block := good
		for _, s := range list {
			block += s + "\x00"
		}
		return head(block)
	}
	subject.Malformed(t, backend.Options{MaxHeaderBytes: 64 << 10, MaxBodyBytes: 1 << 20}, []adaptertest.Malformed{
		{Name: "no digit", Raw: []byte("x"), Want: ""},
		{Name: "HTTP", Raw: []byte("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), Want: "", Says: "it looks like HTTP"},
		{Name: "TLS", Raw: []byte("\x16\x03\x01\x02\x00"), Want: "", Says: "it looks like TLS"},
		{Name: "11 digits", Raw: []byte("12345678901:"), Want: ""},
		{Name: "leading zero", Raw: []byte("05:"), Want: ""},
		{Name: "no colon", Raw: []byte("12345678901"), Want: ""},
		{Name: "length over the limit", Raw: []byte("70000:CONTENT_LENGTH\x00"), Want: "431"},
		{Name: "no comma", Raw: append(adaptertest.Netstring(good), ';'), Want: "400"},
		{Name: "no block", Raw: []byte("0:,"), Want: "400"},
		{Name: "no NUL at the end", Raw: head(strings.TrimSuffix(good, "\x00")), Want: "400"},
		{Name: "odd fields", Raw: with("NAME"), Want: "400"},
		{Name: "empty name", Raw: with("", "value"), Want: "400"},
		{Name: "CONTENT_LENGTH missing", Raw: head("SCGI\x001\x00REQUEST_METHOD\x00GET\x00"), Want: "400"},
		{Name: "CONTENT_LENGTH second", Raw: head("SCGI\x001\x00CONTENT_LENGTH\x000\x00REQUEST_METHOD\x00GET\x00"), Want: "400"},
		{Name: "CONTENT_LENGTH empty", Raw: head("CONTENT_LENGTH\x00\x00SCGI\x001\x00REQUEST_METHOD\x00GET\x00"), Want: "400"},
		{Name: "CONTENT_LENGTH +5", Raw: head("CONTENT_LENGTH\x00+5\x00SCGI\x001\x00REQUEST_METHOD\x00GET\x00"), Want: "400"},
		{Name: "CONTENT_LENGTH 5, 5", Raw: head("CONTENT_LENGTH\x005, 5\x00SCGI\x001\x00REQUEST_METHOD\x00GET\x00"), Want: "400"},
		{Name: "CONTENT_LENGTH 0x5", Raw: head("CONTENT_LENGTH\x000x5\x00SCGI\x001\x00REQUEST_METHOD\x00GET\x00"), Want: "400"},
		{Name: "CONTENT_LENGTH 5 and a blank", Raw: head("CONTENT_LENGTH\x005 \x00SCGI\x001\x00REQUEST_METHOD\x00GET\x00"), Want: "400"},
		{Name: "CONTENT_LENGTH 5x", Raw: head("CONTENT_LENGTH\x005x\x00SCGI\x001\x00REQUEST_METHOD\x00GET\x00"), Want: "400"},
		{Name: "CONTENT_LENGTH 9223372036854775808", Raw: head("CONTENT_LENGTH\x009223372036854775808\x00SCGI\x001\x00REQUEST_METHOD\x00GET\x00"), Want: "400"},
		{Name: "CONTENT_LENGTH -1", Raw: head("CONTENT_LENGTH\x00-1\x00SCGI\x001\x00REQUEST_METHOD\x00GET\x00"), Want: "400"},
		{Name: "CONTENT_LENGTH twice", Raw: with("CONTENT_LENGTH", "1"), Want: "400"},
		{Name: "body over the limit", Raw: head("CONTENT_LENGTH\x001048577\x00SCGI\x001\x00REQUEST_METHOD\x00GET\x00"), Want: "413"},
		{Name: "less than the client's length", Raw: head("CONTENT_LENGTH\x005\x00SCGI\x001\x00REQUEST_METHOD\x00POST\x00PATH_INFO\x00/\x00HTTP_CONTENT_LENGTH\x0010\x00"), Want: "400"},
		{Name: "SCGI missing", Raw: head("CONTENT_LENGTH\x000\x00REQUEST_METHOD\x00GET\x00"), Want: "400"},
		{Name: "SCGI 2", Raw: head("CONTENT_LENGTH\x000\x00SCGI\x002\x00REQUEST_METHOD\x00GET\x00"), Want: "400"},
		{Name: "no method", Raw: head("CONTENT_LENGTH\x000\x00SCGI\x001\x00"), Want: "400"},
		{Name: "protocol", Raw: with("SERVER_PROTOCOL", "junk"), Want: "400"},
		{Name: "name with =", Raw: with("A=B", "x"), Want: "400"},
		{Name: "LF in a header", Raw: with("HTTP_X", "a\nb"), Want: "400"},
		{Name: "two hosts", Raw: with("HTTP_HOST", "a", "HTTP_HOST", "b"), Want: "400"},
		{Name: "path without slash", Raw: head("CONTENT_LENGTH\x000\x00SCGI\x001\x00REQUEST_METHOD\x00GET\x00PATH_INFO\x00a\x00"), Want: "400"},
		{Name: "1001 variables", Raw: head(good + strings.Join(adaptertest.Numbered(1000), "\x00") + "\x00"), Want: "431"},
	})
}

func TestLies(t *testing.T) {
	head := append(adaptertest.Netstring("CONTENT_LENGTH\x00999999999999999999\x00SCGI\x001\x00REQUEST_METHOD\x00POST\x00PATH_INFO\x00/a\x00"), ',')
	subject.Lies(t, map[string][]byte{
		"netstring": []byte("999999999:CONTENT_LENGTH\x000"),
		"body":      append(head, "body"...),
	})
	clientSubject.Lies(t, map[string][]byte{
		"body": []byte("Status: 200 OK\r\nContent-Length: 999999999999999999\r\n\r\nbody"),
		"head": []byte("Status: 200 OK\r\nContent-Length: 999999999999999999\r\n"),
	})
}
