package nethttp_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
)

// recorder is a Transport that keeps what it is given, in pieces.
type recorder struct {
	status  string
	headers wsgi.Headers
	blocks  []string
	files   []string // name and size of what came by SendFile
	hints   []wsgi.Headers
	ended   bool
	after   int   // fail when this many blocks have come, if not 0
	err     error // with this
}

func (t *recorder) Head(code int, status string, headers wsgi.Headers) error {
	t.status, t.headers = status, headers.Clone()
	return nil
}

func (t *recorder) Block(block []byte) error {
	if t.err != nil && len(t.blocks) == t.after {
		return t.err
	}
	t.blocks = append(t.blocks, string(block))
	return nil
}

func (t *recorder) End() error { t.ended = true; return nil }

func (t *recorder) Hint(code int, headers wsgi.Headers) error {
	t.hints = append(t.hints, headers.Clone())
	return nil
}

func (t *recorder) body() string { return strings.Join(t.blocks, "") }

// fileRecorder also takes files.
type fileRecorder struct{ recorder }

func (t *fileRecorder) SendFile(file *os.File, n int64) (int64, error) {
	data, err := io.ReadAll(io.LimitReader(file, n))
	t.files = append(t.files, file.Name())
	t.blocks = append(t.blocks, string(data))
	return int64(len(data)), err
}

type mapSource map[string]string

func (s mapSource) Lookup(key string) (string, bool) { v, ok := s[key]; return v, ok }
func (s mapSource) All(yield func(key, value string) bool) {
	for k, v := range s {
		if !yield(k, v) {
			return
		}
	}
}

// get is a request as a CGI environment; pairs overwrite.
func get(pairs ...string) mapSource {
	s := mapSource{
		"REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/", "QUERY_STRING": "",
		"SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "example.com", "SERVER_PORT": "80",
		"HTTP_HOST": "example.com",
	}
	for i := 0; i < len(pairs); i += 2 {
		s[pairs[i]] = pairs[i+1]
	}
	return s
}

// run serves one request of app in memory and returns the error of Serve and
// what went to wsgi.errors.
func run(t testing.TB, app wsgi.Application, source mapSource, input string, transport gateway.Transport) (error, string) {
	t.Helper()
	return runContext(t.Context(), app, source, input, transport)
}

func runContext(ctx context.Context, app wsgi.Application, source mapSource, input string, transport gateway.Transport) (error, string) {
	var log bytes.Buffer
	g := gateway.Gateway{Errors: &log}
	x := &gateway.Exchange{Source: source, Transport: transport, Method: source["REQUEST_METHOD"], Scheme: "http"}
	if input != "" {
		x.Input = strings.NewReader(input)
	}
	err := g.Serve(ctx, app, x)
	return err, log.String()
}

var errCut = errors.New("the wire is cut")
