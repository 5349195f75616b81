// Package demo is the application that gowsgi serves when it is given no
// other: a few pages that show what WSGI is and what it can do, and an example
// of how an application is written with nothing but package wsgi.
//
// Each page is a function with the signature of wsgi.AppFunc, in a file of its
// own. A table of routes says which function answers which path, and a
// middleware adds to every response the headers that all of them need.
//
// The application works wherever it is mounted: its links begin with
// SCRIPT_NAME. It has no script and uses nothing from another host.
package demo

import (
	_ "embed"
	"os"

	"github.com/gowsgi/gowsgi/wsgi"
)

// helloSource is a complete program. The first page shows it and /download
// sends it; as a package of this module it is compiled with everything else.
//
//go:embed hello/main.go
var helloSource string

// Demo is the application.
type Demo struct {
	routes   []route
	app      wsgi.Application // the routes, behind the middleware
	download string           // path of the file that /download sends
}

// Open returns the application, ready to be called. It writes a file, which
// Close removes.
func Open() (*Demo, error) {
	path, err := writeDownload()
	if err != nil {
		return nil, err
	}
	d := &Demo{download: path}
	d.routes = d.table()
	d.app = secure(wsgi.AppFunc(d.dispatch))
	return d, nil
}

// Call answers one request.
func (d *Demo) Call(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	return d.app.Call(environ, startResponse)
}

// Close removes what Open has written. Downloads that are running may finish.
func (d *Demo) Close() error { return os.Remove(d.download) }
