package measure

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// page is a page of so many bytes, which is compressed to a fifth or so, as pages are.
func page(size int) []byte {
	var b bytes.Buffer
	random := rand.New(rand.NewPCG(1, 2))
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "<tr><td>%d</td><td class=\"name\">%x</td><td>%d</td></tr>\n", i, random.Uint64(), random.IntN(1000))
	}
	return b.Bytes()[:size]
}

// pages are how pages are sent.
var pages = []struct {
	name  string
	size  int
	block int  // 0 for the page in one block
	lazy  bool // blocks are not flushed
}{
	{"4 KiB", 4 << 10, 0, false},
	{"4 KiB in 4 blocks", 4 << 10, 1 << 10, false},
	{"64 KiB", 64 << 10, 0, false},
	{"64 KiB in 8 blocks", 64 << 10, 8 << 10, false},
	{"1 MiB", 1 << 20, 0, false},
	{"1 MiB in 32 blocks", 1 << 20, 32 << 10, false},
	{"1 MiB in 32 blocks, lazy", 1 << 20, 32 << 10, true},
}

// compressing is a page that is compressed by middleware.Compress, and by what that
// uses alone.
type compressing struct {
	blocks [][]byte
	flush  bool // after each block

	create  func(w io.Writer) middleware.Compressor
	raw     middleware.Compressor // made when it is first used, as the middleware's is
	app     wsgi.Application
	environ *wsgi.Environ
}

func (c *compressing) body() wsgi.Iterable {
	if len(c.blocks) == 1 {
		return wsgi.Bytes(c.blocks[0])
	}
	return wsgi.Generator(func(yield func([]byte, error) bool) {
		for _, block := range c.blocks {
			if !yield(block, nil) {
				return
			}
		}
	})
}

// alone sends the page without the middleware.
func (c *compressing) alone(w io.Writer) {
	if c.raw == nil {
		c.raw = c.create(io.Discard)
	}
	c.raw.Reset(w)
	for block := range c.body().Blocks {
		c.raw.Write(block)
		if c.flush {
			c.raw.Flush()
		}
	}
	c.raw.Close()
}

// through sends the page through the middleware.
func (c *compressing) through(w io.Writer) {
	body, err := c.app.Call(c.environ, func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil })
	if err != nil {
		panic(err)
	}
	for block, err := range body.Blocks {
		if err != nil {
			panic(err)
		}
		w.Write(block)
	}
	body.Close()
}

// compressions calls f with a function for each page, which makes the two ways to
// send it.
func compressions(coding middleware.Coding, raw func(w io.Writer) middleware.Compressor, f func(name string, size int, create func() *compressing)) {
	for _, p := range pages {
		content := page(p.size)
		blocks := [][]byte{content}
		if p.block > 0 {
			blocks = slices.Collect(slices.Chunk(content, p.block))
		}
		f(p.name, p.size, func() *compressing {
			c := &compressing{blocks: blocks, flush: p.block > 0 && !p.lazy, create: raw}
			c.app = middleware.Compress(middleware.CompressConfig{Codings: []middleware.Coding{coding}, Lazy: p.lazy})(
				wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
					_, err := start("200 OK", wsgi.Headers{{Name: "Content-Type", Value: "text/html"}}, nil)
					return c.body(), err
				}))
			c.environ = wsgitest.NewRequest("GET", "/").With("Accept-Encoding", coding.Name).Environ()
			return c
		})
	}
}

// Compression reports how much of the throughput of a raw compressor is left with
// middleware.Compress around it: ratio, for pages of several sizes, in one block and
// in more, which are flushed one by one both ways.
//
// Both are made anew from time to time, and by turns the one or the other first: how
// the tables of a compressor happen to lie in memory weighs more than all that the
// middleware does, and the second to be made is the slower one.
func Compression(b *testing.B, coding middleware.Coding, raw func(w io.Writer) middleware.Compressor) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	compressions(coding, raw, func(name string, size int, create func() *compressing) {
		b.Run(name, func(b *testing.B) {
			var ours, theirs Costs
			for b.Loop() {
				for i := range 20 {
					c := create()
					through, alone := func() { c.through(io.Discard) }, func() { c.alone(io.Discard) }
					if i%2 == 0 {
						through() // which makes its compressor
					}
					alone()
					through()
					x, y := Turns(3, Times(4*time.Millisecond, alone), through, alone)
					ours.Add(x)
					theirs.Add(y)
				}
			}
			size := float64(size) / (1 << 20)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(size/Median(ours.Processor), "MiB/s")
			b.ReportMetric(size/Median(theirs.Processor), "raw-MiB/s")
			b.ReportMetric(Median(Quotients(theirs.Processor, ours.Processor)), "ratio")
			b.ReportMetric(Median(Quotients(theirs.Clock, ours.Clock)), "ratio-clock")
		})
	})
}

// SameCompression checks that what Compression compares are the same bytes, and so the
// same work.
func SameCompression(t *testing.T, coding middleware.Coding, raw func(w io.Writer) middleware.Compressor) {
	compressions(coding, raw, func(name string, _ int, create func() *compressing) {
		c := create()
		for range 2 { // the second time with a compressor that was used
			var want, got bytes.Buffer
			c.alone(&want)
			c.through(&got)
			if !bytes.Equal(want.Bytes(), got.Bytes()) {
				t.Errorf("%s, %s: %d bytes come through the middleware, expected the %d of the compressor alone", coding.Name, name, got.Len(), want.Len())
			}
		}
	})
}
