package fastcgi

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"

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

// floods sends a record again and again, until the connection ends.
func (p *peer) floods(record []byte) {
	go p.Write(bytes.Repeat(record, mostVain+1)) // nobody reads the answers yet
	if _, err := io.Copy(io.Discard, p); err != nil && !strings.Contains(err.Error(), "reset") {
		p.t.Errorf("the connection did not end: %v", err)
	}
}

// closing is a body with a Close.
type closing struct {
	wsgi.Iterable
	close func()
}

func (c *closing) Close() error { c.close(); return nil }

func textLogger(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }
