package adaptertest

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/forward"
	"github.com/gowsgi/gowsgi/wsgi"
)

// health: a backend that takes requests and answers none is left alone. It always
// has the fewest under way.
func (c Client) health(t *testing.T) {
	for name, act := range map[string]func(net.Conn){
		"closes": func(conn net.Conn) { conn.Read(make([]byte, 100)) },
		"hangs":  func(conn net.Conn) { io.Copy(io.Discard, conn) },
	} {
		t.Run(name, func(t *testing.T) {
			o := forward.Options{Addrs: []string{Hostile(t, act)}, ResponseTimeout: 50 * time.Millisecond}
			url := c.behind(t, o, func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				return respond("ok")(environ, start)
			})
			// Each time that it is tried again twice as long has passed: this many
			// are not reached within half a minute.
			const most = 6
			failed := 0
			for range 40 {
				if a := ask(t, "GET", url, nil); a.Code != 200 {
					failed++
				}
			}
			if failed == 0 || failed > most {
				t.Errorf("of 40 requests %d were not answered, expected 1 to %d", failed, most)
			}
		})
	}
}

// innocent: a backend is not blamed for a client that leaves.
func (c Client) innocent(t *testing.T) {
	var counts [2]atomic.Int32
	called, release := make(chan bool), make(chan bool)
	count := func(i int) wsgi.AppFunc {
		return func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			counts[i].Add(1)
			called <- true
			if environ.Var("QUERY_STRING") == "leave" {
				<-environ.Context().Done()
				called <- true
			} else {
				<-release
			}
			return respond("ok")(environ, start)
		}
	}
	url := c.behind(t, forward.Options{Addrs: []string{c.Serve(t, count(1), "tcp")}}, count(0))
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan bool)
	go func() {
		defer close(left)
		q, _ := http.NewRequestWithContext(ctx, "GET", url+"/?leave", nil)
		if r, err := client().Do(q); err == nil {
			r.Body.Close()
		}
	}()
	<-called
	cancel()
	<-called
	<-left
	for i := range counts {
		counts[i].Store(0)
	}
	var waiting sync.WaitGroup
	for range 4 {
		waiting.Go(func() { ask(t, "POST", url, strings.NewReader("x")).expect(t, "one of four", 200, "ok") })
		<-called
	}
	// The end of the request that was left may come later, and count as one under way.
	if a, b := counts[0].Load(), counts[1].Load(); a == 0 || b == 0 {
		t.Errorf("after a client has left %d and %d of four requests went to the two backends, expected some to each", a, b)
	}
	for range 4 {
		release <- true
	}
	waiting.Wait()
}
