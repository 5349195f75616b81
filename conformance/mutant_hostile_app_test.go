package conformance

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// hostileBodies are the ways of applications, and of middleware around them, to
// do harm with a body.
func hostileBodies(over <-chan struct{}) map[string]wsgi.Iterable {
	bodies := map[string]wsgi.Iterable{
		"blocks":     harm{blocks: func(func([]byte, error) bool) { <-over }},
		"ends":       harm{blocks: func(func([]byte, error) bool) { runtime.Goexit() }},
		"panics":     harm{blocks: func(func([]byte, error) bool) { panic("hostile") }},
		"has no end": harm{blocks: endlessly(func() {})},
		"heeds nobody": harm{blocks: func(yield func([]byte, error) bool) {
			endlessly(func() {})(func(b []byte, err error) bool { yield(b, err); return true })
		}},
		"is slow":      harm{blocks: endlessly(func() { time.Sleep(time.Millisecond) })},
		"blocks Close": harm{blocks: blocksOf("x"), close: func() { <-over }},
		"ends Close":   harm{blocks: blocksOf("x"), close: runtime.Goexit},
		"panics Close": harm{blocks: blocksOf("x"), close: func() { panic("hostile") }},
		"panics Len":   harmfulLen{harm{blocks: blocksOf("x")}},
		"is nil":       nil,
	}
	return bodies
}

func endlessly(pause func()) wsgi.Generator {
	return func(yield func([]byte, error) bool) {
		for block := []byte(strings.Repeat("x", 1000)); yield(block, nil); pause() {
		}
	}
}

type harm struct {
	blocks wsgi.Generator
	close  func()
}

func (h harm) Blocks(yield func([]byte, error) bool) { h.blocks(yield) }

func (h harm) Close() error {
	if h.close != nil {
		h.close()
	}
	return nil
}

type harmfulLen struct{ harm }

func (harmfulLen) Len() int { panic("hostile") }

// harmless are those of hostileBodies that a server can live with, if it stops
// in time.
var harmless = map[string]bool{"has no end": true, "is slow": true}

// TestHostileApplications runs the suite on applications that do not end, or
// end what they must not.
func TestHostileApplications(t *testing.T) {
	before := runtime.NumGoroutine()
	over := make(chan struct{})
	apps := map[string]wsgi.AppFunc{
		"blocks its call": func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { <-over; return nil, nil },
		"ends its call":   func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { runtime.Goexit(); return nil, nil },
		"panics":          func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { panic("hostile") },
		"is none":         nil,
	}
	for name, body := range hostileBodies(over) {
		apps["body "+name] = func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("200 OK", plainText(), nil)
			return body, err
		}
	}
	t.Run("all", func(t *testing.T) {
		for name, app := range apps {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := Suite{Patience: hostilePatience}
				want := !harmless[strings.TrimPrefix(name, "body ")]
				if !want { // the time to be accused of nothing on a busy machine
					s = Suite{Patience: time.Second, Only: []string{"BODY", "HDR-24"}}
				}
				report := ends(t, func(ctx context.Context) (Report, error) { return s.CheckApplication(ctx, app) })
				if failed := report.Count(Fail) + report.Count(Warn); (failed > 0) != want {
					t.Errorf("%d rules failed, expected some: %t: %s", failed, want, findings(report))
				}
			})
		}
	})
	close(over)
	settled(t, before)
}

// TestHostileMiddleware does the same for middleware.
func TestHostileMiddleware(t *testing.T) {
	before := runtime.NumGoroutine()
	over := make(chan struct{})
	call := func(f wsgi.AppFunc) wsgi.Middleware { return func(wsgi.Application) wsgi.Application { return f } }
	all := map[string]wsgi.Middleware{
		"blocks its call": call(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { <-over; return nil, nil }),
		"ends its call":   call(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { runtime.Goexit(); return nil, nil }),
		"panics":          call(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { panic("hostile") }),
		"makes none":      func(wsgi.Application) wsgi.Application { return nil },
		"panics early":    func(wsgi.Application) wsgi.Application { panic("hostile") },
	}
	for name, body := range hostileBodies(over) {
		all["body "+name] = func(app wsgi.Application) wsgi.Application {
			return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				inner, err := app.Call(environ, start)
				if inner != nil {
					inner.Close()
				}
				return body, err
			})
		}
	}
	t.Run("all", func(t *testing.T) {
		for name, m := range all {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				report := ends(t, func(ctx context.Context) (Report, error) {
					return Suite{Patience: hostilePatience}.CheckMiddleware(ctx, m)
				})
				if report.Count(Fail) == 0 {
					t.Errorf("no rule failed, expected some: %s", findings(report))
				}
			})
		}
	})
	close(over)
	settled(t, before)
}

func findings(report Report) (text string) {
	for _, r := range report.Results {
		if r.Status == Fail || r.Status == Warn {
			text += fmt.Sprintf("\n%s %s: %s", r.ID, r.Status, r.Evidence)
		}
	}
	return text
}
