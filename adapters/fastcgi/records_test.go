package fastcgi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/internal/fcgi"
	"github.com/gowsgi/gowsgi/wsgi"
)

// peer is the web server's end of a connection.
type peer struct {
	net.Conn
	t *testing.T
}

func connect(t *testing.T, app wsgi.AppFunc) *peer {
	adaptertest.Leaks(t)
	s := &Server{App: app, Logger: adaptertest.Silent}
	return &peer{adaptertest.Dial(t, adaptertest.Serve(t, s, "tcp")), t}
}

// record is one record that came.
type record struct {
	Type    fcgi.Type
	ID      uint16
	Content string
}

// next reads a record; it has no type when the connection has ended.
func (p *peer) next() (r record) {
	p.t.Helper()
	b := make([]byte, fcgi.HeaderLen)
	if _, err := io.ReadFull(p, b); err == io.EOF {
		return record{}
	} else if err != nil {
		p.t.Fatal(err)
	}
	h, err := fcgi.ParseHeader(b)
	if err != nil {
		p.t.Fatal(err)
	}
	content := make([]byte, int(h.Length)+int(h.Padding))
	if _, err := io.ReadFull(p, content); err != nil {
		p.t.Fatal(err)
	}
	return record{h.Type, h.ID, string(content[:h.Length])}
}

// expect reads records and compares.
func (p *peer) expect(want ...record) {
	p.t.Helper()
	for _, w := range want {
		if diff := cmp.Diff(w, p.next()); diff != "" {
			p.t.Fatalf("record (-want +got):\n%s", diff)
		}
	}
}

// ask is a request with the id and flags, up to the end of its variables.
func ask(id uint16, flags uint8, list ...string) []byte {
	b := fcgi.AppendBegin(nil, id, fcgi.Responder, flags)
	list = append(list, "REQUEST_METHOD", "POST", "PATH_INFO", "/a")
	b, err := fcgi.AppendParams(b, id, func(yield func(name, value string) bool) {
		for i := 0; i < len(list) && yield(list[i], list[i+1]); i += 2 {
		}
	})
	if err != nil {
		panic(err)
	}
	return fcgi.AppendStreamEnd(b, fcgi.Params, id)
}

func stdinOf(id uint16, text string) []byte {
	return fcgi.AppendStreamEnd(fcgi.AppendStream(nil, fcgi.Stdin, id, []byte(text)), fcgi.Stdin, id)
}

// echo answers with the body.
func echo(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	b, err := io.ReadAll(environ.Input())
	if err != nil {
		return nil, err
	}
	return wsgi.Response{Status: "200 OK", Body: wsgi.Strings(string(b))}.Call(environ, start)
}

const okay = "\x00\x00\x00\x00\x00\x00\x00\x00"

func echoed(id uint16, text string) []record {
	return []record{
		{fcgi.Stdout, id, "Status: 200 OK\r\nContent-Length: " + string(rune('0'+len(text))) + "\r\n\r\n" + text},
		{fcgi.Stdout, id, ""},
		{fcgi.EndRequest, id, okay},
	}
}

func TestKeepConn(t *testing.T) {
	p := connect(t, echo)
	for i, text := range []string{"one", "two", "three"} {
		p.Write(ask(uint16(i%2+1), fcgi.KeepConn))
		p.Write(stdinOf(uint16(i%2+1), text))
		p.expect(echoed(uint16(i%2+1), text)...)
	}
	p.Write(ask(9, 0))
	p.Write(stdinOf(9, "last"))
	p.expect(append(echoed(9, "last"), record{})...)
}

// What was not read of a body is not taken for the next request.
func TestUnreadBody(t *testing.T) {
	p := connect(t, wsgi.Response{Status: "200 OK", Body: wsgi.Strings("x")}.Call)
	for range 3 {
		go p.Write(append(ask(1, fcgi.KeepConn, "CONTENT_LENGTH", "300000"), stdinOf(1, strings.Repeat("y", 300000))...))
		p.expect(echoed(1, "x")...)
		p.Write(stdinOf(1, "")) // nobody's
	}
}

func TestManagement(t *testing.T) {
	p := connect(t, echo)
	query := fcgi.AppendPair(nil, "FCGI_MAX_CONNS", "")
	query = fcgi.AppendPair(query, "FCGI_MPXS_CONNS", "")
	query = fcgi.AppendPair(query, "OTHER", "")
	p.Write(fcgi.AppendRecord(nil, fcgi.GetValues, 0, query))
	p.expect(record{fcgi.GetValuesResult, 0, "\x0f\x01FCGI_MPXS_CONNS0"})
	p.Write(fcgi.AppendRecord(nil, fcgi.GetValues, 0, nil))
	p.expect(record{fcgi.GetValuesResult, 0, ""})
	p.Write(fcgi.AppendRecord(nil, 77, 0, []byte("what is it")))
	p.expect(record{fcgi.UnknownType, 0, "\x4d\x00\x00\x00\x00\x00\x00\x00"})
	p.Write(ask(1, fcgi.KeepConn)) // in the middle of a request too
	p.Write(fcgi.AppendRecord(nil, fcgi.GetValues, 0, query))
	p.expect(record{fcgi.GetValuesResult, 0, "\x0f\x01FCGI_MPXS_CONNS0"})
	p.Write(stdinOf(1, "ok"))
	p.expect(echoed(1, "ok")...)
}

func TestMultiplexingIsRefused(t *testing.T) {
	p := connect(t, echo)
	p.Write(ask(1, fcgi.KeepConn))
	p.Write(ask(2, fcgi.KeepConn))
	p.Write(stdinOf(2, "refused"))
	p.expect(record{fcgi.EndRequest, 2, "\x00\x00\x00\x00\x01\x00\x00\x00"})
	p.Write(stdinOf(1, "ok"))
	p.expect(echoed(1, "ok")...)
	p.Write(append(ask(2, fcgi.KeepConn), stdinOf(2, "now")...))
	p.expect(echoed(2, "now")...)
}

// The id of a request is not free before its end: the connection is out of
// step.
func TestIDInUse(t *testing.T) {
	p := connect(t, echo)
	p.Write(ask(1, fcgi.KeepConn))
	p.Write(fcgi.AppendBegin(nil, 1, fcgi.Responder, fcgi.KeepConn))
	// The application may still say that its input is broken: what counts is
	// that the connection ends, and no response as if it were whole.
	for r := p.next(); r != (record{}); r = p.next() {
		if r.ID != 1 || r.Type == fcgi.Stdout && strings.Contains(r.Content, "200") {
			t.Errorf("expected the end of the connection or a failure of request 1, got %+v", r)
		}
	}
}

func TestRoles(t *testing.T) {
	p := connect(t, echo)
	for _, role := range []uint16{fcgi.Authorizer, fcgi.Filter, 0, 99} {
		p.Write(fcgi.AppendBegin(nil, 1, role, fcgi.KeepConn))
		p.expect(record{fcgi.EndRequest, 1, "\x00\x00\x00\x00\x03\x00\x00\x00"})
	}
	p.Write(append(ask(1, fcgi.KeepConn), stdinOf(1, "ok")...))
	p.expect(echoed(1, "ok")...)
	p.Write(fcgi.AppendBegin(nil, 1, fcgi.Filter, 0))
	p.expect(record{fcgi.EndRequest, 1, "\x00\x00\x00\x00\x03\x00\x00\x00"}, record{})
}

// An aborted request gets one END_REQUEST, when the application is done, and
// nothing else; its id is free then.
func TestAbort(t *testing.T) {
	causes := make(chan error, 1)
	called := make(chan bool, 1)
	p := connect(t, func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		switch environ.Var("QUERY_STRING") {
		case "waits":
			called <- true
			<-environ.Context().Done()
			causes <- context.Cause(environ.Context())
			return wsgi.Response{Status: "200 OK", Body: wsgi.Strings("too late")}.Call(environ, start)
		case "reads":
			called <- true
			_, err := io.ReadAll(environ.Input())
			causes <- err
			return nil, err
		case "streams":
			write, _ := start("200 OK", nil, nil)
			for {
				if _, err := write([]byte("block")); err != nil {
					causes <- err
					return nil, err
				}
				select {
				case called <- true:
				default:
				}
			}
		}
		return echo(environ, start)
	})
	ended := record{fcgi.EndRequest, 1, okay}
	for _, query := range []string{"waits", "reads"} {
		p.Write(ask(1, fcgi.KeepConn, "QUERY_STRING", query))
		<-called
		p.Write(fcgi.AppendAbort(nil, 1))
		if err := <-causes; err == nil || !strings.Contains(err.Error(), errAborted.Error()) {
			t.Errorf("%s: ended by %v, expected %v", query, err, errAborted)
		}
		p.expect(ended)
		p.Write(append(ask(1, fcgi.KeepConn), stdinOf(1, "ok")...))
		p.expect(echoed(1, "ok")...)
	}
	p.Write(ask(1, fcgi.KeepConn, "QUERY_STRING", "streams"))
	<-called
	p.Write(fcgi.AppendAbort(nil, 1))
	for r := p.next(); r != ended; r = p.next() {
		if r.Type != fcgi.Stdout || r.Content == "" {
			t.Fatalf("got %v, expected STDOUT records and then END_REQUEST", r)
		}
	}
	<-causes
	p.Write(fcgi.AppendBegin(nil, 1, fcgi.Responder, fcgi.KeepConn)) // before it has its variables
	p.Write(fcgi.AppendAbort(nil, 1))
	p.expect(ended)
	p.Write(fcgi.AppendAbort(nil, 1)) // nobody's
	p.Write(append(ask(1, 0), stdinOf(1, "ok")...))
	p.expect(append(echoed(1, "ok"), record{})...)
}

func TestStderr(t *testing.T) {
	p := connect(t, func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		environ.Errors().WriteString("before\nnot yet")
		start("200 OK", nil, nil)
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			environ.Errors().WriteString(" whole\n")
			yield([]byte("block"), nil)
		}), nil
	})
	p.Write(append(ask(1, 0), stdinOf(1, "")...))
	p.expect(
		record{fcgi.Stderr, 1, "before\n"}, record{fcgi.Stderr, 1, "not yet whole\n"},
		record{fcgi.Stdout, 1, "Status: 200 OK\r\n\r\nblock"}, record{fcgi.Stdout, 1, ""}, record{fcgi.Stderr, 1, ""},
		record{fcgi.EndRequest, 1, okay}, record{})
}

// What is said when the request has ended goes to the log.
func TestStderrAfterTheEnd(t *testing.T) {
	var log bytes.Buffer
	s := &Server{App: wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		start("200 OK", nil, nil)
		return &closing{wsgi.Strings("x"), func() { environ.Errors().WriteString("on Close\n") }}, nil
	}), Logger: textLogger(&log)}
	addr := adaptertest.Serve(t, s, "tcp")
	p := &peer{adaptertest.Dial(t, addr), t}
	p.Write(append(ask(1, fcgi.KeepConn), stdinOf(1, "")...)) // on a connection that could take it
	p.expect(record{fcgi.Stdout, 1, "Status: 200 OK\r\n\r\nx"}, record{fcgi.Stdout, 1, ""}, record{fcgi.EndRequest, 1, okay})
	ctx, cancel := context.WithTimeout(t.Context(), adaptertest.Patience)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "on Close") {
		t.Errorf("the log is %q, expected what Close said", log.String())
	}
	p.expect(record{})
}

// A response that fails in the middle has no END_REQUEST.
func TestCut(t *testing.T) {
	p := connect(t, func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		start("200 OK", nil, nil)
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			if yield([]byte("begun"), nil) {
				yield(nil, io.ErrUnexpectedEOF)
			}
		}), nil
	})
	p.Write(append(ask(1, fcgi.KeepConn), stdinOf(1, "")...))
	r := adaptertest.Receive("fastcgi", p)
	if r.Body != "begun" || r.Ended || errors.Is(r.Err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, %v, expected a response that is cut", r, r.Err)
	}
}

// STDIN and CONTENT_LENGTH do not agree.
func TestStdinAndLength(t *testing.T) {
	for _, tt := range []struct{ name, length, sent, code, body string }{
		{"longer", "3", "abcdef", "200", "abc"},
		{"shorter", "9", "abc", "400", "400 Bad Request\n"},
		{"without length", "", "abc", "200", "abc"},
		{"unknown", "-1", "abc", "200", "abc"},
		{"none", "0", "abc", "200", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := connect(t, echo)
			p.Write(append(ask(1, 0, "CONTENT_LENGTH", tt.length), stdinOf(1, tt.sent)...))
			if r := adaptertest.Receive("fastcgi", p); !strings.HasPrefix(r.Status, tt.code) || r.Body != tt.body || !r.Ended {
				t.Errorf("got %v, expected %s %q", r, tt.code, tt.body)
			}
		})
	}
	t.Run("too much without length", func(t *testing.T) {
		s := &Server{App: wsgi.AppFunc(echo), MaxBodyBytes: 10, Logger: adaptertest.Silent}
		p := &peer{adaptertest.Dial(t, adaptertest.Serve(t, s, "tcp")), t}
		p.Write(append(ask(1, 0, "CONTENT_LENGTH", ""), stdinOf(1, "more than ten")...))
		if r := adaptertest.Receive("fastcgi", p); r.Code != 413 {
			t.Errorf("got %v, expected 413", r)
		}
	})
}

// Pairs may straddle records, and records may be padded in any way.
func TestStraddledPairs(t *testing.T) {
	p := connect(t, echo)
	b := fcgi.AppendBegin(nil, 1, fcgi.Responder, 0)
	pairs := fcgi.AppendPair(fcgi.AppendPair(nil, "REQUEST_METHOD", "POST"), "PATH_INFO", "/a")
	for i := range pairs {
		b = fcgi.AppendHeader(b, fcgi.Header{Type: fcgi.Params, ID: 1, Length: 1, Padding: uint8(i * 37)})
		b = append(b, pairs[i])
		b = append(b, make([]byte, uint8(i*37))...)
	}
	p.Write(fcgi.AppendStreamEnd(b, fcgi.Params, 1))
	p.Write(stdinOf(1, "ok"))
	p.expect(append(echoed(1, "ok"), record{})...)
}

// Heads and blocks of any size fit into records.
func TestLargeHeadAndBlock(t *testing.T) {
	large := strings.Repeat("h", 150_000)
	for _, body := range []string{"", "x", strings.Repeat("b", 200_000)} {
		p := connect(t, func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", wsgi.Headers{{Name: "X", Value: large}}, nil)
			return wsgi.Strings(body), nil
		})
		p.Write(append(ask(1, 0), stdinOf(1, "")...))
		if r := adaptertest.Receive("fastcgi", p); r.Headers.Get("X") != large || r.Body != body || !r.Ended || r.Err != nil {
			t.Errorf("a head of 150 kB with a body of %d bytes came as a head with %d and %d bytes, ended %t, %v",
				len(body), len(r.Headers.Get("X")), len(r.Body), r.Ended, r.Err)
		}
	}
}

func TestIdleTimeout(t *testing.T) {
	s := &Server{App: wsgi.AppFunc(echo), IdleTimeout: 20 * time.Millisecond, Logger: adaptertest.Silent}
	p := &peer{adaptertest.Dial(t, adaptertest.Serve(t, s, "tcp")), t}
	p.Write(append(ask(1, fcgi.KeepConn), stdinOf(1, "ok")...))
	p.expect(append(echoed(1, "ok"), record{})...)
}

// The second request of a connection has the time limits of the first.
func TestSecondHeadIsSlow(t *testing.T) {
	s := &Server{App: wsgi.AppFunc(echo), ReadHeaderTimeout: 100 * time.Millisecond, IdleTimeout: -1, Logger: adaptertest.Silent}
	p := &peer{adaptertest.Dial(t, adaptertest.Serve(t, s, "tcp")), t}
	p.Write(append(ask(1, fcgi.KeepConn), stdinOf(1, "ok")...))
	p.expect(echoed(1, "ok")...)
	p.Write(ask(2, fcgi.KeepConn)[:20])
	p.expect(record{})
}

// A connection that is kept does not hold up Shutdown.
func TestShutdownWithKeptConnections(t *testing.T) {
	adaptertest.Leaks(t)
	s := &Server{App: wsgi.AppFunc(echo), Logger: adaptertest.Silent}
	addr := adaptertest.Serve(t, s, "tcp")
	p := &peer{adaptertest.Dial(t, addr), t}
	p.Write(append(ask(1, fcgi.KeepConn), stdinOf(1, "ok")...))
	p.expect(echoed(1, "ok")...)
	ctx, cancel := context.WithTimeout(t.Context(), adaptertest.Patience)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	p.expect(record{})
}

// What brings no request further is not taken for ever.
func TestRecordsInVainHaveAnEnd(t *testing.T) {
	for name, record := range map[string][]byte{
		"empty DATA":         fcgi.AppendStreamEnd(nil, fcgi.Data, 1),
		"empty PARAMS":       fcgi.AppendStreamEnd(nil, fcgi.Params, 1),
		"empty STDIN":        fcgi.AppendStreamEnd(nil, fcgi.Stdin, 1),
		"empty, of nobody":   fcgi.AppendStreamEnd(nil, fcgi.Stdin, 2),
		"ABORT of nobody":    fcgi.AppendAbort(nil, 2),
		"a second request":   fcgi.AppendBegin(nil, 2, fcgi.Responder, fcgi.KeepConn),
		"an unknown type":    fcgi.AppendHeader(nil, fcgi.Header{Type: 77}),
		"an empty GetValues": fcgi.AppendHeader(nil, fcgi.Header{Type: fcgi.GetValues}),
	} {
		t.Run(name, func(t *testing.T) {
			p := connect(t, func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				<-environ.Context().Done()
				return nil, environ.Context().Err()
			})
			p.Write(ask(1, fcgi.KeepConn))
			p.floods(record)
		})
	}
	t.Run("another role", func(t *testing.T) {
		connect(t, echo).floods(fcgi.AppendBegin(nil, 1, fcgi.Filter, fcgi.KeepConn))
	})
}

// floods sends a record again and again, until the connection ends.
func (p *peer) floods(record []byte) {
	go p.Write(bytes.Repeat(record, mostVain+1)) // nobody reads the answers yet
	if _, err := io.Copy(io.Discard, p); err != nil && !strings.Contains(err.Error(), "reset") {
		p.t.Errorf("the connection did not end: %v", err)
	}
}

// A record of a request that is not there is ignored: it may have ended, and the
// web server not know it yet.
func TestUnknownID(t *testing.T) {
	p := connect(t, echo)
	nobodys := func() {
		for _, kind := range []fcgi.Type{fcgi.Params, fcgi.Stdin, fcgi.Data, fcgi.AbortRequest} {
			p.Write(fcgi.AppendRecord(nil, kind, 7, []byte("of nobody")))
			p.Write(fcgi.AppendStreamEnd(nil, kind, 7))
		}
	}
	nobodys()
	p.Write(ask(1, fcgi.KeepConn))
	nobodys()
	p.Write(stdinOf(1, "ok"))
	p.expect(echoed(1, "ok")...)
}

// closing is a body with a Close.
type closing struct {
	wsgi.Iterable
	close func()
}

func (c *closing) Close() error { c.close(); return nil }

func textLogger(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }
