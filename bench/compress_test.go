package bench

import (
	"compress/gzip"
	"compress/zlib"
	"io"
	"testing"

	"github.com/gowsgi/gowsgi/internal/measure"
	"github.com/gowsgi/gowsgi/middleware"
)

// standard are the codings of the standard library. Those of contrib/compress have a
// benchmark like this one there.
var standard = []struct {
	coding middleware.Coding
	raw    func(w io.Writer) middleware.Compressor
}{
	{middleware.Gzip(gzip.DefaultCompression), func(w io.Writer) middleware.Compressor { return gzip.NewWriter(w) }},
	{middleware.Deflate(zlib.DefaultCompression), func(w io.Writer) middleware.Compressor { return zlib.NewWriter(w) }},
}

// BenchmarkCompress lets middleware.Compress and the compressors that it uses take
// turns.
func BenchmarkCompress(b *testing.B) {
	for _, c := range standard {
		b.Run(c.coding.Name, func(b *testing.B) { measure.Compression(b, c.coding, c.raw) })
	}
}

func TestCompress(t *testing.T) {
	for _, c := range standard {
		measure.SameCompression(t, c.coding, c.raw)
	}
}
