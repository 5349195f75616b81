package server_test

import (
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestServerExtension asks for net/http's request with environs that are not
// what the server made.
func TestServerExtension(t *testing.T) {
	type extension interface {
		HTTPRequest(*wsgi.Environ) (*http.Request, bool)
		SetReadDeadline(time.Time) error
		SetWriteDeadline(time.Time) error
	}
	check := func(e *wsgi.Environ) error {
		ext, ok := e.Get("gowsgi.http").(extension)
		if !ok {
			return errors.New("there is no extension")
		}
		if r, ok := ext.HTTPRequest(e); !ok || r.URL.Path != "/" {
			return errors.New("the original environ is refused")
		}
		copied := e.Clone()
		copied.Set("myapp.user", "somebody")
		if _, ok := ext.HTTPRequest(copied); !ok {
			return errors.New("a copy with a variable of its own is refused")
		}
		altered := e.Clone()
		altered.Set("HTTP_COOKIE", "forged")
		if _, ok := ext.HTTPRequest(altered); ok {
			return errors.New("EXT-04: an altered environ is served")
		}
		if _, ok := ext.HTTPRequest(wsgi.NewEnviron(e.Context(), foreign{})); ok {
			return errors.New("EXT-04: an environ of somebody else is served")
		}
		if _, ok := ext.(interface{ Block([]byte) error }); ok {
			return errors.New("EXT-02: the extension is a way around start_response")
		}
		return errors.Join(ext.SetReadDeadline(time.Now().Add(time.Minute)), ext.SetWriteDeadline(time.Now().Add(time.Minute)))
	}
	l := serve(t, &server.Server{App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if err := check(e); err != nil {
			return text(err.Error())(e, start)
		}
		return text("fine")(e, start)
	})})
	t.Run("EXT-03/EXT-04/EXT-02", func(t *testing.T) {
		if a := l.roundTrip(get("/")); a.body != "fine" {
			t.Error(a.body)
		}
	})
	// net/http's request knows nothing of the mount point.
	t.Run("EXT-04/mounted", func(t *testing.T) {
		l := serve(t, &server.Server{ScriptName: "/shop", App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, ok := e.Get("gowsgi.http").(extension).HTTPRequest(e)
			return text(strconv.FormatBool(ok))(e, start)
		})})
		if a := l.roundTrip(get("/shop/cart")); a.body != "false" {
			t.Errorf("the request is served: %s", a.body)
		}
	})
}

// foreign is a source that describes another request.
type foreign struct{}

func (foreign) Lookup(key string) (string, bool)   { return "/foreign", key == "PATH_INFO" }
func (foreign) All(yield func(key, v string) bool) { yield("PATH_INFO", "/foreign") }
