package middleware_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func TestCompressNegotiation(t *testing.T) {
	tests := []struct{ name, accept, want string }{
		{"none", "", ""},
		{"gzip", "gzip", "gzip"},
		{"deflate", "deflate", "deflate"},
		{"deflate, then gzip: the server's order", "deflate, gzip", "gzip"},
		{"the client's order", "gzip;q=0.5, deflate;q=0.8", "deflate"},
		{"chi: q=0 is no", "gzip;q=0", ""},
		{"q=0.000", "gzip; q=0.000", ""},
		{"gorilla: q=1.0", "gzip;q=1.0", "gzip"},
		{"blanks and capitals", " GZIP ; Q=0.3 ", "gzip"},
		{"anything", "*", "gzip"},
		{"anything but gzip", "gzip;q=0, *", "deflate"},
		{"anything else is no", "deflate, *;q=0", "deflate"},
		{"unknown", "br, zstd", ""},
		{"a name that has it", "notgzip", ""},
		{"x-gzip", "x-gzip", "gzip"},
		{"rather not", "identity, gzip;q=0.5", ""},
		{"both alike", "identity;q=0.5, gzip;q=0.5", "gzip"},
		{"only not identity", "identity;q=0", ""},
		{"malformed weight", "gzip;q=x", ""},
		{"weight beyond", "gzip;q=2", ""},
		{"weight NaN", "gzip;q=NaN", ""},
		{"browser", "gzip, deflate, br, zstd", "gzip"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := &wsgitest.Request{}
			if tt.accept != "" {
				req.With("Accept-Encoding", tt.accept)
			}
			res := wsgitest.Do(t, middleware.Compress(middleware.CompressConfig{})(answer("200 OK", page, "Content-Type", "text/html")), req)
			if got := res.Headers.Get("Content-Encoding"); got != tt.want || unpack(t, res) != page {
				t.Errorf("got the coding %q, expected %q", got, tt.want)
			}
			if got := res.Headers.Get("Vary"); got != "Accept-Encoding" { // chi has it only if it compressed
				t.Errorf("Vary is %q", got)
			}
		})
	}
}

func FuzzAcceptEncoding(f *testing.F) {
	for _, s := range []string{"gzip", "gzip;q=0, *;q=1", `gzip;q="1"`, ",,;q", "identity;q=0", "gzip;q=1e-5"} {
		f.Add(s)
	}
	m := middleware.Compress(middleware.CompressConfig{})(answer("200 OK", page, "Content-Type", "text/html"))
	f.Fuzz(func(t *testing.T, accept string) {
		environ := wsgitest.NewRequest("GET", "/").Environ()
		environ.Set("HTTP_ACCEPT_ENCODING", accept)
		_, err := m.Call(environ, func(_ string, h wsgi.Headers, _ error) (wsgi.Write, error) {
			coding := h.Get("Content-Encoding")
			if coding != "" && !strings.Contains(strings.ToLower(accept), coding) && !strings.Contains(accept, "*") {
				t.Errorf("%q gets the coding %q", accept, coding)
			}
			return func([]byte) (int, error) { return 0, nil }, nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func BenchmarkCompress(b *testing.B) {
	block := []byte(strings.Repeat(page, 1000)[:1<<20])
	for name, size := range map[string]int{"in 32 KiB": 32 << 10, "in one": 1 << 20} {
		var list [][]byte
		for rest := block; len(rest) > 0; rest = rest[min(size, len(rest)):] {
			list = append(list, rest[:min(size, len(rest))])
		}
		b.Run("raw "+name, func(b *testing.B) {
			w := gzip.NewWriter(io.Discard)
			b.SetBytes(int64(len(block)))
			for b.Loop() {
				w.Reset(io.Discard)
				for _, part := range list {
					w.Write(part)
				}
				w.Close()
			}
		})
		for _, lazy := range []bool{false, true} {
			app := middleware.Compress(middleware.CompressConfig{Lazy: lazy})(wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				_, err := start("200 OK", wsgi.Headers{{Name: "Content-Type", Value: "text/html"}}, nil)
				if len(list) == 1 {
					return wsgi.Bytes(list[0]), err
				}
				return wsgi.Blocks(list...), err
			}))
			environ := wsgitest.NewRequest("GET", "/").With("Accept-Encoding", "gzip").Environ()
			start := func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil }
			b.Run(fmt.Sprintf("middleware %s lazy=%v", name, lazy), func(b *testing.B) {
				b.SetBytes(int64(len(block)))
				for b.Loop() {
					body, _ := app.Call(environ, start)
					body.Blocks(func([]byte, error) bool { return true })
					body.Close()
				}
			})
		}
	}
}
