package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// report logs how a request ended.
func (s *mutantServer) report(what string, err error) {
	if err != nil && !s.silentErrors {
		fmt.Fprintf(&s.log, "%s: %v\n", what, err)
	}
}

// errorStream is wsgi.errors, which goes to the log.
func (s *mutantServer) errorStream() wsgi.ErrorStream {
	return &mutantErrors{wsgi.NewErrors(mutantErrorSink{s}), &s.serverFaults}
}

// mutantErrorSink takes what is written to wsgi.errors.
type mutantErrorSink struct{ server *mutantServer }

func (w mutantErrorSink) Write(p []byte) (int, error) {
	text := p
	if w.server.joinsLogLines {
		text = append(bytes.ReplaceAll(p[:len(p)-1], []byte("\n"), []byte(" ")), p[len(p)-1])
	}
	if w.server.tearsLines {
		half := len(text) / 2
		w.server.log.Write(text[:half])
		time.Sleep(50 * time.Microsecond) // let the others come
		text = text[half:]
	}
	w.server.log.Write(text)
	return len(p), nil
}

type mutantErrors struct {
	wsgi.ErrorStream
	faults *serverFaults
}

func (e *mutantErrors) Flush() error {
	if e.faults.flushFails {
		return errors.New("no flush here")
	}
	return nil
}

func (e *mutantErrors) WriteLines(lines ...string) error {
	if e.faults.noLines {
		return errors.New("no lines here")
	}
	if e.faults.addsNewlines {
		for _, line := range lines {
			e.ErrorStream.WriteString(strings.TrimSuffix(line, "\n") + "\n")
		}
		return nil
	}
	return e.ErrorStream.WriteLines(lines...)
}

func (e *mutantErrors) WriteString(text string) (int, error) {
	if e.faults.mute {
		return 0, errors.New("no text here")
	}
	if e.faults.asciiErrors && strings.ContainsFunc(text, func(r rune) bool { return r > 127 }) {
		return 0, fmt.Errorf("cannot encode %q", text)
	}
	return e.ErrorStream.WriteString(text)
}
