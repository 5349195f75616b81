package gateway_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestGatewayInput is about wsgi.input as the gateway provides it.
func TestGatewayInput(t *testing.T) {
	// read serves a request with the given body to an application that does
	// nothing but read.
	read := func(t *testing.T, body io.Reader, f func(p *probe, in wsgi.InputStream)) outcome {
		return request{method: "POST", input: body}.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
			f(p, p.input)
			start("200 OK", nil, nil)
			return p.body(), nil
		})
	}
	// AMB-17: without a size, to the end. Covers: INPUT-09
	t.Run("INPUT-01/read-all", func(t *testing.T) {
		read(t, iotest.OneByteReader(strings.NewReader("some bytes")), func(p *probe, in wsgi.InputStream) {
			if got, err := io.ReadAll(in); string(got) != "some bytes" || err != nil {
				t.Errorf("read %q, %v", got, err)
			}
		})
	})
	// AMB-17. Covers: INPUT-07, COM-01
	t.Run("INPUT-10/read-past", func(t *testing.T) {
		read(t, strings.NewReader("abc"), func(p *probe, in wsgi.InputStream) {
			buffer := make([]byte, 1000)
			if n, err := io.ReadFull(in, buffer); n != 3 || err != io.ErrUnexpectedEOF {
				t.Errorf("read %d bytes, %v; expected 3 and a simulated end", n, err)
			}
			for range 3 {
				if n, err := in.Read(buffer); n != 0 || err != io.EOF {
					t.Errorf("after the end: read %d, %v", n, err)
				}
				if line, err := in.ReadLine(-1); line != nil || err != io.EOF {
					t.Errorf("after the end: line %q, %v", line, err)
				}
				if lines, err := in.ReadLines(0); lines != nil || err != nil {
					t.Errorf("after the end: lines %q, %v", lines, err)
				}
			}
		})
	})
	// Covers: INPUT-02, INPUT-03, INPUT-04, INPUT-11, INPUT-13
	t.Run("INPUT-05/one-cursor", func(t *testing.T) {
		read(t, strings.NewReader("line1\nline2\nline3\nline4\nlast"), func(p *probe, in wsgi.InputStream) {
			var got []string
			line, _ := in.ReadLine(-1)
			got = append(got, string(line))
			line, _ = in.ReadLine(3)
			got = append(got, string(line))
			buffer := make([]byte, 3)
			io.ReadFull(in, buffer)
			got = append(got, string(buffer))
			for line := range in.Lines() {
				got = append(got, string(line))
				break
			}
			lines, _ := in.ReadLines(1)
			for _, line := range lines {
				got = append(got, string(line))
			}
			rest, _ := io.ReadAll(in)
			got = append(got, string(rest))
			if diff := cmp.Diff([]string{"line1\n", "lin", "e2\n", "line3\n", "line4\n", "last"}, got); diff != "" {
				t.Error(diff)
			}
		})
	})
	t.Run("INPUT-20/no-body", func(t *testing.T) {
		read(t, nil, func(p *probe, in wsgi.InputStream) {
			if got, err := io.ReadAll(in); len(got) != 0 || err != nil {
				t.Errorf("read %q, %v", got, err)
			}
		})
	})
	t.Run("INPUT-19/read-after-start", func(t *testing.T) {
		got := request{input: strings.NewReader("the body")}.serve(t,
			func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return p.run(func(yield func([]byte, error) bool) {
					yield([]byte("head,"), nil)
					body, err := io.ReadAll(p.input)
					yield(body, err)
				}), nil
			})
		if diff := cmp.Diff([]string{"head 200 OK", "block head,", "end", "close"}, got.events); diff == "" {
			t.Error("the body was not read")
		} else if diff := cmp.Diff([]string{"head 200 OK", "block head,", "block the body", "end", "close"}, got.events); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("INPUT-16/on-demand", func(t *testing.T) {
		read(t, iotest.ErrReader(errBoom), func(p *probe, in wsgi.InputStream) {})
	})
	cut := io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(io.ErrUnexpectedEOF))
	t.Run("INPUT-21/cut-short", func(t *testing.T) {
		read(t, cut, func(p *probe, in wsgi.InputStream) {
			got, err := io.ReadAll(in)
			var blame *gateway.ClientError
			if string(got) != "abc" || !errors.Is(err, io.ErrUnexpectedEOF) || !errors.As(err, &blame) || blame.Status != "400 Bad Request" {
				t.Errorf("read %q, %v", got, err)
			}
			if _, again := in.Read(make([]byte, 1)); again != err {
				t.Errorf("then %v, expected the same error again", again)
			}
		})
	})
	t.Run("INPUT-21/too-large", func(t *testing.T) {
		tooLarge := &gateway.ClientError{Status: "413 Content Too Large", Err: errBoom}
		got := request{input: iotest.ErrReader(tooLarge)}.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := p.input.ReadLine(-1)
			return nil, err
		})
		want := []string{
			"head 413 Content Too Large; Content-Type: text/plain; charset=utf-8; Content-Length: 22",
			"block 413 Content Too Large\n", "end",
		}
		if diff := cmp.Diff(want, got.events); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("INPUT-05/same-stream", func(t *testing.T) {
		read(t, strings.NewReader("abc"), func(p *probe, in wsgi.InputStream) {
			if p.environ.Get("wsgi.input") != in || p.environ.Clone().Input() != in {
				t.Error("wsgi.input is another stream each time")
			}
		})
	})
	// The streams are the body's, and Close is still a part of the request.
	t.Run("INPUT-19/read-in-close", func(t *testing.T) {
		request{input: strings.NewReader("abc")}.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", nil, nil)
			body := p.body()
			body.close = func() error {
				if got, err := io.ReadAll(p.input); string(got) != "abc" || err != nil {
					t.Errorf("read %q, %v", got, err)
				}
				return nil
			}
			return body, nil
		})
	})
}
