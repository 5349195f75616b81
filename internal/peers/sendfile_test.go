package peers

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gowsgi/gowsgi/adapters/scgi"
	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/middleware/static"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestSendfile: behind middleware.Sendfile the web server sends the file that was meant,
// and all that it would get wrong is sent from here.
func TestSendfile(t *testing.T) {
	for _, tt := range []struct {
		front    Front
		header   string
		escaped  bool // names that look escaped are left to it
		from, to string
	}{
		{Front{"nginx", "http"}, "X-Accel-Redirect", true, "location /app {", "location /internal/ { internal; alias FILES/; }\n        location /app {"},
		{Front{"lighttpd", "scgi"}, "X-Sendfile", false, `"check-local"`, `"x-sendfile" => "enable", "x-sendfile-docroot" => ( "FILES/" ), "check-local"`},
	} {
		t.Run(tt.front.String(), func(t *testing.T) {
			dir := Folder(t)
			for name, text := range map[string]string{
				"a b.txt": "plain", "a%41.txt": "percent", "aA.txt": "another", "page.html": "a page", "page.html.gz": "the page, compressed",
			} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			as := "/internal"
			if tt.header == "X-Sendfile" {
				as = ""
			}
			var left atomic.Bool // to the web server
			files := middleware.Chain(
				middleware.MapHeaders(func(_ *wsgi.Environ, _ string, headers wsgi.Headers) wsgi.Headers {
					left.Store(headers.Has(tt.header))
					return headers
				}),
				middleware.Sendfile(middleware.SendfileConfig{Header: tt.header, Folders: map[string]string{dir: as}}),
			)(static.Application(static.Config{Files: root.FS(), Encodings: []string{"gzip"}}))
			app := middleware.Mount("/app", files)(files) // lighttpd has taken the prefix off

			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			var backend interface {
				Serve(l net.Listener) error
				Close() error
			} = &server.Server{App: app}
			if tt.front.Protocol == "scgi" {
				backend = &scgi.Server{App: app}
			}
			done := make(chan error, 1)
			go func() { done <- backend.Serve(l) }()
			defer func() {
				backend.Close()
				<-done
			}()
			addr, _ := tt.front.start(t, l.Addr().(*net.TCPAddr).Port, "", func(config string) string {
				return strings.Replace(config, tt.from, strings.ReplaceAll(tt.to, "FILES", dir), 1)
			})
			client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
			defer client.CloseIdleConnections()
			for _, ask := range []struct {
				path, accept string
				text, coding string
				left         bool
			}{
				{"/app/a%20b.txt", "", "plain", "", true},
				{"/app/a%2541.txt", "", "percent", "", tt.escaped},
				{"/app/page.html", "", "a page", "", true},
				{"/app/page.html", "gzip", "the page, compressed", "gzip", false},
			} {
				req, err := http.NewRequest("GET", "http://"+addr+ask.path, nil)
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Accept-Encoding", ask.accept)
				res, err := client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				text, err := io.ReadAll(res.Body)
				res.Body.Close()
				if err != nil || res.StatusCode != 200 || string(text) != ask.text || res.Header.Get("Content-Encoding") != ask.coding || left.Load() != ask.left {
					t.Errorf("%s: got %s %q, %v, coding %q, left to the web server %v, expected %+v",
						ask.path, res.Status, text, err, res.Header.Get("Content-Encoding"), left.Load(), ask)
				}
			}
		})
	}
}
