package main

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// tab is a tab of a browser.
type tab struct {
	context.Context
	t *testing.T
}

// open starts a browser. Where there is none it skips the test, or fails it if there
// has to be one.
func open(t *testing.T) tab {
	t.Helper()
	path, err := "", errors.New("there is no Chromium in the path")
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, failed := exec.LookPath(name); failed == nil {
			path, err = found, nil
			break
		}
	}
	if err != nil {
		if os.Getenv("GOWSGI_BROWSER") == "require" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, // it cannot have a sandbox as root, as in a container
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("lang", "en"))
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	return tab{ctx, t}
}

func (b tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// says returns the text of the page.
func (b tab) says() string {
	b.t.Helper()
	text, err := chromedp.Run(b, chromedp.Evaluate[string]("document.body.innerText"))
	if err != nil {
		b.t.Fatal(err)
	}
	return text
}

// photograph keeps a picture of the page among the test's artifacts, and one of it on
// a telephone, where nothing may be wider than the screen.
func (b tab) photograph(name string) {
	b.t.Helper()
	for kind, width := range map[string]int64{"": 1000, "-narrow": 360} {
		_, err := chromedp.Call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 760, DeviceScaleFactor: 1})
		if err != nil {
			b.t.Fatal(err)
		}
		wide, err := chromedp.Run(b, chromedp.Evaluate[bool]("document.documentElement.scrollWidth > innerWidth"))
		if err != nil || wide {
			b.t.Errorf("%s%s: the page is wider than %d pixels: %v, error %v", name, kind, width, wide, err)
		}
		picture, err := chromedp.Run(b, chromedp.FullScreenshot(100)) // 100 makes it a PNG
		if err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(b.t.ArtifactDir(), name+kind+".png"), picture, 0o666); err != nil {
			b.t.Fatal(err)
		}
	}
}

// serve runs app until the end of the test, and returns its address.
func serve(t *testing.T, app wsgi.Application) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server.Server{App: app, Errors: io.Discard}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		<-done
	})
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return "http://localhost:" + port
}

// TestBrowser does what a visitor does, from the sign-up to the log-out.
func TestBrowser(t *testing.T) {
	b := open(t)
	base := serve(t, newSite(t, Options{}))
	file := filepath.Join(t.TempDir(), "größe.txt")
	if err := os.WriteFile(file, []byte("a file"), 0o666); err != nil {
		t.Fatal(err)
	}
	has := func(parts ...string) {
		t.Helper()
		text := b.says()
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Fatalf("the page lacks %q:\n%s", part, text)
			}
		}
	}
	b.do(chromedp.Navigate(base + "/"))
	has("Log in", "New here?")
	b.photograph("login")
	b.do(
		chromedp.Click(chromedp.CSS(`a[href="/signup"]`)),
		chromedp.WaitVisible(chromedp.CSS("#rule")),
		chromedp.SendKeys(chromedp.CSS("#name"), "Ada"),
		chromedp.SendKeys(chromedp.CSS("#password"), "a long password"),
		chromedp.Click(chromedp.CSS("main form button")),
		chromedp.WaitVisible(chromedp.CSS(".said")),
	)
	has("Welcome, Ada. Write your first note.")
	for _, note := range [][2]string{{"Groceries", "Tea, bread and a lemon."}, {"Books to read", "The Art of Doing Science and Engineering; A Pattern Language; The Periodic Table. And whatever the library has on bridges, for the longer evenings."}} {
		b.do(
			chromedp.Navigate(base+"/new"),
			chromedp.SendKeys(chromedp.CSS("#title"), note[0]),
			chromedp.SendKeys(chromedp.CSS("#text"), note[1]),
			chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}),
		)
		if note[0] == "Groceries" {
			b.photograph("edit")
		}
		b.do(chromedp.Click(chromedp.CSS("main form button")), chromedp.WaitVisible(chromedp.CSS(".said")))
		has("The note is kept.", note[0], "größe.txt")
	}
	b.photograph("note")
	b.do(chromedp.Click(chromedp.CSS(".brand")), chromedp.WaitVisible(chromedp.CSS(".notes")))
	has("Groceries", "Books to read")
	b.photograph("index")
	b.do(chromedp.Navigate(base + "/missing"))
	has("There is nothing here")
	b.photograph("missing")
	b.do(chromedp.Click(chromedp.CSS("main a")), chromedp.WaitVisible(chromedp.CSS(".notes")))
	b.do(chromedp.Click(chromedp.CSS(".top button")), chromedp.WaitVisible(chromedp.CSS("#password")))
	has("Log in")
}

// secret is not spelt out where the page shows the source.
const secret = "t0p-s3cr" + "3t"

// TestDebugPage looks at the page that a developer gets.
func TestDebugPage(t *testing.T) {
	b := open(t)
	fails := wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) {
		var store *Store
		return nil, store.db.Ping() // the line with the mistake
	})
	b.do(chromedp.Navigate(serve(t, middleware.DebugPage(middleware.DebugPageConfig{})(fails)) + "/a?page=2&token=" + secret))
	text := b.says()
	for _, part := range []string{"Panic", "nil pointer dereference", "the line with the mistake", "page=2", "REQUEST_METHOD", "User-Agent"} {
		if !strings.Contains(text, part) {
			t.Errorf("the page lacks %q", part)
		}
	}
	if strings.Contains(text, secret) {
		t.Error("the page shows a secret")
	}
	styled, err := chromedp.Run(b, chromedp.Evaluate[bool](`getComputedStyle(document.querySelector("pre .here")).backgroundColor != "rgba(0, 0, 0, 0)"`))
	if err != nil || !styled {
		t.Errorf("the line is not marked, error %v", err)
	}
	b.photograph("debug")
}
