package browsertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long one test may take in the browser.
const patience = time.Minute

// findChromium returns the browser to use.
func findChromium() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("there is no Chromium: neither chromium nor chromium-browser nor google-chrome is in the path")
}

var (
	browserContext context.Context // nil before the first test that needs it
	closeBrowser   = func() {}
)

// startBrowser starts the one browser that the tests share. It keeps to
// itself: no profile from before, no question to any other host.
var startBrowser = sync.OnceValue(func() error {
	path, err := findChromium()
	if err != nil {
		return err
	}
	profile, err := os.MkdirTemp("", "gowsgi-chromium-")
	if err != nil {
		return err
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path),
		chromedp.UserDataDir(profile),
		chromedp.NoFirstRun,
		chromedp.NoDefaultBrowserCheck,
		chromedp.Headless,
		chromedp.NoSandbox, // it cannot have one as root, as in a container
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("disable-extensions", true),
		chromedp.Flag("lang", "en"),
	)
	ctx, cancel := chromedp.NewContext(allocator)
	closeBrowser = func() {
		cancel()
		stop()
		os.RemoveAll(profile)
	}
	browserContext = ctx
	return chromedp.Do(ctx)
})

// tab is a tab of the browser, and what went wrong in it.
type tab struct {
	context.Context
	t *testing.T

	mu       sync.Mutex
	messages []string // errors in the console, violations of the policy among them
	requests []string // what was asked for
}

// open opens a tab. Where there is no browser it skips the test, or fails it
// if there has to be one.
func open(t *testing.T) *tab {
	t.Helper()
	if _, err := findChromium(); err != nil {
		if os.Getenv("GOWSGI_BROWSER") == "require" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	if err := startBrowser(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(browserContext)
	t.Cleanup(cancel)
	ctx, cancelTimeout := context.WithTimeout(ctx, patience)
	t.Cleanup(cancelTimeout)
	b := &tab{Context: ctx, t: t}
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		t.Fatal(err)
	}
	call(b, network.Enable, network.EnableParams{})
	return b
}

func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch event := event.(type) {
	case *cdplog.EventEntryAdded:
		if e := event.Entry; e.Level == cdplog.EntryLevelError || e.Level == cdplog.EntryLevelWarning {
			b.messages = append(b.messages, fmt.Sprintf("%s: %s %s", e.Source, e.Text, e.URL))
		}
	case *runtime.EventExceptionThrown:
		b.messages = append(b.messages, event.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		b.messages = append(b.messages, fmt.Sprintf("console.%s", event.Type))
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, event.Request.URL)
	}
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// run returns the result of an action.
func run[T any](b *tab, action chromedp.Action[T]) T {
	b.t.Helper()
	result, err := chromedp.Run(b, action)
	if err != nil {
		b.t.Fatal(err)
	}
	return result
}

// call returns the result of a command of the debugging protocol.
func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	result, err := chromedp.Call(b, command, params)
	if err != nil {
		b.t.Fatal(err)
	}
	return result
}

// visit opens a page and waits until it is complete.
func (b *tab) visit(address string) {
	b.t.Helper()
	b.do(chromedp.Navigate(address))
}

// evaluate returns the value of a JavaScript expression.
func evaluate[T any](b *tab, expression string) T {
	b.t.Helper()
	return run(b, chromedp.Evaluate[T](expression))
}

// quiet checks that nothing went wrong and nobody else was asked.
func (b *tab) quiet(base string) {
	b.t.Helper()
	evaluate[bool](b, "true") // its answer comes after the events so far
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, message := range b.messages {
		b.t.Errorf("the browser complains: %s", message)
	}
	at, err := url.Parse(base)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, request := range b.requests {
		if to, err := url.Parse(request); err != nil || to.Host != at.Host && to.Scheme != "about" {
			b.t.Errorf("the page asked for %s", request)
		}
	}
	if len(b.requests) == 0 {
		b.t.Error("no request was seen")
	}
}

// photograph keeps a picture of the whole page among the test's artifacts.
func (b *tab) photograph(name string) {
	b.t.Helper()
	picture := run(b, chromedp.FullScreenshot(100)) // 100 makes it a PNG
	if err := os.WriteFile(filepath.Join(b.t.ArtifactDir(), name+".png"), picture, 0o666); err != nil {
		b.t.Fatal(err)
	}
}

// contents are the pages that are looked at for how they look.
var contents = []struct{ name, path string }{
	{"index", "/"},
	{"upload", "/upload"},
	{"stream", "/stream"},
	{"error", "/error"},
	{"missing", "/no/such/page/with-a-name-that-is-much-longer-than-a-telephone-is-wide"},
}

// list returns items in lines, in order and each once.
func list(items []string) string {
	slices.SortFunc(items, cmp.Compare)
	return strings.Join(slices.Compact(items), "\n")
}
