package python

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/gowsgi/gowsgi/wsgi"
)

// TestCutInput: a body that breaks off before a worker has the request is as far
// as it came, and then an error, whether it is held in memory or in a file: an
// end there would be taken for the end of the body.
func TestCutInput(t *testing.T) {
	reset := errors.New("connection reset")
	for _, test := range []struct {
		name          string
		buffer, spool int64
		body          io.Reader
		want          error
	}{
		{"in memory, the end too early", 100, 0, strings.NewReader("half"), io.ErrUnexpectedEOF},
		{"in memory, reset", 100, 0, io.MultiReader(strings.NewReader("half"), iotest.ErrReader(reset)), reset},
		{"in a file, the end too early", 1, 100, strings.NewReader("half"), io.ErrUnexpectedEOF},
		{"in a file, reset", 1, 100, io.MultiReader(strings.NewReader("half"), iotest.ErrReader(reset)), reset},
	} {
		t.Run(test.name, func(t *testing.T) {
			environ := wsgi.NewEnviron(t.Context(), nil)
			environ.Set("CONTENT_LENGTH", "8")
			environ.Set("wsgi.input", wsgi.NewInput(test.body))
			c := &call{environ: environ, pool: &Pool{config: Config{BufferBody: test.buffer, SpoolBody: test.spool}}}
			flags, inline, err := c.prepareInput()
			if flags != packetRemote || inline != nil || err != nil {
				t.Fatalf("flags %d, %q, %v; want the worker to ask for the body", flags, inline, err)
			}
			defer c.closeSpool()
			if got, err := io.ReadAll(c.input); string(got) != "half" || !errors.Is(err, test.want) {
				t.Errorf("the worker would read %q and %v, want half of it and %v", got, err, test.want)
			}
		})
	}
}
