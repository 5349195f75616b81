package wsgitest_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// listen answers each connection with the given bytes once the head of the
// request has come, and then closes it.
func listen(t *testing.T, answer string) func(*wsgitest.Request) *wsgitest.Response {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			head := make([]byte, 0, 1024)
			for !strings.Contains(string(head), "\r\n\r\n") {
				n, err := conn.Read(head[len(head):cap(head)])
				if err != nil {
					break
				}
				head = head[:len(head)+n]
			}
			io.WriteString(conn, answer)
			conn.(*net.TCPConn).CloseWrite() // a plain Close may reset what is on its way
			io.Copy(io.Discard, conn)
			conn.Close()
		}
	}()
	return wsgitest.Live("tcp", listener.Addr().String())
}

func TestLive(t *testing.T) {
	tests := []struct {
		name    string
		answer  string
		request *wsgitest.Request
		want    wire
		status  string
	}{
		{"length", "HTTP/1.1 200 Fine\r\nX-b: 1\r\nX-A:2\r\nX-b:  3 \r\nContent-Length: 5\r\n\r\nhello", get(),
			wire{Code: 200, Headers: "Content-Length: 5\nX-A: 2\nX-b: 1\nX-b: 3\n", Body: "hello"}, "200 Fine"},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", get(),
			wire{Code: 200, Body: "hello"}, "200 OK"},
		{"until the end", "HTTP/1.0 200 OK\r\n\r\nhello", get(), wire{Code: 200, Body: "hello"}, "200 OK"},
		{"no phrase", "HTTP/1.1 204\r\n\r\n", get(), wire{Code: 204}, "204 "},
		{"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", head(),
			wire{Code: 200, Headers: "Content-Length: 5\n"}, "200 OK"},
		{"interim", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", get(),
			wire{Code: 204, Interim: 2}, "204 No Content"},
		{"short", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", get(),
			wire{Code: 200, Headers: "Content-Length: 9\n", Body: "hello", Cut: true}, "200 OK"},
		{"no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", get(),
			wire{Code: 200, Body: "hello", Cut: true}, "200 OK"},
		{"half a head", "HTTP/1.1 200 OK\r\nX-A: 1\r\n", get(), wire{Cut: true}, ""},
		{"nothing", "", get(), wire{Cut: true}, ""},
		{"no HTTP", "SSH-2.0-x\r\n\r\n", get(), wire{Cut: true}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := listen(t, tt.answer)(tt.request)
			if diff := cmp.Diff(tt.want, visible(res)); diff != "" || res.Status != tt.status {
				t.Errorf("status %q, expected %q (-want +got):\n%s", res.Status, tt.status, diff)
			}
			if cut := errors.Is(res.Err, gateway.ErrCut); cut != tt.want.Cut {
				t.Errorf("error is %v", res.Err)
			}
		})
	}
}

// A server may answer a large request without reading it.
func TestLiveAnswerBeforeBody(t *testing.T) {
	req := wsgitest.NewRequest("POST", "/").Content("text/plain", strings.Repeat("x", 8<<20))
	res := listen(t, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")(req)
	if res.Err != nil || res.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("got %d, error %v; expected 413", res.Code, res.Err)
	}
}

func TestLiveLeaves(t *testing.T) {
	const long = 1 << 20 // bytes, more than one block
	send := listen(t, "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n"+strings.Repeat("x", long))
	req := get()
	req.LeaveAfter = 1
	if res := send(req); len(res.Blocks) != 1 || len(res.Text()) == long || !errors.Is(res.Err, gateway.ErrCut) {
		t.Errorf("got %d bytes in %d blocks, error %v; expected one block and an error", len(res.Text()), len(res.Blocks), res.Err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errBoom)
	req = get()
	req.Context = ctx
	if res := send(req); !errors.Is(res.Err, errBoom) && !errors.Is(res.Err, context.Canceled) {
		t.Errorf("error %v, expected the context's", res.Err)
	}
}

func TestLiveUnreachable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	res := wsgitest.Live("tcp", listener.Addr().String())(get())
	if res.Err == nil || errors.Is(res.Err, gateway.ErrCut) {
		t.Errorf("error %v, expected that of dialling", res.Err)
	}
	if res := wsgitest.Live("tcp", "127.0.0.1:1")(wsgitest.NewRequest("GET", "https://h/")); res.Err == nil {
		t.Error("an https request was sent in the clear, expected an error")
	}
}

// A Stream that blocks for ever ends the exchange, and not the patience of whoever
// waits for the test: whether the server has answered, waits for the body, or is
// left by its client.
func TestLiveStreamBlocks(t *testing.T) {
	const silence = 200 * time.Millisecond
	const want = "expected Read of the request's Stream to return, it did not within 200ms"
	answers := func(answer string) (addr string) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					io.WriteString(conn, answer)
				}
				io.Copy(io.Discard, conn)
				conn.Close()
			}
		}()
		return l.Addr().String()
	}
	for _, tt := range []struct {
		name, answer string
		cut          bool
	}{
		{"behind a complete response", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false},
		{"in the middle of a response", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", true},
		{"before a response", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stream, writer := io.Pipe()
			defer writer.Close() // and with it the Read that was left
			req := wsgitest.NewRequest("POST", "/")
			req.Stream = stream
			res := wsgitest.LiveWithin("tcp", answers(tt.answer), silence)(req)
			if res.Err == nil || !strings.Contains(res.Err.Error(), want) || errors.Is(res.Err, gateway.ErrCut) != tt.cut {
				t.Errorf("the error is %v, expected %q, and of a cut: %v", res.Err, want, tt.cut)
			}
			if tt.answer != "" && res.Text() != "hello" {
				t.Errorf("the body is %q, expected what had come", res.Text())
			}
		})
	}
	t.Run("the client leaves", func(t *testing.T) {
		stream, writer := io.Pipe()
		defer writer.Close()
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errBoom)
		req := wsgitest.NewRequest("POST", "/")
		req.Stream, req.Context = stream, ctx
		res := wsgitest.LiveWithin("tcp", answers(""), silence)(req)
		if !errors.Is(res.Err, errBoom) && !errors.Is(res.Err, context.Canceled) {
			t.Errorf("the error is %v, expected the context's", res.Err)
		}
	})
}

// A Stream may wait for longer than silence lasts while the server has something
// to say.
func TestLiveStreamWaits(t *testing.T) {
	const silence, beats = 400 * time.Millisecond, 8
	stream, writer := io.Pipe()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
		beat := time.NewTicker(silence / 4)
		defer beat.Stop()
		for range beats {
			<-beat.C
			io.WriteString(conn, "x")
		}
		writer.Close()
		io.Copy(io.Discard, conn)
	}()
	req := wsgitest.NewRequest("POST", "/")
	req.Stream = stream
	if res := wsgitest.LiveWithin("tcp", l.Addr().String(), silence)(req); res.Err != nil || res.Text() != "xxxxxxxx" {
		t.Errorf("got %q, error %v, expected %d blocks while the Stream waited", res.Text(), res.Err, beats)
	}
}
