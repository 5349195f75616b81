package server

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
)

// guarded returns stream as net/http would see it, read in pieces of the given
// size, and the guard's reason for spoiling it.
func guarded(stream string, size int) (seen, reason string) {
	var g guard
	p := []byte(stream)
	for rest := p; len(rest) > 0; {
		k := min(size, len(rest))
		g.scan(rest[:k])
		rest = rest[k:]
	}
	return string(p), g.reason
}

const (
	plainGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	sized    = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
	chunked  = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nX-T: v\r\n\r\n"
	both     = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
	bothBack = "POST / HTTP/1.1\r\nHost: h\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n"
	folded   = "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b: c\r\n\r\n"
	foldedTE = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n\tchunked\r\n\r\n0\r\n\r\n"
	oldTE    = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
	oldSized = "POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello"
)

func TestGuard(t *testing.T) {
	const (
		twoLengths = "Content-Length and Transfer-Encoding in one head"
		fold       = "a header line is folded"
		old        = "Transfer-Encoding in HTTP/1.0"
	)
	tests := []struct{ name, stream, reason string }{
		{"get", plainGet + plainGet, ""},
		{"sized", sized + plainGet, ""},
		{"chunked", chunked + plainGet, ""},
		{"1.0", oldSized, ""},
		{"CL and TE", both, twoLengths},
		{"TE and CL", bothBack, twoLengths},
		{"CL and TE after others", plainGet + sized + chunked + plainGet + both, twoLengths},
		{"CL in one request, TE in the next", sized + chunked, ""},
		{"bad head inside a sized body", strings.Replace(sized, "5\r\n\r\nhello", "94\r\n\r\n"+both, 1) + plainGet, ""},
		{"bad head inside a chunk", strings.Replace(chunked, "5;x=y\r\nhello", "5e\r\n"+both, 1) + plainGet, ""},
		{"bad head in a trailer", strings.Replace(chunked, "X-T: v", " X-T: v", 1) + plainGet, ""},
		{"fold", folded, fold},
		{"fold by tab", foldedTE, fold},
		{"TE in 1.0", oldTE, old},
		{"names that only begin so", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length-X: 1\r\nTransfer-Encodings: y\r\n\r\n" + plainGet, ""},
		{"bare line feeds", strings.ReplaceAll(both, "\r\n", "\n"), twoLengths},
		{"hidden by blanks", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length:" + strings.Repeat(" ", 80) + "5\r\n\r\nhello" + both, "Content-Length is too long"},
		{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00 \r\n \r\n", ""},
		{"long request line", "GET /" + strings.Repeat("x", 500) + " HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", old},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{1, 2, 3, 7, 64, 4096} {
				seen, reason := guarded(tt.stream, size)
				if reason != tt.reason || (seen == tt.stream) != (tt.reason == "") {
					t.Errorf("read by %d: reason is %q, expected %q; net/http sees %q", size, reason, tt.reason, seen)
				}
				if tt.reason != "" && accepts(seen) {
					t.Errorf("read by %d: net/http accepts %q", size, seen)
				}
			}
		})
	}
}

// accepts reports whether net/http takes the whole stream for requests.
func accepts(stream string) bool {
	r := bufio.NewReader(strings.NewReader(stream))
	for {
		request, err := http.ReadRequest(r)
		if err == io.EOF {
			return true
		}
		if err != nil {
			return false
		}
		if _, err := io.Copy(io.Discard, request.Body); err != nil {
			return false
		}
		for name, values := range request.Header {
			if strings.ContainsAny(name+strings.Join(values, ""), "\x01") {
				return false // the server refuses control characters, which ReadRequest lets pass
			}
		}
	}
}

// FuzzGuard holds the guard to three laws. How the bytes are split up makes no
// difference; nothing is changed without a reason; and no stream that net/http
// accepts behind the guard carries both framings in one head.
func FuzzGuard(f *testing.F) {
	for _, seed := range []string{plainGet, sized, chunked, both, bothBack, folded, foldedTE, oldTE, oldSized,
		sized + chunked + both, chunked + folded} {
		f.Add(seed, 3)
	}
	f.Fuzz(func(t *testing.T, stream string, size int) {
		if size < 1 || len(stream) > 1<<16 {
			return
		}
		whole, reason := guarded(stream, len(stream)+1)
		parts, partReason := guarded(stream, size)
		if reason != partReason {
			t.Fatalf("read at once: %q, %q; read by %d: %q, %q", whole, reason, size, parts, partReason)
		}
		if reason == "" && whole != stream {
			t.Fatalf("changed without a reason: %q", whole)
		}
		source := strings.NewReader(whole)
		r := bufio.NewReader(source)
		position := func() int { return len(whole) - source.Len() - r.Buffered() }
		for {
			before := position()
			request, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			head := whole[before:position()]
			lines := strings.Split(strings.ToLower(head), "\n")
			length, coding := false, false
			for _, line := range lines[1:] {
				length = length || strings.HasPrefix(line, "content-length:")
				coding = coding || strings.HasPrefix(line, "transfer-encoding:")
			}
			if length && coding {
				t.Fatalf("net/http accepts %q behind the guard", head)
			}
			if _, err := io.Copy(io.Discard, request.Body); err != nil {
				return
			}
		}
	})
}

// browserHead is the head of what a browser sends, with lines that are longer than
// what the guard keeps of a line.
const browserHead = "GET /path HTTP/1.1\r\nHost: h\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n" +
	"Accept-Language: en\r\nAccept-Encoding: gzip\r\nCookie: a=b\r\nConnection: keep-alive\r\n" +
	"Sec-Fetch-Mode: navigate\r\nCache-Control: no-cache\r\n\r\n"

// TestGuardAllocates: every request passes the guard, so it must not make garbage.
func TestGuardAllocates(t *testing.T) {
	var g guard
	head := []byte(browserHead)
	if n := testing.AllocsPerRun(100, func() { g.scan(head) }); n != 0 {
		t.Errorf("the guard allocates %v times for a head, expected none", n)
	}
}

func BenchmarkGuard(b *testing.B) {
	head := []byte(browserHead)
	var g guard
	b.ReportAllocs()
	for b.Loop() {
		g.scan(head)
	}
	if g.reason != "" {
		b.Fatal(g.reason)
	}
}
