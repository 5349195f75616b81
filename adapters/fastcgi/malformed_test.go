package fastcgi

import (
	"bytes"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/internal/backend"
	"github.com/gowsgi/gowsgi/internal/fcgi"
)

// begin is a BEGIN_REQUEST for a Responder with the id 1, and end what follows
// the variables of a request without a body.
var (
	begin = fcgi.AppendBegin(nil, 1, fcgi.Responder, 0)
	end   = fcgi.AppendStreamEnd(fcgi.AppendStreamEnd(nil, fcgi.Params, 1), fcgi.Stdin, 1)
)

// params is a request with the given names and values, after a method and a
// path.
func params(list ...string) []byte {
	b := bytes.Clone(begin)
	var content []byte
	for i := 0; i < len(list); i += 2 {
		content = fcgi.AppendPair(content, list[i], list[i+1])
	}
	content = fcgi.AppendPair(content, "REQUEST_METHOD", "GET")
	content = fcgi.AppendPair(content, "PATH_INFO", "/a")
	return append(fcgi.AppendStream(b, fcgi.Params, 1, content), end...)
}

// rawParams is a request whose PARAMS stream is text.
func rawParams(text string) []byte {
	return append(fcgi.AppendStream(bytes.Clone(begin), fcgi.Params, 1, []byte(text)), end...)
}

func TestMalformed(t *testing.T) {
	const method = "\x0e\x03REQUEST_METHODGET"
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	// kept is a request on a connection that the web server would keep: it is
	// closed all the same, where the rest of the variables cannot be trusted.
	kept := func(request []byte) []byte {
		request = bytes.Clone(request)
		request[fcgi.HeaderLen+2] |= fcgi.KeepConn
		return request
	}
	subject.Malformed(t, backend.Options{MaxHeaderBytes: 100 << 10, MaxBodyBytes: 1000}, []adaptertest.Malformed{
		{Name: "version 0", Raw: []byte("\x00\x01\x00\x01\x00\x08\x00\x00"), Want: ""},
		{Name: "version 2", Raw: []byte("\x02\x01\x00\x01\x00\x08\x00\x00"), Want: ""},
		{Name: "HTTP", Raw: []byte("GET / HTTP/1.1\r\n\r\n"), Want: "", Says: "it looks like HTTP"},
		{Name: "BEGIN of 7 bytes", Raw: []byte("\x01\x01\x00\x01\x00\x07\x00\x00\x00\x01\x00\x00\x00\x00\x00"), Want: ""},
		{Name: "BEGIN of 0 bytes", Raw: []byte("\x01\x01\x00\x01\x00\x00\x00\x00"), Want: ""},
		{Name: "BEGIN of id 0", Raw: fcgi.AppendBegin(nil, 0, fcgi.Responder, 0), Want: ""},
		{Name: "ABORT of id 0", Raw: fcgi.AppendAbort(nil, 0), Want: ""},
		{Name: "PARAMS of id 0", Raw: []byte("\x01\x04\x00\x00\x00\x00\x00\x00"), Want: ""},
		{Name: "STDIN of id 0", Raw: fcgi.AppendRecord(nil, fcgi.Stdin, 0, []byte("x")), Want: ""},
		{Name: "DATA of id 0", Raw: fcgi.AppendRecord(nil, fcgi.Data, 0, []byte("x")), Want: ""},
		{Name: "GET_VALUES that lies", Raw: fcgi.AppendRecord(nil, fcgi.GetValues, 0, []byte("\x05\x00a")), Want: ""},
		{Name: "1001 management records", Raw: bytes.Repeat(fcgi.AppendHeader(nil, fcgi.Header{Type: 77}), 1001), Want: ""},
		{Name: "name ends early", Raw: rawParams(method + "\x05\x00abc"), Want: "400"},
		{Name: "value ends early", Raw: rawParams(method + "\x01\x05abc"), Want: "400"},
		{Name: "length ends early", Raw: rawParams(method + "\x80\x00"), Want: "400"},
		{Name: "lengths of 2^31-1", Raw: rawParams(method + "\xff\xff\xff\xff\xff\xff\xff\xffab"), Want: "400"},
		{Name: "empty name", Raw: rawParams(method + "\x00\x01v"), Want: "400"},
		{Name: "STDIN before the end of PARAMS", Raw: join(begin, fcgi.AppendStream(nil, fcgi.Stdin, 1, []byte("x"))), Want: "400"},
		{Name: "end of STDIN before that of PARAMS", Raw: join(begin, fcgi.AppendStreamEnd(nil, fcgi.Stdin, 1)), Want: "400"},
		{Name: "PARAMS over the limit", Raw: params("HTTP_X", strings.Repeat("v", 101<<10)), Want: "431"},
		{Name: "1001 variables", Raw: params(adaptertest.Numbered(1000)...), Want: "431"},
		{Name: "PARAMS over the limit, kept", Raw: kept(params("HTTP_X", strings.Repeat("v", 101<<10))), Want: "431"},
		{Name: "1001 variables, kept", Raw: kept(params(adaptertest.Numbered(1000)...)), Want: "431"},
		{Name: "name ends early, kept", Raw: kept(rawParams(method + "\x05\x00abc")), Want: "400"},
		{Name: "no variables", Raw: join(begin, end), Want: "400"},
		{Name: "CONTENT_LENGTH 5x", Raw: params("CONTENT_LENGTH", "5x"), Want: "400"},
		{Name: "CONTENT_LENGTH -2", Raw: params("CONTENT_LENGTH", "-2"), Want: "400"},
		{Name: "body over the limit", Raw: params("CONTENT_LENGTH", "1001"), Want: "413"},
		{Name: "two protocols", Raw: params("SERVER_PROTOCOL", "HTTP/1.1", "SERVER_PROTOCOL", "HTTP/1.0"), Want: "400"},
		{Name: "NUL in the path", Raw: params("SCRIPT_NAME", "/\x00"), Want: "400"},
	})
}

func TestLies(t *testing.T) {
	record := func(kind fcgi.Type, content string) []byte { // of 65535 bytes and 255 of padding, of which content comes
		return append(fcgi.AppendHeader(nil, fcgi.Header{Type: kind, ID: 1, Length: 65535, Padding: 255}), content...)
	}
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	subject.Lies(t, map[string][]byte{
		"PARAMS":      join(begin, record(fcgi.Params, "\x0e\x03REQUEST")),
		"pair":        rawParams("\xff\xff\xff\xff\xff\xff\xff\xffab"),
		"STDIN":       join(bytes.TrimSuffix(params("CONTENT_LENGTH", "999999999999999999"), end[8:]), record(fcgi.Stdin, "body")),
		"GET_VALUES":  fcgi.AppendHeader(nil, fcgi.Header{Type: fcgi.GetValues, Length: 65535}),
		"of no type":  fcgi.AppendHeader(nil, fcgi.Header{Type: 77, Length: 65535}),
		"BEGIN alone": fcgi.AppendHeader(nil, fcgi.Header{Type: fcgi.BeginRequest, ID: 1, Length: 65535}),
	})
	clientSubject.Lies(t, map[string][]byte{
		"STDOUT":      record(fcgi.Stdout, "Status: 200 OK\r\n\r\nbody"),
		"length":      record(fcgi.Stdout, "Status: 200 OK\r\nContent-Length: 999999999999999999\r\n\r\nbody"),
		"STDERR":      record(fcgi.Stderr, "said"),
		"END_REQUEST": record(fcgi.EndRequest, "1234"),
		"management":  fcgi.AppendHeader(nil, fcgi.Header{Type: 77, Length: 65535}),
	})
}
