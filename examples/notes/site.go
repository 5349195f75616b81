package main

import (
	"embed"
	"errors"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/middleware/session"
	"github.com/gowsgi/gowsgi/middleware/static"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Options are the choices of a site.
type Options struct {
	Hosts []string  // the names of the site; none means localhost
	Debug bool      // middleware.DebugPage
	Log   io.Writer // the access log; nil means standard error
}

//go:embed public
var publicFiles embed.FS

// mostUpload is how many bytes a form with files has.
const mostUpload = 8 << 20

// site is what the handlers share.
type site struct{ store *Store }

// NewSite returns the site: its pages, in the stack that is recommended. Requests of
// other sites are refused there, which is all that forms need against forgery.
func NewSite(store *Store, o Options) wsgi.Application {
	public, err := fs.Sub(publicFiles, "public")
	if err != nil {
		panic(err) // the folder is embedded
	}
	s := &site{store}
	// A password costs a quarter of a second of a processor, and may be guessed at.
	passwords := middleware.When(
		func(environ *wsgi.Environ) bool { return environ.Var("REQUEST_METHOD") == "POST" },
		middleware.RateLimit(middleware.RateLimitConfig{Every: 10 * time.Second, Burst: 20}))
	return middleware.Recommended(middleware.RecommendedConfig{
		Hosts:     o.Hosts,
		Debug:     o.Debug,
		BodyLimit: mostUpload,
		AccessLog: middleware.AccessLogConfig{Output: o.Log},
		SecureHeaders: middleware.SecureHeadersConfig{
			ContentSecurityPolicy: "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		},
		ErrorPages: middleware.ErrorPagesConfig{Page: errorPage},
		Static:     static.New(static.Config{Files: public, Prefix: "/public", Index: []string{}}),
		Session:    session.New(session.Config{Store: store.Sessions()}),
	})(middleware.Dispatch(map[string]wsgi.Application{
		"/login":  passwords(s.page(s.login, "GET", "POST")),
		"/signup": passwords(s.page(s.signUp, "GET", "POST")),
		"/logout": s.page(s.logOut, "POST"),
		"/new":    s.page(s.owner(s.edit), "GET", "POST"),
		"/note":   s.page(s.owner(s.note), "GET", "POST"),
		"/edit":   s.page(s.owner(s.edit), "GET", "POST"),
		"/delete": s.page(s.owner(s.delete), "POST"),
		"/file":   s.page(s.owner(s.file), "GET"),
	})(s.page(s.owner(s.index), "GET")))
}

// visit is one request, as the handlers see it.
type visit struct {
	environ *wsgi.Environ
	start   wsgi.StartResponse
	session *session.Session
	user    int64 // 0 for nobody
}

type handler func(v *visit) (wsgi.Iterable, error)

// page makes an application of a handler.
func (s *site) page(h handler, methods ...string) wsgi.Application {
	return middleware.AllowMethods(methods...)(wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		sess, err := session.From(environ)
		if err != nil {
			return nil, err
		}
		v := &visit{environ: environ, start: start, session: sess}
		v.user, _ = strconv.ParseInt(sess.Get("user"), 10, 64)
		body, err := h(v)
		if errors.Is(err, ErrNotFound) {
			return nil, &middleware.HTTPError{Code: 404, Detail: "There is nothing here, or it is not yours.", Err: err}
		}
		return body, err
	}))
}

// owner lets only those in who have logged in.
func (s *site) owner(h handler) handler {
	return func(v *visit) (wsgi.Iterable, error) {
		if v.user == 0 {
			return v.redirect("/login")
		}
		return h(v)
	}
}

// id is the number in the path behind the mount, such as 7 in /note/7.
func (v *visit) id() (int64, error) {
	id, err := strconv.ParseInt(strings.TrimPrefix(v.environ.Var("PATH_INFO"), "/"), 10, 64)
	if err != nil || id <= 0 {
		return 0, ErrNotFound
	}
	return id, nil
}

func (v *visit) posted() bool { return v.environ.Var("REQUEST_METHOD") == "POST" }

// redirect leads to another page, which is asked for by GET.
func (v *visit) redirect(path string) (wsgi.Iterable, error) {
	_, err := v.start("303 See Other", wsgi.Headers{{Name: "Location", Value: path}}, nil)
	return wsgi.Empty(), err
}
