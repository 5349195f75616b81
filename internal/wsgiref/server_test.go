package wsgiref_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// TestServer is about what only a socket shows.
func TestServer(t *testing.T) {
	t.Run("HTTP-17/greeting-as-bytes", func(t *testing.T) {
		l := serve(t, &server.Server{
			App:      answer("200 OK", fields("Date", date, "Content-Type", "text/plain"), wsgi.Strings("good day")),
			Software: "shop/1.0",
		})
		want := "HTTP/1.0 200 OK\r\nContent-Length: 8\r\nContent-Type: text/plain\r\nDate: " + date +
			"\r\nServer: shop/1.0\r\n\r\ngood day"
		if got := l.raw(t, "GET / HTTP/1.0\r\n\r\n"); got != want {
			t.Errorf("answer is %q, expected %q", got, want)
		}
	})
	t.Run("CGI-23/fields-that-are-repeated", func(t *testing.T) {
		l := serve(t, &server.Server{App: show("HTTP_X_DAY", "QUERY_STRING", "PATH_INFO")})
		req := wsgitest.NewRequest("GET", "/sh%6Fp/?of=%61").With("X-Day", "good day ").With("x-day", " and night")
		if got, want := l.send(req).Text(), "good day, and night\nof=%61\n/shop/"; got != want {
			t.Errorf("variables are %q, expected %q", got, want)
		}
	})
	t.Run("SRV-08/endless-target", func(t *testing.T) {
		l := serve(t, &server.Server{App: show("REQUEST_METHOD")})
		if res := l.send(wsgitest.NewRequest("GET", "/"+strings.Repeat("x", 80<<10))); res.Code != 431 {
			t.Errorf("response is %q, %v, expected 431", res.Status, res.Err)
		}
		if res := l.send(&wsgitest.Request{}); res.Code != 200 {
			t.Errorf("then the response is %q, %v", res.Status, res.Err)
		}
	})
	t.Run("STR-06/path-that-is-no-text", func(t *testing.T) {
		l := serve(t, &server.Server{App: show("PATH_INFO")})
		if got, want := l.send(wsgitest.NewRequest("GET", "/\x9c%9C%e2%82%ac")).Text(), "/\x9c\x9c\xe2\x82\xac"; got != want {
			t.Errorf("PATH_INFO is %q, expected %q", got, want)
		}
	})
	t.Run("BUF-02/block-larger-than-the-socket-takes", func(t *testing.T) {
		block := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
		l := serve(t, &server.Server{App: answer("200 OK", nil, wsgi.Bytes(block))})
		c := l.dial(t)
		fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(res.Body); !bytes.Equal(got, block) || err != nil {
			t.Errorf("%d bytes came, %v, expected %d, as they were", len(got), err, len(block))
		}
	})
	t.Run("HDR-16/heads", func(t *testing.T) {
		for _, software := range []string{"", "shop/1.0"} {
			l := serve(t, &server.Server{App: answer("200 OK", nil, wsgi.Empty()), Software: software})
			for _, version := range []string{"1.0", "1.1"} {
				form := `HTTP/` + version + ` 200 OK\r\nContent-Length: 0\r\n` +
					map[string]string{"": ``, "shop/1.0": `Server: shop/1\.0\r\n`}[software] +
					`Date: (Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n` +
					map[string]string{"1.0": ``, "1.1": `Connection: close\r\n`}[version] + `\r\n`
				got := l.raw(t, "GET / HTTP/"+version+"\r\nHost: h\r\nConnection: close\r\n\r\n")
				if !regexp.MustCompile(`^` + form + `$`).MatchString(got) {
					t.Errorf("Software %q: head is %q, expected the form %s", software, got, form)
				}
			}
			// Of what is shorter than the preface of HTTP/2 net/http waits for
			// more.
			if got := l.raw(t, "GET /greeting/of/the/day\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 400 Bad Request\r\n") {
				t.Errorf("the answer to HTTP/0.9 is %q, expected 400", got)
			}
		}
	})
	t.Run("ERR-15/connection-reset", func(t *testing.T) {
		closed := make(chan struct{})
		l := serve(t, &server.Server{App: answer("200 OK", nil, body{
			func(yield func([]byte, error) bool) {
				for yield(make([]byte, 64<<10), nil) {
				}
			},
			func() error { close(closed); return nil },
		})})
		c := l.dial(t)
		fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		io.ReadFull(c, make([]byte, 1))
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
		select {
		case <-closed: // the report came before
		case <-time.After(patience):
			t.Fatal("the body was not closed")
		}
		if log := l.log.String(); !strings.Contains(log, "client left") || strings.Contains(log, "level=ERROR") || strings.Contains(log, "level=WARN") {
			t.Errorf("log is %q, expected one line at level debug", log)
		}
	})
}
