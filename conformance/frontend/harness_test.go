package frontend_test

import (
	"bufio"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/conformance/frontend"
	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/internal/fcgi"
	"github.com/gowsgi/gowsgi/internal/scgi"
	"github.com/gowsgi/gowsgi/internal/uwsgi"
)

// backend listens, and runs serve for each connection.
func backend(t *testing.T, serve func(c net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan bool)
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.SetDeadline(time.Now().Add(adaptertest.Patience))
			serve(c)
			c.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().String()
}

// listen starts a front end for the time of the test.
func listen(t *testing.T, c frontend.Config) net.Conn {
	t.Helper()
	if c.Network == "" {
		c.Network = "tcp"
	}
	f, err := c.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return adaptertest.Dial(t, f.Addr().String())
}

// readRequest reads a request of a front end up to the end of its variables,
// for FastCGI up to the end of STDIN where that is empty.
func readRequest(t *testing.T, protocol string, in *bufio.Reader) (list []string) {
	var b []byte
	headLen := map[string]func([]byte) (int, error){"scgi": scgi.HeadLen, "uwsgi": uwsgi.HeadLen}[protocol]
	add := func(name, value string) error {
		list = append(list, name, value)
		return nil
	}
	if protocol == "fastcgi" {
		for {
			h, content := readRecord(t, in)
			switch {
			case h.Type == fcgi.Params && h.Length > 0:
				b = append(b, content...)
			case h.Type == fcgi.Params:
				for s := string(b); s != ""; {
					name, value, rest, err := fcgi.NextPair(s)
					if err != nil {
						t.Error(err)
						return list
					}
					add(name, value)
					s = rest
				}
				return list
			}
		}
	}
	for {
		n, err := headLen(b)
		if err == nil && n > 0 && n == len(b) {
			if protocol == "scgi" {
				err = scgi.Parse(string(b), add)
			} else {
				err = uwsgi.Parse(string(b), add)
			}
			if err != nil {
				t.Error(err)
			}
			return list
		}
		c, readErr := in.ReadByte()
		if err != nil || readErr != nil {
			t.Errorf("reading a request: %v, %v", err, readErr)
			return list
		}
		b = append(b, c)
	}
}

func readRecord(t *testing.T, in *bufio.Reader) (fcgi.Header, []byte) {
	b := make([]byte, fcgi.HeaderLen)
	_, err := io.ReadFull(in, b)
	if err != nil {
		return fcgi.Header{}, nil
	}
	h, err := fcgi.ParseHeader(b)
	if err != nil {
		t.Error(err)
	}
	content := make([]byte, int(h.Length)+int(h.Padding))
	io.ReadFull(in, content)
	return h, content[:h.Length]
}

var date = regexp.MustCompile(`Date: [^\r]*\r\n`)

// outcome is what a client sees: all bytes, and whether the connection was
// reset.
func outcome(c net.Conn) string {
	b, err := io.ReadAll(c)
	text := date.ReplaceAllString(string(b), "")
	if err != nil {
		text += "<" + err.Error()[strings.LastIndex(err.Error(), " ")+1:] + ">"
	}
	return text
}
