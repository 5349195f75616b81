package middleware_test

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// step is a middleware that leaves its name in the order of calls.
func step(name string, calls *[]string) wsgi.Middleware {
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			*calls = append(*calls, name)
			return next.Call(environ, start)
		})
	}
}

func TestChainLaws(t *testing.T) {
	var calls []string
	a, b, c := step("a", &calls), step("b", &calls), step("c", &calls)
	order := func(m wsgi.Middleware) []string {
		calls = nil
		bodyOf(t, m(text("")))
		return calls
	}
	t.Run("1 none is the identity", func(t *testing.T) {
		app := new(wsgi.Response)
		if got := middleware.Chain()(app); got != wsgi.Application(app) {
			t.Errorf("got %v, expected the application itself", got)
		}
	})
	t.Run("2 associative", func(t *testing.T) {
		want := []string{"a", "b", "c"}
		for _, m := range []wsgi.Middleware{
			middleware.Chain(a, middleware.Chain(b, c)), middleware.Chain(middleware.Chain(a, b), c), middleware.Chain(a, b, c),
		} {
			if diff := cmp.Diff(want, order(m)); diff != "" {
				t.Errorf("order of calls (-want +got):\n%s", diff)
			}
		}
	})
	t.Run("3 the first is outermost", func(t *testing.T) {
		got := order(middleware.Chain(a, b))
		calls = nil
		bodyOf(t, a(b(text(""))))
		if diff := cmp.Diff(calls, got); diff != "" {
			t.Errorf("order of calls (-want +got):\n%s", diff)
		}
	})
	t.Run("4 arguments are copied", func(t *testing.T) {
		list := []wsgi.Middleware{a, b}
		m := middleware.Chain(list...)
		list[0] = c
		if diff := cmp.Diff([]string{"a", "b"}, order(m)); diff != "" {
			t.Errorf("order of calls (-want +got):\n%s", diff)
		}
	})
	t.Run("5 When builds once", func(t *testing.T) {
		built := 0
		m := middleware.When(
			func(environ *wsgi.Environ) bool { return environ.Var("PATH_INFO") == "/yes" },
			func(next wsgi.Application) wsgi.Application {
				built++
				return a(next)
			})
		app := m(text("app"))
		calls = nil
		for _, path := range []string{"/yes", "/no", "/yes"} {
			wsgitest.Do(t, app, wsgitest.NewRequest("GET", path))
		}
		if built != 1 || len(calls) != 2 {
			t.Errorf("built %d times and called %d times, expected 1 and 2", built, len(calls))
		}
	})
	t.Run("8 a no-op returns the same body", func(t *testing.T) {
		for name, m := range noOps {
			app, want := oneBody()
			if got := bodyOf(t, m(app)); got != want {
				t.Errorf("%s: got the body %T, expected that of the application, %T", name, got, want)
			}
		}
	})
}

// never is the condition of a middleware that has nothing to do.
func never(*wsgi.Environ) bool { return false }

// noOps are middlewares that have nothing to do.
var noOps = map[string]wsgi.Middleware{
	"Chain of none":      middleware.Chain(),
	"When not":           middleware.When(never, func(wsgi.Application) wsgi.Application { return wsgi.Response{} }),
	"Mount elsewhere":    middleware.Mount("/elsewhere", wsgi.Response{}),
	"Dispatch of none":   middleware.Dispatch(nil),
	"Dispatch elsewhere": middleware.Dispatch(map[string]wsgi.Application{"a.example/": wsgi.Response{}, "/x": wsgi.Response{}}),
	"Cascade of none":    middleware.Cascade(),
	"Observe nothing":    middleware.Observe(middleware.ObserveConfig{}),
	"SetEnv nothing":     middleware.SetEnv(nil),
}

func BenchmarkNoOp(b *testing.B) {
	environ := wsgitest.NewRequest("GET", "/").Environ()
	body := wsgi.Empty()
	app := wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return body, nil })
	run := func(name string, app wsgi.Application) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				app.Call(environ, nil)
			}
		})
	}
	run("application", app)
	for name, m := range noOps {
		run(name, m(app))
	}
}

func TestChainRefuses(t *testing.T) {
	none := middleware.Chain()
	panics(t, func() { middleware.Chain(none, nil) }, "Chain", "argument 2 is nil")
	panics(t, func() { middleware.When(nil, none) }, "When", "condition is nil")
	panics(t, func() { middleware.When(never, nil) }, "When", "middleware is nil")
}

func TestWhen(t *testing.T) {
	posts := func(environ *wsgi.Environ) bool { return environ.Var("REQUEST_METHOD") == "POST" }
	keeps(t, middleware.When(posts, middleware.Cascade(answer("404 Not Found", ""))))
	if app := middleware.When(posts, middleware.Chain())(text("x")); reflect.ValueOf(app).IsNil() {
		t.Error("no application")
	}
}
