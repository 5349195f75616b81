package backend

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// TestLinger: a peer that sends on gets its time, and no more.
func TestLinger(t *testing.T) {
	const never = time.Hour
	for _, tt := range []struct {
		name     string
		pause    time.Duration // of the peer, between two pieces
		pieces   int
		shutdown time.Duration // after so long
		want     time.Duration // until the connection is closed
	}{
		{"a peer that is silent", 0, 0, never, lingerPause},
		{"a peer that goes on, slowly", 4 * time.Second, 6, never, 24*time.Second + lingerPause},
		{"a peer that does not end", 4 * time.Second, 1000, never, lingerTime},
		{"a peer that stops for too long", 6 * time.Second, 1000, never, lingerPause},
		{"a stop before it", 4 * time.Second, 1000, 0, lingerPause},
		{"a stop meanwhile", 4 * time.Second, 1000, 10*time.Second + 1, 10*time.Second + lingerPause},
		{"a stop near the end", 4 * time.Second, 1000, 28*time.Second + 1, lingerTime},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lingers := make(chan bool)
				s, err := New(Options{App: wsgi.Response{}}, func(c *Conn) {
					c.Begin()
					<-lingers
					c.Linger()
				})
				if err != nil {
					t.Fatal(err)
				}
				near, far := net.Pipe()
				s.take(near, nil)
				stop := time.AfterFunc(tt.shutdown, func() { s.Shutdown(context.Background()) })
				defer stop.Stop()
				time.Sleep(time.Nanosecond) // a stop at once comes before
				synctest.Wait()
				begin := time.Now()
				lingers <- true
				sent := make(chan bool)
				go func() {
					defer close(sent)
					for range tt.pieces {
						time.Sleep(tt.pause)
						if _, err := io.WriteString(far, "piece"); err != nil {
							return
						}
					}
				}()
				far.Read(make([]byte, 1)) // nothing comes but the end
				if passed := time.Since(begin); passed != tt.want {
					t.Errorf("the connection is closed after %v, expected %v", passed, tt.want)
				}
				far.Close()
				<-sent
			})
		})
	}
}
