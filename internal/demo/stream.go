package demo

import (
	"bytes"
	"fmt"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// pause is between two pieces: long enough to be seen.
const pause = 300 * time.Millisecond

// pieces is what the stream tells, a piece each.
var pieces = []string{
	"The server accepted your connection and read the head of the request.",
	"It made the environ: the request as a dictionary.",
	"It called the application with that and with start_response.",
	"The application called start_response, which stored the status and the headers.",
	"It returned this body, and has been asked for one block after the other since.",
	"The status and the headers went out with the first block, and not before.",
	"Up to then, an error could still have replaced them.",
	"Each block is on its way to you before the next one is made.",
	"So a slow reader slows the application, and nothing piles up in between.",
	"If you leave now, the application is told, and stops.",
	"If the server is told to stop, it lets this page finish.",
	"After the last block the server closes the body, exactly once.",
}

// stream answers with a page that arrives piece by piece.
func (d *Demo) stream(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	r := response{status: "200 OK", title: "A stream", data: len(pieces)}
	head, err := d.render(environ, "stream-head", r)
	if err != nil {
		return nil, err
	}
	foot, err := d.render(environ, "stream-foot", r)
	if err != nil {
		return nil, err
	}
	if _, err := startResponse(r.status, pageHeaders(), nil); err != nil {
		return nil, err
	}
	if environ.Var("REQUEST_METHOD") == "HEAD" {
		return wsgi.Empty(), nil // nobody would see the pieces, so nobody waits for them
	}
	ctx := environ.Context()
	return wsgi.Generator(func(yield func(block []byte, err error) bool) {
		begin := time.Now()
		if !yield(head, nil) {
			return
		}
		tick := time.NewTicker(pause)
		defer tick.Stop()
		for _, text := range pieces {
			select {
			case <-tick.C:
			case <-ctx.Done():
				yield(nil, ctx.Err()) // not the end of the page: what has come is not the whole
				return
			}
			var piece bytes.Buffer
			fmt.Fprintf(&piece, "<li><span class=\"time\">%.1f s</span> %s</li>\n", time.Since(begin).Seconds(), text)
			if !yield(piece.Bytes(), nil) {
				return
			}
		}
		yield(foot, nil)
	}), nil
}
