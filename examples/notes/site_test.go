package main

import (
	"bytes"
	"errors"
	"io"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// newSite returns a site with an empty database.
func newSite(t *testing.T, o Options) wsgi.Application {
	t.Helper()
	store, err := OpenStore(filepath.Join(t.TempDir(), "notes.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	if o.Log == nil {
		o.Log = new(bytes.Buffer)
	}
	return NewSite(store, o)
}

// browser is a client of the site, as a browser at its address is.
func browser(t *testing.T, app wsgi.Application) *wsgitest.Client {
	c := wsgitest.NewClient(t, conformance.NewLinter(t).Lint(app))
	c.Base = "https://localhost"
	c.Headers = wsgi.Headers{{Name: "Accept", Value: "text/html"}, {Name: "Sec-Fetch-Site", Value: "same-origin"}}
	return c
}

// signUp makes an account and goes on as its user.
func signUp(t *testing.T, app wsgi.Application, name string) *wsgitest.Client {
	t.Helper()
	c := browser(t, app)
	res := c.PostForm("/signup", url.Values{"name": {name}, "password": {"a long password"}})
	shows(t, res, 200, "Welcome, "+name)
	return c
}

func shows(t *testing.T, res *wsgitest.Response, code int, parts ...string) {
	t.Helper()
	if res.Code != code || res.Err != nil {
		t.Errorf("%s: got %s, error %v, expected %d", res.Request.Target, res.Status, res.Err, code)
	}
	for _, part := range parts {
		if !strings.Contains(res.Text(), part) {
			t.Errorf("%s: the page lacks %q:\n%s", res.Request.Target, part, res.Text())
		}
	}
}

func TestNotes(t *testing.T) {
	app := newSite(t, Options{})
	ada := signUp(t, app, "Ada")
	shows(t, ada.Get("/"), 200, "There is no note yet.")
	res := ada.PostMultipart("/new", url.Values{"title": {"Tea & <b>biscuits</b>"}, "text": {"one\r\ntwo"}},
		wsgitest.File{Field: "file", Name: `C:\photos\tea.txt`, Content: []byte("a file")},
		wsgitest.File{Field: "file", Name: "", Content: nil})
	shows(t, res, 200, "The note is kept.", "Tea &amp; &lt;b&gt;biscuits&lt;/b&gt;", "one\ntwo", ">tea.txt</a> <small>6 bytes</small>")
	shows(t, ada.Get("/note/1"), 200, "Tea &amp;")
	if strings.Contains(ada.Get("/note/1").Text(), "The note is kept.") {
		t.Error("what was said once is said again")
	}

	file := ada.Get("/file/1")
	shows(t, file, 200, "a file")
	if got := file.Headers.Get("Content-Disposition"); got != "attachment; filename=tea.txt" || file.Headers.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers %v", file.Headers)
	}
	ada.Headers.Set("Range", "bytes=2-")
	if part := ada.Get("/file/1"); part.Code != 206 || part.Text() != "file" || part.Headers.Get("Content-Range") != "bytes 2-5/6" {
		t.Errorf("the rest of a file: %s %q, headers %v", part.Status, part.Text(), part.Headers)
	}
	ada.Headers.Del("Range")
	shows(t, ada.PostMultipart("/note/1", nil, wsgitest.File{Field: "file", Name: "ü.bin", Content: []byte{0, 1, 2}}), 200, "The file is kept.", "ü.bin")
	shows(t, ada.PostMultipart("/note/1", url.Values{"x": {"y"}}), 422, "Choose a file first.")
	long := wsgitest.File{Field: "file", Name: "x" + strings.Repeat("ü", 150)}
	shows(t, ada.PostMultipart("/note/1", nil, long), 200, ">x"+strings.Repeat("ü", 99)+"</a>")

	shows(t, ada.PostForm("/edit/1", url.Values{"title": {"Coffee"}, "text": {"three"}}), 200, "Coffee", "three", "tea.txt")
	shows(t, ada.PostForm("/edit/1", url.Values{"title": {" "}}), 422, "A title has from 1 to 200 characters.")
	shows(t, ada.Get("/?q=COFF"), 200, "Coffee")
	shows(t, ada.Get("/?q=tea%22"), 200, "No note has “tea&#34;” in it.")

	shows(t, ada.PostForm("/delete/1", nil), 200, "The note is gone.", "There is no note yet.")
	shows(t, ada.Get("/note/1"), 404, "or it is not yours")
	shows(t, ada.Get("/file/1"), 404)

	// A browser that has kept a file by its number must not take another one for it.
	again := ada.PostMultipart("/new", url.Values{"title": {strings.Repeat("ü", 200)}}, wsgitest.File{Field: "file", Name: "f", Content: []byte("x")})
	shows(t, again, 200, `href="/file/4"`)
}

// Whoever asks gets what is theirs, and nothing else.
func TestOthers(t *testing.T) {
	app := newSite(t, Options{})
	ada, eve, nobody := signUp(t, app, "Ada"), signUp(t, app, "Eve"), browser(t, app)
	ada.PostMultipart("/new", url.Values{"title": {"private"}, "text": {"private"}}, wsgitest.File{Field: "file", Name: "f", Content: []byte("private")})
	for _, target := range []string{"/note/1", "/edit/1", "/file/1", "/note/0", "/note/x", "/note/1/", "/note/9999999999999999999"} {
		shows(t, eve.Get(target), 404)
		shows(t, nobody.Get(target), 200, "<h1>Log in</h1>")
	}
	for _, target := range []string{"/note/1", "/edit/1", "/delete/1"} {
		shows(t, eve.PostForm(target, url.Values{"title": {"mine"}}), 404)
	}
	if strings.Contains(eve.Get("/?q=private").Text(), "/note/") {
		t.Error("a search finds what is another's")
	}
	shows(t, ada.Get("/note/1"), 200, "private")
}

func TestAccounts(t *testing.T) {
	app := newSite(t, Options{})
	ada := signUp(t, app, "Ada")
	for _, tt := range []struct{ name, password, says string }{
		{"ada", "a long password", "Somebody has this name already."},
		{strings.Repeat("ü", 101), "a long password", "A name has from 1 to 100 characters."},
		{"", "a long password", "A name has from 1 to 100 characters."},
		{"Bob", "short", "A password has from 8 to 200 characters."},
	} {
		shows(t, browser(t, app).PostForm("/signup", url.Values{"name": {tt.name}, "password": {tt.password}}), 422, tt.says)
	}
	shows(t, browser(t, app).PostForm("/signup", url.Values{"name": {strings.Repeat("ü", 100)}, "password": {strings.Repeat("ü", 200)}}), 200, "Welcome")
	for _, tt := range [][2]string{{"Ada", "a wrong password"}, {"Eve", "a long password"}, {"", ""}} {
		shows(t, browser(t, app).PostForm("/login", url.Values{"name": {tt[0]}, "password": {tt[1]}}), 422, "do not belong together")
	}
	shows(t, browser(t, app).PostForm("/login", url.Values{"name": {"ada"}, "password": {"a long password"}}), 200, "Welcome back, ada.")
	shows(t, ada.PostForm("/logout", nil), 200, "<h1>Log in</h1>")
	shows(t, ada.Get("/"), 200, "<h1>Log in</h1>")
}

// A session id from before the login is worth nothing after it.
func TestFixation(t *testing.T) {
	app := newSite(t, Options{})
	signUp(t, app, "Ada")
	cookie := func(res *wsgitest.Response) string {
		value, _, _ := strings.Cut(res.Headers.Get("Set-Cookie"), ";")
		return value
	}
	login := func(with string) *wsgitest.Response {
		req := wsgitest.NewRequest("POST", "https://localhost/login").Content("application/x-www-form-urlencoded", "name=Ada&password=a+long+password")
		if with != "" {
			req.With("Cookie", with)
		}
		return wsgitest.Do(t, app, req)
	}
	first := cookie(login(""))
	second := cookie(login(first))
	if first == "" || second == "" || first == second {
		t.Fatalf("the cookies are %q and %q", first, second)
	}
	old := wsgitest.NewRequest("GET", "https://localhost/").With("Cookie", first)
	old.ExpectErrors = true // that the cookie is refused
	if res := wsgitest.Do(t, app, old); res.Code != 303 {
		t.Errorf("with the old cookie: %s, expected to be sent to the login", res.Status)
	}
	if res := wsgitest.Do(t, app, wsgitest.NewRequest("GET", "https://localhost/").With("Cookie", second)); res.Code != 200 {
		t.Errorf("with the new cookie: %s", res.Status)
	}
}

func TestRefusals(t *testing.T) {
	app := newSite(t, Options{})
	ada := signUp(t, app, "Ada")
	ada.Headers.Set("Sec-Fetch-Site", "cross-site")
	shows(t, ada.PostForm("/delete/1", nil), 403)
	ada.Headers.Set("Sec-Fetch-Site", "same-origin")
	shows(t, ada.Get("/delete/1"), 405)
	shows(t, ada.Get("/no/such/page"), 404, "Back to the notes")
	shows(t, ada.Post("/new", "text/plain", "x"), 415)
	shows(t, ada.Post("/new", "multipart/form-data; boundary=x", "no form"), 400)
	shows(t, ada.Post("/new", "application/x-www-form-urlencoded", "title=%zz"), 400)
	shows(t, ada.Post("/new", "application/x-www-form-urlencoded", "title=%ff"), 400)
	shows(t, ada.Post("/new", "application/x-www-form-urlencoded", "title="+strings.Repeat("x", mostUpload)), 413, "more than fits in")
	large := wsgitest.NewRequest("POST", "/new").With("Content-Type", "multipart/form-data; boundary=x")
	large.Stream = strings.NewReader("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n" + strings.Repeat("x", mostUpload))
	shows(t, ada.Do(large), 413, "more than fits in")
	for _, sent := range []string{"--x\r\n", "--x\r\nContent-Disposition: form-data; name=text\r\n\r\nhalf a"} {
		slow := wsgitest.NewRequest("POST", "/new").With("Content-Type", "multipart/form-data; boundary=x")
		slow.Stream = io.MultiReader(strings.NewReader(sent), stalled{})
		if res := ada.Do(slow); res.Code != 408 {
			t.Errorf("a form that stalls after %q: got %s", sent, res.Status)
		}
	}
	if res := wsgitest.Do(t, app, wsgitest.NewRequest("GET", "https://evil.example/")); res.Code != 400 {
		t.Errorf("another host: %s", res.Status)
	}
}

// Nobody guesses on for long, at passwords of whom whatever.
func TestGuesses(t *testing.T) {
	eve := browser(t, newSite(t, Options{}))
	var codes []int
	for i := 0; i < 100 && !slices.Contains(codes, 429); i++ {
		codes = append(codes, eve.Post([]string{"/login", "/signup"}[i%2], "text/plain", "no form, which costs nothing").Code)
	}
	if len(codes) < 21 || codes[len(codes)-1] != 429 {
		t.Errorf("got %v, expected a 429 after 20 others or some more", codes)
	}
	shows(t, eve.Get("/login"), 200)
}

// Every page has a policy that it keeps: no script, no style in an attribute.
func TestPolicy(t *testing.T) {
	app := newSite(t, Options{})
	ada := signUp(t, app, "Ada")
	ada.PostForm("/new", url.Values{"title": {"t"}})
	inline := regexp.MustCompile(`(?i)<script|<style|\son\w+=|\sstyle=|javascript:`)
	for _, target := range []string{"/", "/note/1", "/edit/1", "/new", "/login", "/signup", "/missing"} {
		res := ada.Get(target)
		if !strings.Contains(res.Headers.Get("Content-Security-Policy"), "default-src 'none'") || !strings.Contains(res.Headers.Get("Cache-Control"), "private") && res.Code == 200 {
			t.Errorf("%s: headers %v", target, res.Headers)
		}
		if bad := inline.FindString(res.Text()); bad != "" {
			t.Errorf("%s: the page has %q", target, bad)
		}
	}
	for _, target := range []string{"/public/style.css", "/public/icon.svg"} {
		shows(t, ada.Get(target), 200)
	}
}

// stalled is the rest of a body that did not come in time.
type stalled struct{}

func (stalled) Read([]byte) (int, error) {
	return 0, &gateway.ClientError{Status: "408 Request Timeout", Err: errors.New("the body stalls")}
}
