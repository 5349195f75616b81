package nethttp_test

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// script is a handler made of bytes: each is an operation on the
// ResponseWriter, its upper bits the operation's argument.
type script struct {
	code []byte
	done chan outcome // one for each run
}

type outcome struct {
	// What the operations returned, by which a handler could tell the two
	// servers apart.
	trace []string
	// How the body's end is marked depends on more than the handler.
	framing bool
	// There is to be no more of the response than has come.
	abort bool
}

func (s script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var out outcome
	defer func() { s.done <- out }()
	note := func(format string, args ...any) { out.trace = append(out.trace, fmt.Sprintf(format, args...)) }
	begun, written := false, 0
	least := math.MaxInt // the smallest Content-Length that was set: one of them counts
	text := "<html>\x00"
	for i, op := range s.code {
		n := int(op >> 4)
		name := fmt.Sprintf("X-%d", n)
		size := []int{0, 1, 2, 5, 10, 100, 511, 512, 513, 2047, 2048, 2049, 4096, 4097, 9000, 40000}[n]
		block := bytes.Repeat([]byte(text[n%len(text):]), size+1)[:size]
		switch op & 15 {
		case 0:
			w.Header().Set(name, fmt.Sprint(i))
		case 1:
			w.Header().Add(name, "\t more "+fmt.Sprint(i)+"\r\n")
		case 2:
			w.Header().Del(name)
		case 3:
			w.WriteHeader([]int{200, 201, 204, 206, 299, 301, 304, 400, 404, 418, 500, 503, 600, 999, 202, 203}[n])
			begun = true
		case 4, 5:
			k, err := w.Write(block)
			note("Write %d %v", k, err)
			written += size
			begun = true
		case 6:
			//lint:ignore SA6006 it is this way that is tested
			k, err := io.WriteString(w, string(block))
			note("WriteString %d %v", k, err)
			written += size
			begun = true
		case 7:
			if written+size > least {
				continue // net/http refuses all, a part, or nothing of it
			}
			k, err := io.Copy(w, io.LimitReader(bytes.NewReader(block), int64(size)))
			// A transport that has a ReadFrom of its own sends the head early.
			out.framing = true
			note("ReadFrom %d %v", k, err)
			written += size
			begun = begun || size > 0
		case 8:
			note("Flush %v", http.NewResponseController(w).Flush())
			out.framing = true // when nothing was written: see Limits
			begun = true
		case 9:
			w.Header()["Content-Type"] = [][]string{nil, {""}, {"a/b"}, {"text/event-stream"}}[n%4]
			out.framing = out.framing || n%4 == 3 // each event is sent at once
		case 10:
			w.Header().Set("Content-Encoding", []string{"", "gzip"}[n%2])
		case 11:
			w.Header().Set("Content-Length", fmt.Sprint(size))
			least = min(least, size)
		case 12:
			if begun {
				continue // net/http has no full duplex unless asked
			}
			buf := make([]byte, size)
			k, err := io.ReadFull(r.Body, buf)
			note("Read %q %v", buf[:k], err)
		case 13:
			if n == 0 {
				out.abort = true
				panic(http.ErrAbortHandler)
			}
			http.SetCookie(w, &http.Cookie{Name: name, Value: "v"})
		case 14:
			w.Header()[strings.ToLower(name)] = []string{"a", "", "\xe9"}
		case 15:
			w.Header()["bad name"] = []string{"x"}
		}
	}
}

// FuzzDifferential runs a script as a handler of net/http, and through the
// contract, and compares what the client sees and what the handler is told.
func FuzzDifferential(f *testing.F) {
	for _, seed := range []string{
		"", "\x04", "\xa4", "\xa4\x14", "\xb4", "\x33\x54", "\x63\x54", "\x5b\x54\x14", "\x5b\x54\x08\x54", "\x5b\x64", "\x18\x54",
		"\x54\x08\x54", "\x39\x54\x54", "\x1a\x54", "\x00\x01\x0f\x0e\x14", "\x5c\x54", "\x57\x97", "\xf7", "\x7b\xf7", "\x54\x0d", "\x54\x08\x0d", "\x23\x54", "a\xf6",
	} {
		for _, how := range []byte{0, 1, 2, 3} {
			f.Add(how, []byte(seed))
		}
	}
	both := newSides(f)
	f.Fuzz(func(t *testing.T, how byte, code []byte) {
		if len(code) > 64 {
			t.Skip("long scripts show nothing new")
		}
		c := request{method: "GET", target: "/"}
		version := "HTTP/1.1"
		switch how % 4 {
		case 1:
			c.method = "HEAD"
		case 2:
			c.method, c.body = "POST", "0123456789"
		case 3:
			version = "HTTP/1.0"
		}
		s := script{code, make(chan outcome, 1)}
		both.serve(s)
		// The client of a HEAD must not leave while the handler still writes:
		// net/http would not notice.
		var told outcome
		c.stay = func() { told = <-s.done }
		want := both.raw.http1(t, version, c)
		wantTold := told
		got := both.wsgi.http1(t, version, c)
		if diff := cmp.Diff(wantTold.trace, told.trace); diff != "" {
			t.Errorf("what the handler is told (-net/http +gowsgi):\n%s", diff)
		}
		if told.abort {
			// How much got out is left open; but what did is the same, and
			// marked as cut where HTTP/1.1 can be. 1.0 and HEAD cannot.
			if short := min(len(want.Body), len(got.Body)); want.Body[:short] != got.Body[:short] {
				t.Errorf("bodies differ: %q and %q", want.Body, got.Body)
			}
			return
		}
		if want.Cut && got.Cut && want.Body == "" && got.Body == "" {
			return // a head for a body that does not come may be sent or not
		}
		if told.framing {
			want, got = want.reframed(), got.reframed()
		}
		if diff := cmp.Diff(want.short(), got.short()); diff != "" {
			t.Errorf("what the client sees (-net/http +gowsgi):\n%s", diff)
		}
	})
}
