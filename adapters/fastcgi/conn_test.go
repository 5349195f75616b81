package fastcgi

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/internal/fcgi"
	"github.com/gowsgi/gowsgi/wsgi"
)

func TestKeepConn(t *testing.T) {
	p := connect(t, echo)
	for i, text := range []string{"one", "two", "three"} {
		p.Write(ask(uint16(i%2+1), fcgi.KeepConn))
		p.Write(stdinOf(uint16(i%2+1), text))
		p.expect(echoed(uint16(i%2+1), text)...)
	}
	p.Write(ask(9, 0))
	p.Write(stdinOf(9, "last"))
	p.expect(append(echoed(9, "last"), record{})...)
}

// What was not read of a body is not taken for the next request.
func TestUnreadBody(t *testing.T) {
	p := connect(t, wsgi.Response{Status: "200 OK", Body: wsgi.Strings("x")}.Call)
	for range 3 {
		go p.Write(append(ask(1, fcgi.KeepConn, "CONTENT_LENGTH", "300000"), stdinOf(1, strings.Repeat("y", 300000))...))
		p.expect(echoed(1, "x")...)
		p.Write(stdinOf(1, "")) // nobody's
	}
}

func TestIdleTimeout(t *testing.T) {
	s := &Server{App: wsgi.AppFunc(echo), IdleTimeout: 20 * time.Millisecond, Logger: adaptertest.Silent}
	p := &peer{adaptertest.Dial(t, adaptertest.Serve(t, s, "tcp")), t}
	p.Write(append(ask(1, fcgi.KeepConn), stdinOf(1, "ok")...))
	p.expect(append(echoed(1, "ok"), record{})...)
}

// The second request of a connection has the time limits of the first.
func TestSecondHeadIsSlow(t *testing.T) {
	s := &Server{App: wsgi.AppFunc(echo), ReadHeaderTimeout: 100 * time.Millisecond, IdleTimeout: -1, Logger: adaptertest.Silent}
	p := &peer{adaptertest.Dial(t, adaptertest.Serve(t, s, "tcp")), t}
	p.Write(append(ask(1, fcgi.KeepConn), stdinOf(1, "ok")...))
	p.expect(echoed(1, "ok")...)
	p.Write(ask(2, fcgi.KeepConn)[:20])
	p.expect(record{})
}

// A connection that is kept does not hold up Shutdown.
func TestShutdownWithKeptConnections(t *testing.T) {
	adaptertest.Leaks(t)
	s := &Server{App: wsgi.AppFunc(echo), Logger: adaptertest.Silent}
	addr := adaptertest.Serve(t, s, "tcp")
	p := &peer{adaptertest.Dial(t, addr), t}
	p.Write(append(ask(1, fcgi.KeepConn), stdinOf(1, "ok")...))
	p.expect(echoed(1, "ok")...)
	ctx, cancel := context.WithTimeout(t.Context(), adaptertest.Patience)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	p.expect(record{})
}
