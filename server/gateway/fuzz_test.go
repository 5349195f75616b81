package gateway_test

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/wsgi"
)

// The actions of a script. Those before actReturn happen in Call, those after
// it in the body, where yield is.
const (
	actStart       byte = iota // start_response, good
	actStartLength             // with a Content-Length of 3
	actStartNone               // with a status that has no body
	actStartExc                // good, with exc_info
	actStartBad                // with a bad header
	actStartBadExc             // with a bad header and exc_info
	actWrite                   // two bytes
	actWriteEmpty
	actYield // two bytes
	actYieldEmpty
	actYieldError // the body goes on as if nothing had happened
	actError      // return the body and an error, or yield an error and end
	actPanic
	actReturn
	actions // how many there are
)

// A scripted application plays a script to the gateway and to the model, and
// compares what the callables answer. It heeds none of the answers.
type scripted struct {
	t      *testing.T
	script []byte
	model  model
	start  wsgi.StartResponse
	write  wsgi.Write // the last that was given
	opened int        // bodies that were returned
	closed int
	blocks int // makes blocks differ
}

func (s *scripted) Call(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	s.start = start
	for len(s.script) > 0 {
		a := s.script[0]
		s.script = s.script[1:]
		switch a {
		case actReturn:
			s.opened++
			return s, nil
		case actError:
			s.model.failed = true
			s.opened++
			return s, errBoom
		default:
			s.act(a)
		}
	}
	s.opened++
	return s, nil
}

func (s *scripted) Blocks(yield func([]byte, error) bool) {
	for len(s.script) > 0 {
		a := s.script[0]
		s.script = s.script[1:]
		switch a {
		case actYield:
			block := s.block()
			s.compare("yield", s.model.yield(block), yield([]byte(block), nil))
		case actYieldEmpty:
			s.compare("yield of nothing", s.model.yield(""), yield(nil, nil))
		case actYieldError, actError:
			s.model.yieldError()
			s.compare("yield of an error", false, yield(nil, errBoom))
			if a == actError {
				return
			}
		default:
			s.act(a)
		}
	}
}

// Close tries everything once more, when nothing may come of it.
func (s *scripted) Close() error {
	s.closed++
	_, err := s.start("200 OK", nil, nil)
	s.compare("start_response in Close", false, err == nil)
	_, err = s.start("200 OK", nil, errBoom)
	s.compare("start_response with exc_info in Close", false, err == nil)
	if s.write != nil {
		_, err := s.write([]byte("late"))
		s.compare("write in Close", false, err == nil)
	}
	return nil
}

func (s *scripted) act(a byte) {
	switch a {
	case actStart:
		s.begin("200 OK", -1, false, false)
	case actStartLength:
		s.begin("200 Three", 3, false, false)
	case actStartNone:
		s.begin("204 No Content", -1, false, false)
	case actStartExc:
		s.begin("500 Sorry", -1, false, true)
	case actStartBad:
		s.begin("200 Bad", -1, true, false)
	case actStartBadExc:
		s.begin("500 Bad", -1, true, true)
	case actWrite, actWriteEmpty:
		if s.write == nil {
			return
		}
		block := ""
		if a == actWrite {
			block = s.block()
		}
		_, err := s.write([]byte(block))
		s.compare("write", s.model.write(block), err == nil)
	case actPanic:
		s.model.failed = true
		panic("at the disco")
	}
}

func (s *scripted) begin(status string, length int, bad, excInfo bool) {
	var headers wsgi.Headers
	if length >= 0 {
		headers.Add("Content-Length", strconv.Itoa(length))
	}
	if bad {
		headers.Add("Bad Name", "1")
	}
	var err error
	if excInfo {
		err = errBoom
	}
	write, err := s.start(status, headers, err)
	s.compare("start_response", s.model.start(status, length, bad, excInfo), err == nil)
	s.compare("a write, beside the error", write != nil, err == nil)
	if write != nil {
		s.write = write
	}
}

func (s *scripted) block() string {
	s.blocks++
	return string(rune('a'+s.blocks%26)) + "."
}

func (s *scripted) compare(what string, want, got bool) {
	if want != got {
		s.t.Errorf("%s: success is %t, the model says %t", what, got, want)
	}
}

func FuzzResponse(f *testing.F) {
	for _, script := range [][]byte{
		{actStart, actReturn, actYield, actYield},
		{actStart, actWrite, actReturn, actYieldEmpty, actYield},
		{actStartLength, actReturn, actYield, actYield, actYield},
		{actStartLength, actWrite, actWrite, actWrite, actReturn, actStartExc},
		{actStartLength, actReturn, actYield},
		{actStartNone, actReturn, actYield, actYield},
		{actReturn, actYieldEmpty, actStart, actYield},
		{actReturn, actYield, actStart, actYield},
		{actStartBad, actReturn, actYieldEmpty, actStartExc, actYield},
		{actStart, actStart, actStartExc, actWriteEmpty, actReturn},
		{actStart, actReturn, actYield, actStartExc, actYield},
		{actStart, actReturn, actYieldError, actStartExc, actYield},
		{actStart, actStartBadExc, actReturn, actPanic},
		{actStartLength, actReturn, actYield, actYield, actYieldError, actPanic},
		{actStart, actError},
		{actStart, actReturn, actYield, actError},
		{actStart, actPanic},
	} {
		f.Add(false, script)
		f.Add(true, script)
	}
	f.Fuzz(func(t *testing.T, headRequest bool, script []byte) {
		if len(script) > 40 {
			return // nothing new happens by then
		}
		script = bytes.Clone(script) // it belongs to the fuzzer
		for i := range script {
			script[i] %= actions
		}
		app := &scripted{t: t, script: script, model: model{headRequest: headRequest, length: -1}}
		var r request
		if headRequest {
			r.method = "HEAD"
		}
		got := r.serveApp(t, new(recording), app) // the wire checks the order

		var head, body string
		for _, event := range got.events {
			if block, ok := strings.CutPrefix(event, "block "); ok {
				body += block
			} else if event != "end" {
				head = strings.TrimPrefix(event, "head ")
			}
		}
		status, headers, _ := strings.Cut(head, "; ")
		wantStatus, wantBody, whole := app.model.result()
		if status != wantStatus || body != wantBody || (got.err == nil) != whole {
			t.Errorf("the client got %q and %q, error %v; the model says %q and %q, whole: %t",
				status, body, got.err, wantStatus, wantBody, whole)
		}
		if _, length, ok := strings.Cut(headers, "Content-Length: "); ok && !headRequest {
			if n, err := strconv.Atoi(length); err != nil || len(body) > n || (got.err == nil && len(body) != n) {
				t.Errorf("%d bytes under the headers %q", len(body), headers)
			}
		}
		if app.opened != app.closed {
			t.Errorf("the application returned %d bodies, %d were closed", app.opened, app.closed)
		}
	})
}
