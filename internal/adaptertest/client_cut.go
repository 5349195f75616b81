package adaptertest

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"

	"github.com/gowsgi/gowsgi/internal/forward"
	"github.com/gowsgi/gowsgi/wsgi"
)

// cut: a response that breaks off does not look whole.
func (c Client) cut(t *testing.T) {
	url := c.behind(t, forward.Options{}, func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		headers := wsgi.Headers{{Name: "Content-Type", Value: "text/plain"}}
		if environ.Var("QUERY_STRING") == "length" {
			headers.Add("Content-Length", "100")
		}
		start("200 OK", headers, nil)
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			if yield([]byte("begun"), nil) {
				yield(nil, io.ErrUnexpectedEOF)
			}
		}), nil
	})
	for _, query := range []string{"", "?length"} {
		// The reset may overtake what was sent before it.
		if a := ask(t, "GET", url+query, nil); a.Code != 502 && (a.Code != 200 || a.Err == nil) {
			t.Errorf("with the query %q a response that was cut came as %d %q, %v", query, a.Code, a.Body, a.Err)
		}
	}
}

// cutUpload: a response that breaks off does not look whole either when the
// request is still being sent, and the sender is the one who learns of the
// reset.
func (c Client) cutUpload(t *testing.T) {
	seen := make(chan bool)
	head := "Status: 200 OK\r\n\r\n"
	if c.Protocol == "uwsgi" || c.Protocol == "http" {
		head = "HTTP/1.1 200 OK\r\n\r\n"
	}
	addr := Hostile(t, func(conn net.Conn) {
		io.CopyN(io.Discard, conn, 256<<10)
		conn.Write(Answer(c.Protocol, head+"begun", false))
		<-seen
		io.CopyN(io.Discard, conn, 64<<10) // to have the sender at work
		conn.(*net.TCPConn).SetLinger(0)
	})
	app := c.New(forward.Options{Addrs: []string{addr}, Logger: Silent})
	for range 50 {
		environ := wsgi.EnvironFromMap(map[string]any{"REQUEST_METHOD": "POST", "CONTENT_LENGTH": strconv.Itoa(1 << 30),
			"wsgi.input": wsgi.NewInput(io.LimitReader(zeros{}, 1<<30))})
		body, err := app.Call(environ, func(status string, _ wsgi.Headers, _ error) (wsgi.Write, error) {
			if status != "200 OK" {
				t.Fatalf("the status is %q, expected that of the head which came whole", status)
			}
			return nil, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var end error
		func() {
			defer func() { // by which a net/http handler, as ReverseProxy is, cuts a response
				if v := recover(); v != nil && v != http.ErrAbortHandler {
					panic(v)
				} else if v != nil {
					end = http.ErrAbortHandler
				}
			}()
			for block, err := range body.Blocks {
				if end = err; len(block) > 0 {
					seen <- true
				}
			}
		}()
		if body.Close(); end == nil {
			t.Fatal("a response that was cut while the request was being sent looks whole")
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
