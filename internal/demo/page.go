package demo

import (
	"bytes"
	"embed"
	"html/template"
	"net/url"
	"unicode/utf8"

	"github.com/gowsgi/gowsgi/wsgi"
)

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed static
var staticFiles embed.FS

var pages = template.Must(template.ParseFS(pageFiles, "pages/*.html"))

// view is what every page knows.
type view struct {
	Root     string // what every link begins with: the mount point
	Title    string
	Here     string // PATH_INFO
	Status   string
	Links    []link
	Protocol string
	Data     any
}

// link is a way to another page.
type link struct{ Href, Title, About, Path string }

// response is a page and the head that goes with it.
type response struct {
	status  string
	headers wsgi.Headers // besides those that every page has
	page    string       // name of the template
	title   string
	data    any
	excInfo error // of start_response
}

// message is the data of a page that has just one thing to say.
type message struct{ Text, Code string }

// respond renders a page and starts the response. The page is complete before
// anything is said to the server, so a template that fails is a clean 500.
func (d *Demo) respond(environ *wsgi.Environ, startResponse wsgi.StartResponse, r response) (wsgi.Iterable, error) {
	page, err := d.render(environ, r.page, r)
	if err != nil {
		return nil, err
	}
	if _, err := startResponse(r.status, append(r.headers, pageHeaders()...), r.excInfo); err != nil {
		return nil, err
	}
	return wsgi.Bytes(page), nil // one block: the server states its length
}

// pageHeaders are those of every page. The pages tell of the request that
// asked for them, so they are for nobody else.
func pageHeaders() wsgi.Headers {
	return wsgi.Headers{
		{Name: "Content-Type", Value: "text/html; charset=utf-8"},
		{Name: "Cache-Control", Value: "no-store"},
	}
}

func (d *Demo) render(environ *wsgi.Environ, name string, r response) ([]byte, error) {
	v := view{
		Root:     root(environ),
		Title:    r.title,
		Here:     environ.Var("PATH_INFO"),
		Status:   r.status,
		Protocol: environ.Var("SERVER_PROTOCOL"),
		Data:     r.data,
	}
	for _, r := range d.routes {
		if r.title == "" {
			continue
		}
		target := r.path
		if r.example != "" {
			target = r.example
		}
		v.Links = append(v.Links, link{Href: v.Root + target, Title: r.title, About: r.about, Path: r.path})
	}
	var page bytes.Buffer
	err := pages.ExecuteTemplate(&page, name, v)
	return page.Bytes(), err
}

// root returns the path of the mount point, percent-encoded and without a
// slash at its end: Root + "/stream" is a link. The host is left out, as the
// browser knows better than we what it is called in front of a proxy.
func root(environ *wsgi.Environ) string {
	script := environ.Var("SCRIPT_NAME")
	for len(script) > 0 && script[len(script)-1] == '/' {
		script = script[:len(script)-1]
	}
	for len(script) > 1 && script[1] == '/' {
		script = script[1:] // "//host" would be a link to another host
	}
	return (&url.URL{Path: script}).EscapedPath()
}

// readable makes text of a native string: its bytes are UTF-8 as a rule, and
// whatever the client sent otherwise.
func readable(native string) string {
	if utf8.ValidString(native) {
		return native
	}
	return wsgi.DecodeLatin1(native)
}

// asset returns an application that answers with an embedded file.
func asset(name, contentType string) wsgi.AppFunc {
	content, err := staticFiles.ReadFile(name)
	if err != nil {
		panic("demo: " + err.Error()) // the file is not embedded
	}
	return func(_ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
		_, err := startResponse("200 OK", wsgi.Headers{
			{Name: "Content-Type", Value: contentType},
			{Name: "Cache-Control", Value: "max-age=300"},
		}, nil)
		if err != nil {
			return nil, err
		}
		return wsgi.Bytes(content), nil
	}
}
