package main

import (
	"os"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/adapters/cgi"
	"github.com/gowsgi/gowsgi/adapters/fastcgi"
	"github.com/gowsgi/gowsgi/adapters/nethttp"
	"github.com/gowsgi/gowsgi/adapters/scgi"
	"github.com/gowsgi/gowsgi/adapters/uwsgi"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestMaxConns sees that every kind of backend gets the number, and its address.
func TestMaxConns(t *testing.T) {
	program, err := os.Executable() // one that can be run
	if err != nil {
		t.Fatal(err)
	}
	for arg, read := range map[string]func(app wsgi.Application) (most int, where string){
		"fcgi://h:1": func(app wsgi.Application) (int, string) {
			c := app.(*fastcgi.Client)
			return c.MaxConns, c.Addr
		},
		"scgi://h:1": func(app wsgi.Application) (int, string) {
			c := app.(*scgi.Client)
			return c.MaxConns, c.Addr
		},
		"uwsgi://h:1": func(app wsgi.Application) (int, string) {
			c := app.(*uwsgi.Client)
			return c.MaxConns, c.Addr
		},
		"http://h:1/": func(app wsgi.Application) (int, string) {
			c := app.(*nethttp.Client)
			return c.MaxConns, c.Addr
		},
		"cgi:" + program: func(app wsgi.Application) (int, string) {
			c := app.(*cgi.Client)
			return c.MaxProcesses, strings.Replace(c.Path, program, "h:1", 1)
		},
	} {
		to, ok, err := backendTarget(arg)
		if err != nil || !ok {
			t.Errorf("%s: %v, %v", arg, ok, err)
			continue
		}
		c := newConfig()
		if _, err := parse([]string{"--max-conns", "7"}, c.options(), func(string) (string, bool) { return "", false }); err != nil {
			t.Fatal(err)
		}
		app, _, err := to.open(c, nil)
		if err != nil {
			t.Errorf("%s: %v", arg, err)
			continue
		}
		if most, where := read(app); most != 7 || where != "h:1" {
			t.Errorf("%s: %d requests at %s, expected 7 at h:1", arg, most, where)
		}
	}
}
