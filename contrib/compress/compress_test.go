package compress_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/contrib/compress"
	"github.com/gowsgi/gowsgi/internal/measure"
	"github.com/gowsgi/gowsgi/internal/sandwich"
	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// unzstd and unbrotli are what a client does.
func unzstd(r io.Reader) io.Reader {
	d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20))
	if err != nil {
		panic(err)
	}
	return d
}

func unbrotli(r io.Reader) io.Reader { return brotli.NewReader(r) }

var codings = []struct {
	name   string
	coding middleware.Coding
	decode func(io.Reader) io.Reader
	raw    func(w io.Writer) middleware.Compressor
}{
	{"zstd", compress.Zstd(zstd.SpeedDefault), unzstd, func(w io.Writer) middleware.Compressor {
		c, _ := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(4<<20))
		return c
	}},
	{"br", compress.Brotli(4), unbrotli, func(w io.Writer) middleware.Compressor { return brotli.NewWriterLevel(w, 4) }},
}

// page is a page of half a megabyte.
var page = func() []byte {
	var b bytes.Buffer
	random := rand.New(rand.NewPCG(1, 2))
	for b.Len() < 512<<10 {
		fmt.Fprintf(&b, "<tr><td>%x</td><td class=\"name\">%d</td></tr>\n", random.Uint64(), random.IntN(1000))
	}
	return b.Bytes()
}()

// stream is an application that yields the page in blocks.
func stream(size int) wsgi.Application {
	return wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		_, err := start("200 OK", wsgi.Headers{{Name: "Content-Type", Value: "text/html"}}, nil)
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			for block := range slices.Chunk(page, size) {
				if !yield(block, nil) {
					return
				}
			}
		}), err
	})
}

func TestCodings(t *testing.T) {
	for _, c := range codings {
		t.Run(c.name, func(t *testing.T) {
			m := middleware.Compress(middleware.CompressConfig{Codings: []middleware.Coding{c.coding}})
			for _, size := range []int{1 << 10, 32 << 10, 1 << 20} {
				for range 2 { // the second time with a compressor that was used
					l := conformance.NewLinter(t)
					res := wsgitest.Do(t, l.Lint(m(l.Lint(stream(size)))), wsgitest.NewRequest("GET", "/").With("Accept-Encoding", c.name+", gzip;q=0.5"))
					text := []byte(res.Text())
					got, err := io.ReadAll(c.decode(bytes.NewReader(text)))
					if err != nil || !bytes.Equal(got, page) || res.Headers.Get("Content-Encoding") != c.name || res.Headers.Get("Vary") != "Accept-Encoding" {
						t.Errorf("blocks of %d: %v, error %v, %d bytes of %d", size, res.Headers, err, len(got), len(page))
					}
					if len(text) > len(page)*3/4 {
						t.Errorf("blocks of %d: %d bytes were made of %d", size, len(text), len(page))
					}
				}
			}
			for _, accept := range []string{c.name + ";q=0", "gzip", ""} {
				res := wsgitest.Do(t, m(stream(1<<20)), wsgitest.NewRequest("GET", "/").With("Accept-Encoding", accept))
				if res.Text() != string(page) || res.Headers.Has("Content-Encoding") {
					t.Errorf("Accept-Encoding %q: headers %v", accept, res.Headers)
				}
			}
		})
	}
}

func TestMain(m *testing.M) { sandwich.Main(m, all) }

// all has each coding in the place of those that a request asks for, so that what can
// be compressed is.
func all() map[string]wsgi.Middleware {
	middlewares := map[string]wsgi.Middleware{}
	for _, c := range codings {
		asks := middleware.When(func(environ *wsgi.Environ) bool { return environ.Var("HTTP_ACCEPT_ENCODING") != "" },
			middleware.SetEnv(map[string]any{"HTTP_ACCEPT_ENCODING": c.name}))
		middlewares[c.name] = middleware.Chain(asks, middleware.Compress(middleware.CompressConfig{Codings: []middleware.Coding{c.coding}, MinBytes: 1}))
	}
	return middlewares
}

func TestContract(t *testing.T) {
	for _, c := range codings {
		t.Run(c.name, func(t *testing.T) {
			sandwich.Keeps(t, all()[c.name])
			t.Run("live", func(t *testing.T) { sandwich.Live(t, func() wsgi.Middleware { return all()[c.name] }) })
		})
	}
	t.Run("cgi", func(t *testing.T) { sandwich.LiveCGI(t, all) })
}

// TestFlush: the client can read each block before the next is made.
func TestFlush(t *testing.T) {
	for _, c := range codings {
		t.Run(c.name, func(t *testing.T) {
			var sent bytes.Buffer
			app := middleware.Compress(middleware.CompressConfig{Codings: []middleware.Coding{c.coding}})(wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				_, err := start("200 OK", wsgi.Headers{{Name: "Content-Type", Value: "text/plain"}}, nil)
				return wsgi.Generator(func(yield func([]byte, error) bool) {
					for i := range 3 {
						if !yield(fmt.Appendf(nil, "block %d\n", i), nil) {
							return
						}
						want := "block 0\nblock 1\nblock 2\n"[:8*(i+1)]
						got := make([]byte, len(want))
						if _, err := io.ReadFull(c.decode(bytes.NewReader(sent.Bytes())), got); err != nil || string(got) != want {
							t.Errorf("after block %d the client has %q, error %v", i, got, err)
						}
					}
				}), err
			}))
			body, err := app.Call(wsgitest.NewRequest("GET", "/").With("Accept-Encoding", c.name).Environ(), func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil })
			if err != nil {
				t.Fatal(err)
			}
			for block, err := range body.Blocks {
				if err != nil {
					t.Fatal(err)
				}
				sent.Write(block)
			}
			body.Close()
		})
	}
}

// TestGoroutines: a compressor has none, so one that is kept costs only memory.
func TestGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, c := range codings {
		w := c.coding.New(io.Discard)
		w.Write(page)
		w.Flush()
		if n := runtime.NumGoroutine(); n > before {
			t.Errorf("%s: %d goroutines, %d before", c.name, n, before)
		}
		w.Close()
	}
}

func TestLevels(t *testing.T) {
	for name, bad := range map[string]func(){
		"Zstd: the level is 0":    func() { compress.Zstd(0) },
		"Zstd: the level is 9":    func() { compress.Zstd(9) },
		"Brotli: the level is -1": func() { compress.Brotli(-1) },
		"Brotli: the level is 12": func() { compress.Brotli(12) },
	} {
		func() {
			defer func() {
				if got, _ := recover().(string); !strings.Contains(got, name) {
					t.Errorf("panic with %q, expected one with %q", got, name)
				}
			}()
			bad()
		}()
	}
	for level := zstd.SpeedFastest; level <= zstd.SpeedBestCompression; level++ {
		compress.Zstd(level)
	}
}

// BenchmarkCompress lets middleware.Compress and the raw compressor take turns.
func BenchmarkCompress(b *testing.B) {
	for _, c := range codings {
		b.Run(c.name, func(b *testing.B) { measure.Compression(b, c.coding, c.raw) })
	}
}

func TestSame(t *testing.T) {
	for _, c := range codings {
		measure.SameCompression(t, c.coding, c.raw)
	}
}

func ExampleZstd() {
	m := middleware.Compress(middleware.CompressConfig{Codings: []middleware.Coding{compress.Zstd(zstd.SpeedDefault), compress.Brotli(4)}})
	for _, accept := range []string{"gzip, br, zstd", "gzip, br"} {
		res := wsgitest.Record(m(stream(1<<20)), wsgitest.NewRequest("GET", "/").With("Accept-Encoding", accept))
		fmt.Println(res.Headers.Get("Content-Encoding"))
	}
	// Output:
	// zstd
	// br
}

func ExampleBrotli() {
	m := middleware.Compress(middleware.CompressConfig{Codings: []middleware.Coding{compress.Brotli(4), middleware.Gzip(6)}})
	for _, accept := range []string{"gzip, br", "gzip"} {
		res := wsgitest.Record(m(stream(1<<20)), wsgitest.NewRequest("GET", "/").With("Accept-Encoding", accept))
		fmt.Println(res.Headers.Get("Content-Encoding"))
	}
	// Output:
	// br
	// gzip
}
