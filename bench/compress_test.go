package bench

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// table is a page of a megabyte, which is compressed to a fifth or so, as pages
// are.
func table() []byte {
	var page bytes.Buffer
	random := rand.New(rand.NewPCG(1, 2))
	for i := 0; page.Len() < 1<<20; i++ {
		fmt.Fprintf(&page, "<tr><td>%d</td><td class=\"name\">%x</td><td>%d</td></tr>\n", i, random.Uint64(), random.IntN(1000))
	}
	return page.Bytes()
}

// inBlocks is a body of blocks of 32 KiB.
func inBlocks(page []byte) wsgi.Iterable {
	return wsgi.Generator(func(yield func([]byte, error) bool) {
		for len(page) > 0 {
			n := min(len(page), 32<<10)
			if !yield(page[:n], nil) {
				return
			}
			page = page[n:]
		}
	})
}

// compressed is how a page is compressed, with and without the middleware.
type compressed struct {
	name   string
	config middleware.CompressConfig
	body   func(page []byte) wsgi.Iterable
	flush  bool // raw gzip does so after each block, as the middleware does
}

var compressedWays = []compressed{
	{"one block", middleware.CompressConfig{}, wsgi.Bytes, false},
	{"blocks", middleware.CompressConfig{}, inBlocks, true},
	{"blocks, lazy", middleware.CompressConfig{Lazy: true}, inBlocks, false},
}

// pages returns what sends a page by raw compress/gzip, and what does so by the
// middleware.
func (c compressed) pages(t testing.TB, page []byte) (raw, ours func(w io.Writer)) {
	z := gzip.NewWriter(io.Discard)
	raw = func(w io.Writer) {
		z.Reset(w)
		for block := range c.body(page).Blocks {
			z.Write(block)
			if c.flush {
				z.Flush()
			}
		}
		z.Close()
	}
	app := middleware.Compress(c.config)(wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		_, err := start("200 OK", wsgi.Headers{{Name: "Content-Type", Value: "text/html"}}, nil)
		return c.body(page), err
	}))
	environ := wsgitest.NewRequest("GET", "/").With("Accept-Encoding", "gzip").Environ()
	start := func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil }
	ours = func(w io.Writer) {
		body, err := app.Call(environ, start)
		if err != nil {
			t.Fatal(err)
		}
		for block, err := range body.Blocks {
			if err != nil {
				t.Fatal(err)
			}
			w.Write(block)
		}
		body.Close()
	}
	return raw, ours
}

// BenchmarkCompress lets the middleware and raw compress/gzip take turns with
// the same page.
func BenchmarkCompress(b *testing.B) {
	page := table()
	for _, c := range compressedWays {
		b.Run(c.name, func(b *testing.B) {
			raw, ours := c.pages(b, page)
			measure := func(send func(io.Writer)) float64 {
				begin := cpuTime()
				send(io.Discard)
				return float64(len(page)) / (1 << 20) / (cpuTime() - begin).Seconds()
			}
			measure(raw)
			measure(ours)
			var rawRates, ourRates []float64
			for b.Loop() {
				for i := range 20 {
					if i%2 == 0 {
						rawRates = append(rawRates, measure(raw))
						ourRates = append(ourRates, measure(ours))
					} else {
						ourRates = append(ourRates, measure(ours))
						rawRates = append(rawRates, measure(raw))
					}
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(ourRates), "MiB/s")
			b.ReportMetric(median(rawRates), "raw-MiB/s")
			b.ReportMetric(median(quotients(ourRates, rawRates)), "ratio")
		})
	}
}

// TestCompress checks that both send the same bytes.
func TestCompress(t *testing.T) {
	page := table()
	for _, c := range compressedWays {
		raw, ours := c.pages(t, page)
		var want, got bytes.Buffer
		raw(&want)
		ours(&got)
		if !bytes.Equal(want.Bytes(), got.Bytes()) {
			t.Errorf("%s: %d bytes, expected the %d of compress/gzip", c.name, got.Len(), want.Len())
		}
	}
}
