//go:build unix

package main

import (
	"io"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestRefused counts what no application has seen.
func TestRefused(t *testing.T) {
	t.Parallel()
	c := start(t, nil, "--listen", "127.0.0.1:0", "--listen", "scgi://127.0.0.1:0", "--admin", "127.0.0.1:0", "--max-body", "10", "--max-header", "8KiB")
	admin := c.admin()
	base, err := url.Parse(c.url())
	if err != nil {
		t.Fatal(err)
	}
	scgi := c.wait(`listening address=scgi://(\S+)`)[1]
	const variables = "CONTENT_LENGTH\x0011\x00SCGI\x001\x00REQUEST_METHOD\x00POST\x00PATH_INFO\x00/\x00"
	for _, request := range []struct{ addr, text string }{
		{base.Host, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n"},
		{base.Host, "GET / HTTP/1.1\r\nHost: a\r\na: " + strings.Repeat("a", 20000) + "\r\n\r\n"},
		{base.Host, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"},
		{base.Host, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
		{base.Host, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"},
		{scgi, strconv.Itoa(len(variables)) + ":" + variables + ","},
	} {
		conn, err := net.Dial("tcp", request.addr)
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(patience))
		io.WriteString(conn, request.text)
		answer, _ := io.ReadAll(conn)
		conn.Close()
		t.Logf("%.30q: %.40q", request.text, answer)
	}
	counts(t, admin,
		`gowsgi_requests_refused_total{protocol="http",code="413"} 1`,
		`gowsgi_requests_refused_total{protocol="http",code="431"} 1`,
		`gowsgi_requests_refused_total{protocol="http",code="400"} 2`,
		`gowsgi_requests_refused_total{protocol="scgi",code="413"} 1`,
		`gowsgi_requests_total{protocol="http",code="4xx"} 0`,
		`gowsgi_requests_total{protocol="http",code="2xx"} 1`)
	c.stop()
}

// TestRefusedSilently counts what the log does not have because of --log-level.
func TestRefusedSilently(t *testing.T) {
	var text strings.Builder
	a := &admin{refused: make(map[string]*refused)}
	log := a.counting("http", slog.New(newConsole(&text, slog.LevelError))).With("a", 1).WithGroup("b")
	log.Warn("request refused", "status", "431 Too Large")
	log.Warn("request refused", "reason", "TLS handshake failed")
	log.Warn("something else", "status", "400 Bad Request")
	if diff := cmp.Diff(map[string]int64{"431": 1}, a.refused["http"].seen()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if text.Len() > 0 {
		t.Errorf("the log has %q", text.String())
	}
}
