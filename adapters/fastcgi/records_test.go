package fastcgi

import (
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/internal/fcgi"
	"github.com/gowsgi/gowsgi/wsgi"
)

func TestManagement(t *testing.T) {
	p := connect(t, echo)
	query := fcgi.AppendPair(nil, "FCGI_MAX_CONNS", "")
	query = fcgi.AppendPair(query, "FCGI_MPXS_CONNS", "")
	query = fcgi.AppendPair(query, "OTHER", "")
	p.Write(fcgi.AppendRecord(nil, fcgi.GetValues, 0, query))
	p.expect(record{fcgi.GetValuesResult, 0, "\x0f\x01FCGI_MPXS_CONNS0"})
	p.Write(fcgi.AppendRecord(nil, fcgi.GetValues, 0, nil))
	p.expect(record{fcgi.GetValuesResult, 0, ""})
	p.Write(fcgi.AppendRecord(nil, 77, 0, []byte("what is it")))
	p.expect(record{fcgi.UnknownType, 0, "\x4d\x00\x00\x00\x00\x00\x00\x00"})
	p.Write(ask(1, fcgi.KeepConn)) // in the middle of a request too
	p.Write(fcgi.AppendRecord(nil, fcgi.GetValues, 0, query))
	p.expect(record{fcgi.GetValuesResult, 0, "\x0f\x01FCGI_MPXS_CONNS0"})
	p.Write(stdinOf(1, "ok"))
	p.expect(echoed(1, "ok")...)
}

func TestMultiplexingIsRefused(t *testing.T) {
	p := connect(t, echo)
	p.Write(ask(1, fcgi.KeepConn))
	p.Write(ask(2, fcgi.KeepConn))
	p.Write(stdinOf(2, "refused"))
	p.expect(record{fcgi.EndRequest, 2, "\x00\x00\x00\x00\x01\x00\x00\x00"})
	p.Write(stdinOf(1, "ok"))
	p.expect(echoed(1, "ok")...)
	p.Write(append(ask(2, fcgi.KeepConn), stdinOf(2, "now")...))
	p.expect(echoed(2, "now")...)
}

// The id of a request is not free before its end: the connection is out of
// step.
func TestIDInUse(t *testing.T) {
	p := connect(t, echo)
	p.Write(ask(1, fcgi.KeepConn))
	p.Write(fcgi.AppendBegin(nil, 1, fcgi.Responder, fcgi.KeepConn))
	// The application may still say that its input is broken: what counts is
	// that the connection ends, and no response as if it were whole.
	for r := p.next(); r != (record{}); r = p.next() {
		if r.ID != 1 || r.Type == fcgi.Stdout && strings.Contains(r.Content, "200") {
			t.Errorf("expected the end of the connection or a failure of request 1, got %+v", r)
		}
	}
}

func TestRoles(t *testing.T) {
	p := connect(t, echo)
	for _, role := range []uint16{fcgi.Authorizer, fcgi.Filter, 0, 99} {
		p.Write(fcgi.AppendBegin(nil, 1, role, fcgi.KeepConn))
		p.expect(record{fcgi.EndRequest, 1, "\x00\x00\x00\x00\x03\x00\x00\x00"})
	}
	p.Write(append(ask(1, fcgi.KeepConn), stdinOf(1, "ok")...))
	p.expect(echoed(1, "ok")...)
	p.Write(fcgi.AppendBegin(nil, 1, fcgi.Filter, 0))
	p.expect(record{fcgi.EndRequest, 1, "\x00\x00\x00\x00\x03\x00\x00\x00"}, record{})
}

// Pairs may straddle records, and records may be padded in any way.
func TestStraddledPairs(t *testing.T) {
	p := connect(t, echo)
	b := fcgi.AppendBegin(nil, 1, fcgi.Responder, 0)
	pairs := fcgi.AppendPair(fcgi.AppendPair(nil, "REQUEST_METHOD", "POST"), "PATH_INFO", "/a")
	for i := range pairs {
		b = fcgi.AppendHeader(b, fcgi.Header{Type: fcgi.Params, ID: 1, Length: 1, Padding: uint8(i * 37)})
		b = append(b, pairs[i])
		b = append(b, make([]byte, uint8(i*37))...)
	}
	p.Write(fcgi.AppendStreamEnd(b, fcgi.Params, 1))
	p.Write(stdinOf(1, "ok"))
	p.expect(append(echoed(1, "ok"), record{})...)
}

// What brings no request further is not taken for ever.
func TestRecordsInVainHaveAnEnd(t *testing.T) {
	for name, record := range map[string][]byte{
		"empty DATA":         fcgi.AppendStreamEnd(nil, fcgi.Data, 1),
		"empty PARAMS":       fcgi.AppendStreamEnd(nil, fcgi.Params, 1),
		"empty STDIN":        fcgi.AppendStreamEnd(nil, fcgi.Stdin, 1),
		"empty, of nobody":   fcgi.AppendStreamEnd(nil, fcgi.Stdin, 2),
		"ABORT of nobody":    fcgi.AppendAbort(nil, 2),
		"a second request":   fcgi.AppendBegin(nil, 2, fcgi.Responder, fcgi.KeepConn),
		"an unknown type":    fcgi.AppendHeader(nil, fcgi.Header{Type: 77}),
		"an empty GetValues": fcgi.AppendHeader(nil, fcgi.Header{Type: fcgi.GetValues}),
	} {
		t.Run(name, func(t *testing.T) {
			p := connect(t, func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				<-environ.Context().Done()
				return nil, environ.Context().Err()
			})
			p.Write(ask(1, fcgi.KeepConn))
			p.floods(record)
		})
	}
	t.Run("another role", func(t *testing.T) {
		connect(t, echo).floods(fcgi.AppendBegin(nil, 1, fcgi.Filter, fcgi.KeepConn))
	})
}

// A record of a request that is not there is ignored: it may have ended, and the
// web server not know it yet.
func TestUnknownID(t *testing.T) {
	p := connect(t, echo)
	nobodys := func() {
		for _, kind := range []fcgi.Type{fcgi.Params, fcgi.Stdin, fcgi.Data, fcgi.AbortRequest} {
			p.Write(fcgi.AppendRecord(nil, kind, 7, []byte("of nobody")))
			p.Write(fcgi.AppendStreamEnd(nil, kind, 7))
		}
	}
	nobodys()
	p.Write(ask(1, fcgi.KeepConn))
	nobodys()
	p.Write(stdinOf(1, "ok"))
	p.expect(echoed(1, "ok")...)
}
