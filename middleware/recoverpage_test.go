package middleware_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// What takes the place of a response is a response like any other.
func TestRecoverPageIsWhole(t *testing.T) {
	page := func(app wsgi.Application) wsgi.Middleware {
		return middleware.Recover(middleware.RecoverConfig{Page: func(*wsgi.Environ, error) wsgi.Application { return app }, Log: func(*wsgi.Environ, error) {}})
	}
	t.Run("one block has its length", func(t *testing.T) {
		res := wsgitest.Do(t, page(text("page"))(kinds(t)["fails"]), &wsgitest.Request{})
		if res.Text() != "page" || res.Headers.Get("Content-Length") != "4" {
			t.Errorf("got %q, headers %v", res.Text(), res.Headers)
		}
	})
	t.Run("one that fails is for the server", func(t *testing.T) {
		var closes atomic.Int32
		broken := fmt.Errorf("the page is broken")
		for name, app := range map[string]wsgi.Application{
			"no body":      returns(nil, errApp),
			"a body":       returns(tracked{Generator: blocks(nil, "a"), closed: &closes}, errApp),
			"in iterating": counted(streams(errApp), &closes),
		} {
			for _, its := range []wsgi.Iterable{nil, wsgi.Strings("half a page")} {
				closes.Store(0)
				res := wsgitest.Do(t, page(returns(its, broken))(app), &wsgitest.Request{ExpectErrors: true})
				if res.Code != 500 || !errors.Is(res.Fault, broken) || strings.Contains(res.Text(), "half") || name != "no body" && closes.Load() != 1 {
					t.Errorf("%s: got %s %q, reported %v, closed %d times", name, res.Status, res.Text(), res.Fault, closes.Load())
				}
			}
		}
	})
}

// An application that has nothing to return has broken the contract, as a page too.
func TestRecoverPageWithoutBody(t *testing.T) {
	m := middleware.Recover(middleware.RecoverConfig{Page: func(*wsgi.Environ, error) wsgi.Application { return returns(nil, nil) }, Log: func(*wsgi.Environ, error) {}})
	for name, app := range map[string]wsgi.Application{"in Call": kinds(t)["fails"], "in iterating": streams(errApp)} {
		res := wsgitest.Do(t, m(app), &wsgitest.Request{ExpectErrors: true})
		if broken := (*wsgi.ContractError)(nil); !errors.As(res.Fault, &broken) || broken.Rule != "BODY-01" || res.Code != 500 {
			t.Errorf("%s: got %s, reported %v", name, res.Status, res.Fault)
		}
	}
}

// The page may fail as any application, and say so as any.
func TestRecoverPageRepairsItself(t *testing.T) {
	own := errors.New("the page's own")
	var told error
	m := middleware.Recover(middleware.RecoverConfig{Log: func(*wsgi.Environ, error) {}, Page: func(*wsgi.Environ, error) wsgi.Application {
		return wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			write, err := start("503 Sorry", nil, nil)
			if err != nil {
				return nil, err
			}
			write([]byte("sorry"))
			_, told = start("500 Worse", nil, own)
			return nil, told
		})
	}})
	res := wsgitest.Do(t, m(kinds(t)["fails"]), &wsgitest.Request{ExpectErrors: true})
	if !errors.Is(told, own) || !errors.Is(res.Fault, own) {
		t.Errorf("start_response has the error %v, the server reports %v, expected both to be of the page", told, res.Fault)
	}
}
