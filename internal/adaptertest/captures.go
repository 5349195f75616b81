package adaptertest

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/internal/backend"
	"github.com/gowsgi/gowsgi/wsgi"
)

var update = flag.Bool("update", false, "write the golden files anew")

// An observer is an application that tells what it got.
type observer struct {
	mu  sync.Mutex
	got []string
}

func (o *observer) Call(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	body, err := io.ReadAll(environ.Input())
	text := Describe(environ, body, err)
	o.mu.Lock()
	o.got = append(o.got, text)
	o.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return wsgi.Response{Status: "200 OK", Body: wsgi.Strings("observed")}.Call(environ, start)
}

func (o *observer) take() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	text := strings.Join(o.got, "\n")
	o.got = nil
	return text
}

// Describe is an environ and a body as text: what a golden file has.
func Describe(environ *wsgi.Environ, body []byte, err error) string {
	all := environ.Map()
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		switch value := all[name].(type) {
		case string:
			fmt.Fprintf(&b, "%s = %q\n", name, value)
		case bool:
			fmt.Fprintf(&b, "%s = %t\n", name, value)
		}
	}
	fmt.Fprintf(&b, "\n%q\n", body)
	if err != nil {
		fmt.Fprintln(&b, err)
	}
	return b.String()
}

// Golden compares text with the file of that name, or writes it.
func Golden(t *testing.T, name, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// Captures replays what real web servers sent, the files *.bin in
// testdata/captures: at once, byte by byte and in pieces, and each time the
// application must get what the golden file has. split divides a file that
// holds several requests of one connection, of which each but the first is
// sent when the one before has its answer; it may be nil.
func (s Subject) Captures(t *testing.T, split func(raw []byte) [][]byte) {
	files, err := filepath.Glob(filepath.Join("testdata", "captures", "*.bin"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no captures: %v", err)
	}
	Leaks(t)
	o := new(observer)
	addr := Serve(t, s.New(backend.Options{App: o, Logger: Silent}), "tcp")
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		requests := [][]byte{raw}
		if split != nil {
			requests = split(raw)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".bin")
		t.Run(name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, uint64(len(raw))))
			text := s.replay(t, o, addr, requests, func(left int) int { return left })
			Golden(t, strings.TrimSuffix(file, ".bin")+".golden", text)
			for range 3 {
				again := s.replay(t, o, addr, requests, func(left int) int { return min(left, 1+random.IntN(40)) })
				if diff := cmp.Diff(text, again); diff != "" {
					t.Errorf("in pieces (-at once +in pieces):\n%s", diff)
				}
			}
			if again := s.replay(t, o, addr, requests, func(int) int { return 1 }); again != text {
				t.Errorf("byte by byte (-at once +byte by byte):\n%s", cmp.Diff(text, again))
			}
		})
		t.Run(name+"/truncated", func(t *testing.T) {
			s.truncate(t, o, addr, requests[0])
		})
	}
}

// replay sends requests and returns what the application saw, or the answer to
// what did not reach it.
func (s Subject) replay(t *testing.T, o *observer, addr string, requests [][]byte, pieces func(left int) int) string {
	t.Helper()
	c := Dial(t, addr)
	defer c.Close()
	var answer bytes.Buffer
	for i, raw := range requests {
		for len(raw) > 0 {
			n := pieces(len(raw))
			if _, err := c.Write(raw[:n]); err != nil {
				t.Fatal(err)
			}
			raw = raw[n:]
		}
		if i < len(requests)-1 { // it keeps the connection
			readResponse(t, c, &answer)
		}
	}
	if len(requests) > 1 {
		readResponse(t, c, &answer)
	} else {
		if half, ok := c.(*net.TCPConn); ok && s.Protocol == "fastcgi" {
			half.CloseWrite() // or it would be kept, where the request says so
		}
		io.Copy(&answer, c)
	}
	text := o.take()
	r := Decode(s.Protocol, answer.Bytes())
	if text == "" {
		return r.String() + "\n"
	}
	if r.Code != 200 || !strings.HasSuffix(r.Body, "observed") || !r.Ended {
		t.Errorf("the application was called, and the response is %v", r)
	}
	return text
}

// readResponse reads up to END_REQUEST.
func readResponse(t *testing.T, c net.Conn, answer *bytes.Buffer) {
	t.Helper()
	for header := make([]byte, 8); ; {
		if _, err := io.ReadFull(c, header); err != nil {
			t.Fatalf("reading a record: %v; before it came %q", err, answer)
		}
		answer.Write(header)
		if _, err := io.CopyN(answer, c, int64(header[4])<<8+int64(header[5])+int64(header[6])); err != nil {
			t.Fatal(err)
		}
		if header[1] == 3 {
			return
		}
	}
}

// truncate sends every beginning of raw, and then the end: the application
// must not take it for a whole request.
func (s Subject) truncate(t *testing.T, o *observer, addr string, raw []byte) {
	whole := s.replay(t, o, addr, [][]byte{raw}, func(left int) int { return left })
	step := 1
	if testing.Short() {
		step = 7
	}
	for n := 0; n < len(raw); n += step {
		c := Dial(t, addr)
		c.Write(raw[:n])
		c.(*net.TCPConn).CloseWrite()
		r := Receive(s.Protocol, c)
		c.Close()
		// What is cut off may be no more than a mark of the end.
		if text := o.take(); r.Code == 200 && text != whole || r.Code != 200 && text != "" && !strings.Contains(text, "unexpected EOF") {
			t.Fatalf("%d of %d bytes: the answer is %v, and the application saw\n%s", n, len(raw), r, text)
		}
	}
}
