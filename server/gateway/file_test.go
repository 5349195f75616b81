package gateway_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestGatewayFile is about wsgi.file_wrapper, over a transport that can send
// files and over one that cannot: but for the way, the same.
func TestGatewayFile(t *testing.T) {
	const contents = "0123456789"
	wrap := func(p *probe, file io.Reader) wsgi.Iterable {
		return p.environ.FileWrapper()(file, 4)
	}
	exchanges := []exchange{
		{
			// fw-real, AMB-32: the size comes from the file's other methods.
			// Covers: FILE-01, FILE-09, FILE-13
			name: "FILE-11/whole",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return wrap(p, open(t, contents)), nil
			},
			want: []string{"head 200 OK; Content-Length: 10", "file 0123456789", "end"},
		}, {
			name: "FILE-11/from-its-position-at-transmission",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				file := open(t, contents)
				file.Seek(3, io.SeekStart)
				body := wrap(p, file)
				file.Seek(6, io.SeekStart)
				return body, nil
			},
			want: []string{"head 200 OK; Content-Length: 4", "file 6789", "end"},
		}, {
			// fw-cl: a length below the file's is no fault.
			name: "FILE-11/shorter-length",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", fields("Content-Length", "5"), nil)
				return wrap(p, open(t, contents)), nil
			},
			want: []string{"head 200 OK; Content-Length: 5", "file 01234", "end"},
		}, {
			// fw-cl-long
			name: "FILE-11/longer-length",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", fields("Content-Length", "11"), nil)
				return wrap(p, open(t, contents)), nil
			},
			want:    []string{"head 200 OK; Content-Length: 11", "file 0123456789"},
			reports: []string{"ERROR response cut (LEN-04)"},
		}, {
			name: "FILE-11/empty",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return wrap(p, open(t, "")), nil
			},
			want: []string{"head 200 OK; Content-Length: 0", "file ", "end"},
		}, {
			name: "FILE-11/position-beyond-the-end",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				file := open(t, contents)
				file.Seek(20, io.SeekStart)
				return wrap(p, file), nil
			},
			want: []string{"head 200 OK; Content-Length: 0", "file ", "end"},
		}, {
			name: "FILE-16/after-write",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", nil, nil)
				write([]byte("a"))
				return wrap(p, open(t, contents)), nil
			},
			want: []string{"head 200 OK", "block a", "file 0123456789", "end"},
		}, {
			name: "FILE-16/length-counts-both",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", fields("Content-Length", "4"), nil)
				write([]byte("abc"))
				return wrap(p, open(t, contents)), nil
			},
			want: []string{"head 200 OK; Content-Length: 4", "block abc", "file 0", "end"},
		}, {
			// fw-head
			name:    "FILE-16/head",
			request: request{method: "HEAD"},
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return wrap(p, open(t, contents)), nil
			},
			want: []string{"head 200 OK", "end"},
		}, {
			name: "FILE-16/204",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("204 No Content", nil, nil)
				return wrap(p, open(t, contents)), nil
			},
			want:    []string{"head 204 No Content", "end"},
			reports: []string{"WARN response body was discarded (HTTP-16)"},
		}, {
			name: "FILE-16/never-started",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				return wrap(p, open(t, contents)), nil
			},
			want:    failed,
			reports: []string{"ERROR application failed (SRV-06)"},
		}, {
			// env-wreck: what environ holds by then does not matter.
			name: "FILE-12/key-removed",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				body := wrap(p, open(t, contents))
				p.environ.Delete("wsgi.file_wrapper")
				return body, nil
			},
			want: []string{"head 200 OK; Content-Length: 10", "file 0123456789", "end"},
		}, {
			// fw-discard. Covers: FILE-06
			name: "FILE-17/never-returned",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				wrap(p, fileLike{open(t, contents), p})
				return p.body("else"), nil
			},
			want: []string{"head 200 OK", "block else", "end", "close"},
		}, {
			// The head may still change between the wrapping and the return.
			name: "FILE-10/replaced-after-wrapping",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", fields("X", "1"), nil)
				body := wrap(p, open(t, contents))
				start("500 Sorry", nil, errBoom)
				return body, nil
			},
			want: []string{"head 500 Sorry; Content-Length: 10", "file 0123456789", "end"},
		}, {
			// fw-like: nothing but Read and Close. Covers: FILE-08
			name: "FILE-14/file-like",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return wrap(p, fileLike{strings.NewReader("abcdef"), p}), nil
			},
			want: []string{"head 200 OK", "block abcd", "block ef", "end", "close"},
		}, {
			// fw-noclose
			name: "FILE-14/without-close",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return wrap(p, strings.NewReader("abcdef")), nil
			},
			want: []string{"head 200 OK", "block abcd", "block ef", "end"},
		}, {
			// A pipe is a file without a size.
			name: "FILE-14/pipe",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return wrap(p, pipe(t, contents)), nil
			},
			want: []string{"head 200 OK", "block 0123456789", "end"},
		}, {
			name: "FILE-14/pipe-with-length",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", fields("Content-Length", "4"), nil)
				return wrap(p, pipe(t, contents)), nil
			},
			want: []string{"head 200 OK; Content-Length: 4", "block 0123", "end"},
		}, {
			name:    "FILE-14/pipe-of-head",
			request: request{method: "HEAD"},
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return wrap(p, pipe(t, contents)), nil
			},
			want: []string{"head 200 OK", "end"},
		}, {
			// The file is closed by the application's mistake.
			name: "FILE-08/unreadable",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				file := open(t, contents)
				file.Close()
				return wrap(p, file), nil
			},
			want:    []string{"head 200 OK"},
			reports: []string{"ERROR response cut", "ERROR closing the response body failed"},
		}, {
			// A part of a body is in a file; the body ignores that it could
			// not be read.
			name: "FILE-11/unreadable-part",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				file := open(t, contents)
				file.Close()
				return parts{p, file, 2}, nil
			},
			want:    []string{"head 200 OK", "block before", "sent 0, error: true", "more: false", "close"},
			reports: []string{"ERROR response cut"},
		}, {
			name: "FILE-11/part",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return parts{p, open(t, contents), 2}, nil
			},
			want: []string{"head 200 OK", "block before", "file 01", "sent 2, error: false", "block after", "more: true", "end", "close"},
		}, {
			name: "LEN-01/part-of-a-file",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", fields("Content-Length", "7"), nil)
				return parts{p, open(t, contents), 2}, nil
			},
			want:    []string{"head 200 OK; Content-Length: 7", "block before", "file 0", "sent 1, error: true", "more: false", "end", "close"},
			reports: []string{"WARN response is longer than its Content-Length (LEN-01)"},
		},
	}
	for _, e := range exchanges {
		t.Run(e.name+"/blocks", blocksForFiles(e).run)
		e.request.adorn = func(w *wire) gateway.Transport { return fileWire{w} }
		t.Run(e.name+"/sendfile", e.run)
	}

	t.Run("ERR-15/client-gone-during-a-file", func(t *testing.T) {
		got := request{failAt: 2, adorn: func(w *wire) gateway.Transport { return fileWire{w} }}.serve(t,
			func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return wrap(p, open(t, contents)), nil
			})
		if !errors.Is(got.err, errWire) {
			t.Errorf("Serve returned %v, expected the transport's error", got.err)
		}
		if diff := cmp.Diff([]string{"DEBUG client left"}, got.reports); diff != "" {
			t.Error(diff)
		}
	})

	// fw-iter: a middleware iterates what the wrapper returned, and nothing
	// goes past it. Covers: EXT-02
	t.Run("FILE-05/iterated-by-middleware", func(t *testing.T) {
		got := request{adorn: func(w *wire) gateway.Transport { return fileWire{w} }}.serve(t,
			func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return outer{p, wrap(p, open(t, contents))}, nil
			})
		want := []string{"head 200 OK", "block 0123", "block 4567", "block 89", "end", "outer close"}
		if diff := cmp.Diff(want, got.events); diff != "" {
			t.Error(diff)
		}
	})
}

// blocksForFiles returns e as a transport that cannot send files has it. A
// block of nothing is not sent; a file of nothing may be.
func blocksForFiles(e exchange) exchange {
	events := e.want
	e.want = nil
	for _, event := range events {
		if part, ok := strings.CutPrefix(event, "file "); !ok {
			e.want = append(e.want, event)
		} else if part != "" {
			e.want = append(e.want, "block "+part)
		}
	}
	return e
}
