package uwsgi

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/internal/backend"
	"github.com/gowsgi/gowsgi/internal/uwsgi"
)

func TestMalformed(t *testing.T) {
	pairs := func(list ...string) []byte {
		b, err := uwsgi.Append(nil, func(yield func(name, value string) bool) {
			for i := 0; i < len(list) && yield(list[i], list[i+1]); i += 2 {
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	plain := []string{"REQUEST_METHOD", "GET", "PATH_INFO", "/a"}
	with := func(list ...string) []byte { return pairs(append(slices.Clone(plain), list...)...) }
	// after is a packet whose variables are followed by text.
	after := func(text string) []byte {
		b := append(with(), text...)
		binary.LittleEndian.PutUint16(b[1:], uint16(len(b)-uwsgi.HeaderLen))
		return b
	}
	subject.Malformed(t, backend.Options{MaxHeaderBytes: 32 << 10}, []adaptertest.Malformed{
		{Name: "HTTP", Raw: []byte("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), Want: "", Says: "it looks like HTTP"},
		{Name: "TLS", Raw: []byte("\x16\x03\x01\x02\x00"), Want: "", Says: "it looks like TLS"},
		{Name: "PSGI", Raw: append([]byte{5}, with()[1:]...), Want: ""},
		{Name: "ping", Raw: []byte("\x64\x00\x00\x00"), Want: ""},
		{Name: "RPC", Raw: []byte("\xad\x05\x00\x00\x03\x00abc"), Want: ""},
		{Name: "no variables", Raw: []byte("\x00\x00\x00\x00"), Want: ""},
		{Name: "three bytes", Raw: []byte("\x00\x03\x00\x00abc"), Want: ""},
		{Name: "size over the limit", Raw: []byte("\x00\xff\xff\x00"), Want: ""},
		{Name: "empty name", Raw: after("\x00\x00\x01\x00v"), Want: "400"},
		{Name: "name too long", Raw: after("\x05\x00name"), Want: "400"},
		{Name: "value too long", Raw: after("\x01\x00n\xff\xffv"), Want: "400"},
		{Name: "one stray byte", Raw: after("\x00"), Want: "400"},
		{Name: "two stray bytes", Raw: after("\x01\x00"), Want: "400"},
		{Name: "three stray bytes", Raw: after("\x01\x00n"), Want: "400"},
		{Name: "1001 variables", Raw: pairs(adaptertest.Numbered(1001)...), Want: "431"},
		{Name: "CONTENT_LENGTH abc", Raw: with("CONTENT_LENGTH", "abc"), Want: "400"},
		{Name: "CONTENT_LENGTH -1", Raw: with("CONTENT_LENGTH", "-1"), Want: "400"},
		{Name: "CONTENT_LENGTH beyond 2^63", Raw: with("CONTENT_LENGTH", "9223372036854775808"), Want: "400"},
		{Name: "no method", Raw: pairs("PATH_INFO", "/a"), Want: "400"},
		{Name: "NUL in a name", Raw: with("A\x00", "x"), Want: "400"},
		{Name: "CR in a header", Raw: with("HTTP_X", "a\rb"), Want: "400"},
	})
}

func TestLies(t *testing.T) {
	head, err := uwsgi.Append(nil, func(yield func(name, value string) bool) {
		_ = yield("REQUEST_METHOD", "POST") && yield("PATH_INFO", "/a") && yield("CONTENT_LENGTH", "999999999999999999")
	})
	if err != nil {
		t.Fatal(err)
	}
	subject.Lies(t, map[string][]byte{
		"packet":   []byte("\x00\xff\xff\x00\x0e\x00REQUEST"),
		"variable": []byte("\x00\x06\x00\x00\xff\xffREQU"),
		"body":     append(head, "body"...),
	})
	clientSubject.Lies(t, map[string][]byte{
		"body":  []byte("HTTP/1.1 200 OK\r\nContent-Length: 999999999999999999\r\n\r\nbody"),
		"chunk": []byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\nbody"),
	})
}
