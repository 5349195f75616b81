package fastcgi

import (
	"bytes"
	"testing"

	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/internal/fcgi"
	"github.com/gowsgi/gowsgi/wsgi"
)

// BenchmarkRequest is a small request with a small response on a connection
// that is kept.
func BenchmarkRequest(b *testing.B) {
	s := &Server{App: wsgi.AppFunc(wsgi.Response{Status: "200 OK", Body: wsgi.Strings("Hello, world!\n")}.Call), Logger: adaptertest.Silent}
	c := adaptertest.Dial(b, adaptertest.Serve(b, s, "tcp"))
	raw := adaptertest.Request("fastcgi", "HTTP_HOST", "h", "HTTP_ACCEPT", "*/*")
	raw[fcgi.HeaderLen+2] = fcgi.KeepConn
	raw = fcgi.AppendStreamEnd(raw, fcgi.Stdin, 1)
	answer := make([]byte, 4096)
	end := fcgi.AppendEnd(nil, 1, 0, 0)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Write(raw); err != nil {
			b.Fatal(err)
		}
		for n := 0; !bytes.HasSuffix(answer[:n], end); {
			k, err := c.Read(answer[n:])
			if err != nil {
				b.Fatal(err)
			}
			n += k
		}
	}
}
