package middleware_test

import (
	"compress/gzip"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// TestCompressReuse sees that a compressor is used again after a body whose
// compressed block is larger than the buffers that are kept. Now and then a
// pool loses one; it does not lose all.
func TestCompressReuse(t *testing.T) {
	block := make([]byte, 300<<10)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range block {
		block[i] = byte(random.Uint32())
	}
	const responses = 10
	made := 0
	app := middleware.Compress(middleware.CompressConfig{Codings: []middleware.Coding{{Name: "gzip", New: func(w io.Writer) middleware.Compressor {
		made++
		return gzip.NewWriter(w)
	}}}})(wsgi.Response{Status: "200 OK", Headers: wsgi.Headers{{Name: "Content-Type", Value: "text/plain"}}, Body: wsgi.Bytes(block)})
	for range responses {
		res := wsgitest.Do(t, app, wsgitest.NewRequest("GET", "/").With("Accept-Encoding", "gzip"))
		if res.Headers.Get("Content-Encoding") != "gzip" {
			t.Fatalf("the response is not compressed: %v", res.Headers)
		}
	}
	if made >= responses {
		t.Errorf("%d compressors were made for %d responses, expected them to be used again", made, responses)
	}
}
