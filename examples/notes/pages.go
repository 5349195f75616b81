package main

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"mime"
	"net/http"
	"time"

	"github.com/gowsgi/gowsgi/middleware/static"
	"github.com/gowsgi/gowsgi/wsgi"
)

//go:embed pages/*.html
var pageFiles embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"day": func(t time.Time) string { return t.Format("2 January 2006") },
	"size": func(n int64) string {
		if n < 1000 {
			return fmt.Sprintf("%d bytes", n)
		}
		return fmt.Sprintf("%.1f kB", float64(n)/1000)
	},
}).ParseFS(pageFiles, "pages/*.html"))

// view is what every page gets.
type view struct {
	Title   string
	User    string   // "" for nobody
	Said    []string // once
	Problem string   // of the form on the page
	Data    any
}

// show answers with a page.
func (v *visit) show(status, name string, p view) (wsgi.Iterable, error) {
	p.User = v.session.Get("name")
	said, err := v.session.Flashes()
	if err != nil {
		return nil, err
	}
	p.Said = said
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, p); err != nil {
		return nil, err
	}
	_, err = v.start(status, wsgi.Headers{{Name: "Content-Type", Value: "text/html; charset=utf-8"}}, nil)
	return wsgi.Bytes(page.Bytes()), err
}

// problem shows the page of a form again, with what is wrong.
func (v *visit) problem(name string, p view) (wsgi.Iterable, error) {
	return v.show("422 Unprocessable Content", name, p)
}

// download answers with a file of a user's. It is never shown as a page of this
// site, in whose name it would run. What a file holds never changes: its number is its
// tag, by which a download that broke off goes on.
func (v *visit) download(f File) (wsgi.Iterable, error) {
	return static.Content{
		Reader:  bytes.NewReader(f.Content),
		ETag:    fmt.Sprintf(`"%d"`, f.ID),
		Headers: wsgi.Headers{{Name: "Content-Disposition", Value: mime.FormatMediaType("attachment", map[string]string{"filename": f.Name})}},
	}.Call(v.environ, v.start)
}

// errorPage is the page of the site for a status.
func errorPage(code int) wsgi.Application {
	return wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		var page bytes.Buffer
		if err := pages.ExecuteTemplate(&page, "error", view{Title: http.StatusText(code), Data: code}); err != nil {
			return nil, err
		}
		_, err := start("200 OK", wsgi.Headers{{Name: "Content-Type", Value: "text/html; charset=utf-8"}}, nil)
		return wsgi.Bytes(page.Bytes()), err
	})
}
