package conformance

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/gowsgi/gowsgi/wsgi"
)

// middlewareFaults are the faults of mutantMiddleware, which doubles every
// byte of the body and has none when this is the zero value.
type middlewareFaults struct {
	answersItself                                                   bool // the call
	copiesEnviron, consumesInput, spoilsPath                        bool
	waitsForAll, dropsEmpty, holdsOne, peeks, usesWrite, edits      bool // blocks
	keepsBlocks, goesOn, keepsLen, addsBlock, isShared, passesFiles bool
	neverCloses, closesTwice, closesIterated                        bool // Close
	keepsLength, hopByHop, badHeader                                bool // the head
	dropsExcInfo, takesLate, takesSecond, keepsFirst, judgesEarly   bool // start_response
	panicsUnstarted, noWrite, plainWrite                            bool
	swallowsErrors, swallowsCall, cutsErrors, catchesErrors         bool // errors
	joinsHeaders, sortsHeaders, sniffs                              bool
	exactNames, splitsPath, keepsMethod, losesLines, failsAtEnd     bool
}

func mutantMiddleware(f *middlewareFaults) wsgi.Middleware {
	return func(app wsgi.Application) wsgi.Application {
		running := new(atomic.Int32)
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			return (&mutantPass{faults: f, start: start, running: running}).call(app, environ)
		})
	}
}

// mutantInputOfMiddleware is what a middleware puts into the place of the input.
type mutantInputOfMiddleware struct {
	wsgi.InputStream
	faults *middlewareFaults
}

func (in *mutantInputOfMiddleware) Read(p []byte) (int, error) {
	n, err := in.InputStream.Read(p)
	if err == io.EOF && in.faults.failsAtEnd {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (in *mutantInputOfMiddleware) ReadLine(size int) ([]byte, error) {
	if in.faults.losesLines {
		return nil, io.EOF
	}
	return in.InputStream.ReadLine(size)
}

// mutantPass is one request on its way through.
type mutantPass struct {
	faults  *middlewareFaults
	start   wsgi.StartResponse
	started bool
	first   wsgi.Headers
	out     wsgi.Write
	body    wsgi.Iterable
	held    []byte
	running *atomic.Int32 // requests of the middleware, for isShared
}

func double(block []byte) []byte {
	out := make([]byte, 0, 2*len(block))
	for _, b := range block {
		out = append(out, b, b)
	}
	return out
}

func (m *mutantPass) call(app wsgi.Application, environ *wsgi.Environ) (wsgi.Iterable, error) {
	f := m.faults
	if f.answersItself {
		return wsgi.Response{Status: "403 Forbidden"}.Call(environ, m.start)
	}
	if f.copiesEnviron {
		environ = wsgi.EnvironFromMap(map[string]any{"REQUEST_METHOD": environ.Var("REQUEST_METHOD"), "PATH_INFO": environ.Var("PATH_INFO"),
			"wsgi.input": environ.Input(), "CONTENT_LENGTH": environ.Var("CONTENT_LENGTH")})
	}
	if f.consumesInput {
		io.Copy(io.Discard, environ.Input())
	}
	if f.spoilsPath {
		environ.Set("SCRIPT_NAME", "/")
	}
	if f.splitsPath {
		environ.Set("SCRIPT_NAME", "/probe")
	}
	if f.keepsMethod && environ.Var("REQUEST_METHOD") == "HEAD" {
		environ.Set("REQUEST_METHOD", "GET")
	}
	if f.losesLines || f.failsAtEnd && environ.Get("wsgi.input_terminated") == true {
		environ.Set("wsgi.input", &mutantInputOfMiddleware{environ.Input(), f})
	}
	body, err := app.Call(environ, m.startResponse)
	if err != nil && f.catchesErrors {
		_, err := m.start("500 Caught", plainText(), err)
		return wsgi.Strings("an error page"), err
	}
	if err != nil && f.swallowsCall {
		_, err := m.start("200 OK", nil, nil)
		return wsgi.Empty(), err
	}
	if body == nil {
		return nil, err
	}
	if _, ok := body.(wsgi.FileStreamer); ok && f.passesFiles {
		return body, err
	}
	m.body = body
	if f.judgesEarly && !m.started {
		m.start("200 Early", nil, nil)
	}
	if f.peeks {
		var all [][]byte
		for block, err := range body.Blocks {
			if err != nil {
				body.Close()
				return nil, err
			}
			all = append(all, bytes.Clone(block))
		}
		m.body = &peeked{body, all}
	}
	if sized, ok := body.(wsgi.Sized); ok && f.keepsLen {
		return struct {
			*mutantPass
			wsgi.Sized
		}{m, sized}, err
	}
	return m, err
}

type peeked struct {
	wsgi.Iterable
	all [][]byte
}

func (p *peeked) Blocks(yield func([]byte, error) bool) { wsgi.Blocks(p.all...).Blocks(yield) }

func (m *mutantPass) startResponse(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
	f := m.faults
	headers = headers.Clone()
	if !f.keepsLength {
		headers.Del("Content-Length")
	}
	if f.hopByHop {
		headers.Add("Connection", "close")
	}
	if f.badHeader {
		headers.Add("X Bad", "x")
	}
	if f.exactNames && !slices.ContainsFunc(headers, func(h wsgi.Header) bool { return h.Name == "Content-Type" }) {
		headers.Add("Content-Type", "text/html")
	}
	if f.joinsHeaders {
		var joined wsgi.Headers
		for _, h := range headers {
			joined.Set(h.Name, strings.Join(headers.Values(h.Name), ", "))
		}
		headers = joined
	}
	if f.sortsHeaders {
		slices.SortStableFunc(headers, func(a, b wsgi.Header) int { return strings.Compare(a.Name+a.Value, b.Name+b.Value) })
	}
	if f.keepsFirst && m.first != nil {
		headers = append(m.first, headers...)
	}
	m.first = headers
	late := excInfo
	if f.dropsExcInfo && m.started && excInfo != nil {
		return m.write, nil
	}
	write, err := m.start(status, headers, late)
	if err != nil && (f.takesLate && excInfo != nil || f.takesSecond && excInfo == nil) {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	m.started, m.out = true, write
	if f.noWrite {
		return func([]byte) (int, error) { return 0, errors.New("no write here") }, nil
	}
	return m.write, nil
}

func (m *mutantPass) write(block []byte) (int, error) {
	out := double(block)
	if m.faults.plainWrite {
		out = block
	}
	if _, err := m.out(out); err != nil {
		return 0, err
	}
	return len(block), nil
}

func (m *mutantPass) Blocks(yield func([]byte, error) bool) {
	f := m.faults
	var all []byte
	m.running.Add(1)
	defer m.running.Add(-1)
	failed, n := false, 0
	next := yield
	yield = func(block []byte, err error) bool {
		failed = !next(block, err) && !f.goesOn
		return !failed
	}
	if f.sniffs {
		m.body.Blocks(func([]byte, error) bool { return false })
	}
	m.body.Blocks(func(block []byte, err error) bool {
		n++
		switch {
		case err != nil:
			failed = true
			if f.swallowsErrors || f.cutsErrors && n > 1 {
				return false
			}
			return yield(nil, err)
		case len(block) == 0 && f.dropsEmpty:
			return true
		case f.panicsUnstarted && !m.started:
			panic("no status")
		case f.waitsForAll:
			all = append(all, double(block)...)
			return true
		case f.holdsOne:
			out := m.held
			m.held = double(block)
			if out == nil {
				return true
			}
			return yield(out, nil)
		case f.usesWrite && m.out != nil:
			m.out(double(block))
			return yield(nil, nil)
		case f.keepsBlocks:
			out := m.held
			m.held = block // not a copy
			return yield(double(out), nil)
		}
		out := double(block)
		if f.isShared && m.running.Load() > 1 {
			out = append(out, "of another request"...)
		}
		if f.edits {
			clear(block)
		}
		return yield(out, nil)
	})
	if f.panicsUnstarted && !m.started {
		panic("no status")
	}
	if failed {
		return
	}
	switch {
	case f.addsBlock:
		yield(nil, nil)
	case f.waitsForAll:
		yield(all, nil)
	case f.holdsOne && m.held != nil:
		yield(m.held, nil)
	case f.keepsBlocks && m.held != nil:
		yield(double(m.held), nil)
	}
	if f.closesIterated {
		m.body.Close()
	}
}

func (m *mutantPass) Close() error {
	f := m.faults
	switch {
	case f.neverCloses, f.closesIterated:
		return nil
	case f.closesTwice:
		m.body.Close()
	}
	return m.body.Close()
}
