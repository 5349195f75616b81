// Package compress has the codings zstd and brotli for middleware.Compress, whose own
// are those of the standard library:
//
//	middleware.Compress(middleware.CompressConfig{
//		Codings: []middleware.Coding{compress.Zstd(zstd.SpeedDefault), compress.Brotli(4), middleware.Gzip(6)},
//	})
//
// Both write a stream: a block that is sent on is flushed, so that the client can read
// it at once. What becomes of status, headers and body is for middleware.Compress to
// say, and is the same for every coding.
//
// Security: as with any coding, the length of a compressed page tells of what is in it.
// No stream needs more memory of the client than RFC 9659 lets it expect.
package compress

import (
	"fmt"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/gowsgi/gowsgi/middleware"
)

// window is how far back a stream refers at most, in bytes: what every client has to
// be able to keep (RFC 9659, 3).
const window = 8 << 20

// Zstd is the coding zstd (RFC 8878), by klauspost/compress. An unknown level panics.
//
// A compressor has no goroutine of its own. It takes about 1 MiB at SpeedFastest, and
// more at better levels, for as long as it is kept for the next response.
func Zstd(level zstd.EncoderLevel) middleware.Coding {
	create := func(w io.Writer) (middleware.Compressor, error) {
		return zstd.NewWriter(w, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(1),
			zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(min(window, windowOf(level))))
	}
	if level < zstd.SpeedFastest || level > zstd.SpeedBestCompression {
		panic(fmt.Sprintf("compress: Zstd: the level is %d, expected one of zstd's, from SpeedFastest to SpeedBestCompression", level))
	}
	if _, err := create(io.Discard); err != nil {
		panic("compress: Zstd: " + err.Error())
	}
	return middleware.Coding{Name: "zstd", New: func(w io.Writer) middleware.Compressor {
		c, _ := create(w) // as above
		return c
	}}
}

// windowOf is the window of a level: small ones are quicker to begin with, and a page
// is seldom larger.
func windowOf(level zstd.EncoderLevel) int {
	if level == zstd.SpeedFastest {
		return 1 << 20
	}
	return 4 << 20
}

// Brotli is the coding br (RFC 7932), by andybalholm/brotli, at a level from 0 to 11;
// anything else panics. What is compressed for each request wants a level of 5 or
// less: above it takes far more time than it spares.
func Brotli(level int) middleware.Coding {
	if level < brotli.BestSpeed || level > brotli.BestCompression {
		panic(fmt.Sprintf("compress: Brotli: the level is %d, expected one from 0 to 11", level))
	}
	return middleware.Coding{Name: "br", New: func(w io.Writer) middleware.Compressor { return brotli.NewWriterLevel(w, level) }}
}
