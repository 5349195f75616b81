package middleware_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// copier is a compressor that does nothing but write what it gets, in parts of a size.
type copier struct {
	to     io.Writer
	size   int
	wrote  *int  // parts
	failed error // after the first part
}

func (c *copier) Write(p []byte) (n int, err error) {
	for part := range slices.Chunk(p, c.size) {
		*c.wrote++
		k, err := c.to.Write(part)
		if n += k; err != nil {
			return n, err
		}
		if c.failed != nil {
			return n, c.failed
		}
	}
	return n, nil
}

func (c *copier) Flush() error      { return nil }
func (c *copier) Close() error      { return nil }
func (c *copier) Reset(w io.Writer) { c.to = w }

// However large a block, what becomes of it is passed on in parts.
func TestCompressParts(t *testing.T) {
	const most = 32 << 10
	large := strings.Repeat("0123456789abcdef", 1<<16) // 1 MiB
	apps := map[string]wsgi.Application{
		"yielded": streams(nil, large, "end"),
		"one":     answer("200 OK", large+"end", "Content-Type", "text/plain"),
		"written": writes(large, "end"),
	}
	for name, app := range apps {
		for _, size := range []int{100, most - 1, most, most + 1, 3 * most, len(large)} {
			wrote := 0
			m := middleware.Compress(middleware.CompressConfig{Codings: []middleware.Coding{{Name: "copy", New: func(w io.Writer) middleware.Compressor {
				return &copier{to: w, size: size, wrote: &wrote}
			}}}})
			res := wsgitest.Do(t, m(app), get("/").With("Accept-Encoding", "copy"))
			if res.Text() != large+"end" || res.Headers.Get("Content-Encoding") != "copy" {
				t.Errorf("%s, parts of %d: got %d bytes, expected %d", name, size, len(res.Text()), len(large)+3)
			}
			longest := 0
			for _, block := range res.Blocks {
				longest = max(longest, len(block))
			}
			if longest > max(size, most) || longest < min(size, most)/2 {
				t.Errorf("%s, parts of %d: the longest block has %d bytes", name, size, longest)
			}
		}
	}
	t.Run("the client leaves", func(t *testing.T) {
		for name, app := range apps {
			wrote := 0
			m := middleware.Compress(middleware.CompressConfig{Codings: []middleware.Coding{{Name: "copy", New: func(w io.Writer) middleware.Compressor {
				return &copier{to: w, size: most, wrote: &wrote}
			}}}})
			req := get("/").With("Accept-Encoding", "copy")
			req.LeaveAfter, req.ExpectErrors = 2, true
			wsgitest.Do(t, m(app), req)
			if wrote > 4 { // of 32
				t.Errorf("%s: %d parts were made for a client that left after two", name, wrote)
			}
		}
	})
	t.Run("a body that was stopped yields nothing more", func(t *testing.T) {
		wrote, blocks := 0, 0
		m := middleware.Compress(middleware.CompressConfig{Codings: []middleware.Coding{{Name: "copy", New: func(w io.Writer) middleware.Compressor {
			return &copier{to: w, size: most, wrote: &wrote}
		}}}})
		body, err := m(apps["yielded"]).Call(get("/").With("Accept-Encoding", "copy").Environ(), func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil })
		if err != nil {
			t.Fatal(err)
		}
		defer body.Close()
		body.Blocks(func([]byte, error) bool { blocks++; return false })
		if blocks != 1 {
			t.Errorf("yield was called %d times, and stopped the body at the first", blocks)
		}
	})
	t.Run("the compressor fails", func(t *testing.T) {
		for name, app := range apps {
			wrote := 0
			m := middleware.Compress(middleware.CompressConfig{Codings: []middleware.Coding{{Name: "copy", New: func(w io.Writer) middleware.Compressor {
				return &copier{to: w, size: most, wrote: &wrote, failed: errApp}
			}}}})
			req := get("/").With("Accept-Encoding", "copy")
			req.ExpectErrors = true
			res := wsgitest.Do(t, m(app), req)
			if diff := cmp.Diff(large[:most], res.Text()); diff != "" || res.Err == nil || !errors.Is(res.Fault, errApp) {
				t.Errorf("%s: got %d bytes, error %v, reported %v; expected one part, and a response that is cut", name, len(res.Text()), res.Err, res.Fault)
			}
		}
	})
}
