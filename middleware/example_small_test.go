package middleware_test

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func ExampleDecodeBody() {
	app := middleware.DecodeBody(middleware.DecodeBodyConfig{})(reads())
	for _, body := range []string{gzipped("a compressed form"), "no gzip at all"} {
		res := wsgitest.Record(app, wsgitest.NewRequest("POST", "/").With("Content-Encoding", "gzip").Content("text/plain", body))
		fmt.Println(res.Status, res.Text())
	}
	// Output:
	// 200 OK a compressed form
	// 400 Bad Request The body of the request is not compressed as it says.
}

func ExampleSendfile() {
	dir, err := os.MkdirTemp("", "files")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "film.mp4")
	if err := os.WriteFile(name, []byte("a long film"), 0o666); err != nil {
		fmt.Println(err)
		return
	}
	app := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		film, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		if _, err := start("200 OK", wsgi.Headers{{Name: "Content-Type", Value: "video/mp4"}}, nil); err != nil {
			return nil, err
		}
		return environ.FileWrapper()(film, 0), nil
	})
	// In nginx: location /internal/ { internal; alias /srv/films/; }
	nginx := middleware.Sendfile(middleware.SendfileConfig{Header: "X-Accel-Redirect", Folders: map[string]string{dir: "/internal/"}})
	fmt.Println(wsgitest.Record(nginx(app), wsgitest.NewRequest("GET", "/")).Headers.Get("X-Accel-Redirect"))
	// Output:
	// /internal/film.mp4
}

func ExampleProfileLabels() {
	app := middleware.ProfileLabels(func(environ *wsgi.Environ) []string {
		return []string{"route", "search"}
	})(wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		route, _ := pprof.Label(environ.Context(), "route")
		fmt.Println(route)
		_, err := start("200 OK", nil, nil)
		return wsgi.Empty(), err
	}))
	wsgitest.Record(app, wsgitest.NewRequest("GET", "/"))
	// Output:
	// search
}

// Whoever knows a secret gets a profile of the request that has it.
func ExampleProfile() {
	profiler := middleware.Profile(func(environ *wsgi.Environ) io.WriteCloser {
		if subtle.ConstantTimeCompare([]byte(environ.Var("HTTP_X_PROFILE")), []byte("the secret")) == 0 {
			return nil
		}
		file, err := os.CreateTemp("", "request-*.pprof")
		if err != nil {
			fmt.Fprintln(environ.Errors(), err)
			return nil
		}
		defer os.Remove(file.Name()) // or rather: keep it
		return file
	})
	app := profiler(wsgi.Response{Status: "200 OK", Body: wsgi.Strings("served\n")})
	fmt.Print(wsgitest.Record(app, wsgitest.NewRequest("GET", "/").With("X-Profile", "the secret")).Text())
	// Output:
	// served
}

func ExampleFinishHooks() {
	app := middleware.FinishHooks()(wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		middleware.AtFinish(environ, func() error { fmt.Println("temporary files are gone"); return nil })
		_, err := start("200 OK", nil, nil)
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			fmt.Println("the body is sent")
			yield([]byte("report"), nil)
		}), err
	}))
	wsgitest.Record(app, wsgitest.NewRequest("GET", "/"))
	// Output:
	// the body is sent
	// temporary files are gone
}

func ExampleAllowMethods() {
	app := middleware.AllowMethods("GET")(text("hello"))
	res := wsgitest.Record(app, wsgitest.NewRequest("DELETE", "/"))
	fmt.Println(res.Status, res.Headers.Get("Allow"))
	// Output:
	// 405 Method Not Allowed GET, HEAD
}

func ExampleAllowContentType() {
	app := middleware.AllowContentType("application/json")(text("hello"))
	for _, kind := range []string{"application/json; charset=utf-8", "text/plain"} {
		fmt.Println(wsgitest.Record(app, wsgitest.NewRequest("POST", "/").Content(kind, "{}")).Status)
	}
	// Output:
	// 200 OK
	// 415 Unsupported Media Type
}

func ExampleNoCache() {
	res := wsgitest.Record(middleware.NoCache()(text("my account")), wsgitest.NewRequest("GET", "/"))
	fmt.Println(res.Headers.Get("Cache-Control"))
	// Output:
	// no-store
}

func ExampleSunset() {
	m := middleware.Sunset(middleware.SunsetConfig{Gone: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)})
	res := wsgitest.Record(m(text("version 1")), wsgitest.NewRequest("GET", "/"))
	fmt.Println(res.Headers.Get("Sunset"))
	// Output:
	// Fri, 01 Jan 2027 00:00:00 GMT
}

func ExampleRecursive() {
	app := middleware.Recursive()(wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if environ.Var("PATH_INFO") == "/" {
			return nil, errors.Join(errors.New("the front page is the news"), &middleware.Forward{Path: "/news"})
		}
		_, err := start("200 OK", nil, nil)
		return wsgi.Strings("this is " + environ.Var("PATH_INFO")), err
	}))
	fmt.Println(wsgitest.Record(app, wsgitest.NewRequest("GET", "/")).Text())
	// Output:
	// this is /news
}
