package adaptertest

import (
	"io"
	"net"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/internal/forward"
)

// RawResponse is what a backend sends, and what the client of HTTP gets of it.
type RawResponse struct {
	Name string
	Raw  string
	Code int    // 0 for none
	Body string // of a response that is whole
	Cut  bool   // the client sees that it is not
}

// Responses are what every protocol with a head of lines has in common.
func Responses(protocol string) []RawResponse {
	line := "HTTP/1.1 "
	if protocol == "scgi" || protocol == "fastcgi" {
		line = "Status: "
	}
	list := []RawResponse{
		{Name: "plain", Raw: line + "200 OK\r\nContent-Type: text/plain\r\n\r\nbody", Code: 200, Body: "body"},
		{Name: "LF only", Raw: line + "200 OK\nContent-Length: 4\n\nbody", Code: 200, Body: "body"},
		{Name: "no phrase", Raw: line + "404\r\n\r\nbody", Code: 404, Body: "body"},
		{Name: "tab in a value", Raw: line + "200 OK\r\nX-A: a\tb\r\n\r\nbody", Code: 200, Body: "body"},
		{Name: "hop-by-hop", Raw: line + "200 OK\r\nConnection: close, X-B\r\nX-B: 1\r\nKeep-Alive: 5\r\n\r\nbody", Code: 200, Body: "body"},
		{Name: "204 with a body", Raw: line + "204 No Content\r\n\r\nbody", Code: 204, Body: ""},
		{Name: "length too small", Raw: line + "200 OK\r\nContent-Length: 2\r\n\r\nbody", Code: 200, Body: "bo"},
		{Name: "length too large", Raw: line + "200 OK\r\nContent-Length: 9\r\n\r\nbody", Code: 200, Body: "body", Cut: true},
		{Name: "huge length", Raw: line + "200 OK\r\nContent-Length: 999999999999999999\r\n\r\nbody", Code: 200, Body: "body", Cut: true},
		{Name: "nothing", Raw: "", Code: 502},
		{Name: "garbage", Raw: "garbage\r\n\r\n", Code: 502},
		{Name: "head ends early", Raw: line + "200 OK\r\nContent-Ty", Code: 502},
		{Name: "two lengths", Raw: line + "200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nbody", Code: 502},
		{Name: "length of letters", Raw: line + "200 OK\r\nContent-Length: four\r\n\r\nbody", Code: 502},
		{Name: "name with a blank", Raw: line + "200 OK\r\nBad Name: x\r\n\r\nbody", Code: 502},
		{Name: "folded line", Raw: line + "200 OK\r\nX-A: a\r\n b\r\n\r\nbody", Code: 502},
		{Name: "NUL in a value", Raw: line + "200 OK\r\nX-A: a\x00b\r\n\r\nbody", Code: 502},
		{Name: "interim status", Raw: line + "103 Early Hints\r\n\r\n" + line + "200 OK\r\n\r\nbody", Code: 502},
		{Name: "status of two digits", Raw: line + "20 OK\r\n\r\nbody", Code: 502},
		{Name: "unknown coding", Raw: line + "200 OK\r\nTransfer-Encoding: gzip\r\n\r\nbody", Code: 502},
	}
	if protocol != "uwsgi" {
		return append(list,
			RawResponse{Name: "no status", Raw: "Content-Type: text/plain\r\n\r\nbody", Code: 200, Body: "body"},
			RawResponse{Name: "location alone", Raw: "Location: /elsewhere\r\n\r\n", Code: 302},
			RawResponse{Name: "two statuses", Raw: "Status: 200 OK\r\nStatus: 404 Not Found\r\n\r\nbody", Code: 502},
			RawResponse{Name: "chunks", Raw: "Status: 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n", Code: 502})
	}
	return append(list,
		RawResponse{Name: "status as a field", Raw: "Status: 201 Made\r\n\r\nbody", Code: 201, Body: "body"},
		RawResponse{Name: "chunks", Raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n", Code: 200, Body: "body"},
		RawResponse{Name: "chunks that end early", Raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n", Code: 200, Body: "body", Cut: true},
		RawResponse{Name: "chunks that lie", Raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbodybody\r\n", Code: 200, Body: "body", Cut: true},
		RawResponse{Name: "chunks and length", Raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n4\r\nbody\r\n0\r\n\r\n", Code: 502})
}

// Hostile gives the client each response, and compares what reaches a client of
// HTTP.
func (c Client) Hostile(t *testing.T, list []RawResponse) {
	Leaks(t)
	for _, tt := range list {
		t.Run(tt.Name, func(t *testing.T) {
			addr := Hostile(t, func(conn net.Conn) {
				conn.Read(make([]byte, 4<<10))
				io.WriteString(conn, tt.Raw)
				if half, ok := conn.(*net.TCPConn); ok {
					half.CloseWrite()
				}
				io.Copy(io.Discard, conn)
			})
			url := front(t, c.New(forward.Options{Network: "tcp", Addrs: []string{addr}, Logger: Silent}))
			a := ask(t, "GET", url, nil)
			body := tt.Body
			switch tt.Code {
			case 502:
				body = "502 Bad Gateway\n"
			case 503:
				body = "503 Service Unavailable\n"
			}
			if a.Code != tt.Code || tt.Cut == (a.Err == nil) || !strings.HasPrefix(body, a.Body) || !tt.Cut && a.Body != body {
				t.Errorf("%q came as %d %q, %v, expected %d %q, cut %t", tt.Raw, a.Code, a.Body, a.Err, tt.Code, body, tt.Cut)
			}
			if tt.Code < 500 && (a.Header.Get("X-B") != "" || a.Header.Get("Keep-Alive") != "") {
				t.Errorf("headers of the connection to the backend came through: %v", a.Header)
			}
		})
	}
}

// ClientFields checks that every field of an adapter's Client has an effect:
// that it is among the options that made makes of it.
func ClientFields[C any](t *testing.T, made func(client *C) (forward.Options, error)) {
	o := clientOptions()
	got, err := made(SetClient(new(C), o))
	if err != nil {
		t.Fatal(err)
	}
	compareFields[C](t, o, got)
}
