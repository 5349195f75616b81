package browsertest

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func TestIndex(t *testing.T) {
	b := open(t)
	base := serve(t)
	b.visit(base + "/")
	if got := evaluate[string](b, "document.title"); !strings.Contains(got, "gowsgi") {
		t.Errorf("the title is %q, want one with gowsgi", got)
	}
	environ := evaluate[map[string]string](b, `Object.fromEntries(
		[...document.querySelectorAll(".environ tr:not(.section)")].slice(1).map(
			row => [row.cells[0].innerText, row.cells[1].innerText + " " + row.cells[2].innerText]))`)
	for key, want := range map[string]string{
		"REQUEST_METHOD": "string GET",
		"PATH_INFO":      "string /",
		"HTTP_HOST":      "string " + strings.TrimPrefix(base, "http://"),
		"wsgi.version":   "[2]int (1, 0)",
		"wsgi.input":     "wsgi.InputStream the request body, a stream",
	} {
		if environ[key] != want {
			t.Errorf("the environ has %s as %q, want %q", key, environ[key], want)
		}
	}
	b.quiet(base)
}

// TestComplaintsAreSeen makes sure that quiet has something to notice.
func TestComplaintsAreSeen(t *testing.T) {
	b := open(t)
	b.visit(serve(t) + "/")
	evaluate[chromedp.Void](b, `document.head.append(Object.assign(document.createElement("style"), {textContent: "p{}"}))`)
	evaluate[bool](b, "true")
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.messages) != 1 || !strings.Contains(b.messages[0], "Content Security Policy") {
		t.Errorf("after an inline style the browser said %q, want one violation of the policy", b.messages)
	}
}

// TestKeyboard reaches the content by the first key.
func TestKeyboard(t *testing.T) {
	b := open(t)
	base := serve(t)
	b.visit(base + "/")
	b.do(chromedp.KeyEvent(kb.Tab))
	if got := evaluate[bool](b, `document.activeElement.matches(".skip") && document.activeElement.getBoundingClientRect().left >= 0`); !got {
		t.Errorf("the first tab stop is not a visible link to the content")
	}
	b.do(chromedp.KeyEvent(kb.Enter))
	b.do(chromedp.KeyEvent(kb.Tab))
	if got := evaluate[bool](b, `document.querySelector("main").contains(document.activeElement) &&
		getComputedStyle(document.activeElement).outlineStyle != "none"`); !got {
		t.Errorf("the next tab stop is not in the content, with a visible focus")
	}
	b.quiet(base)
}

// TestStream watches the page while it is being loaded.
func TestStream(t *testing.T) {
	b := open(t)
	base := serve(t)
	// A script of the debugger's, which no policy forbids.
	call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		window.seen = [];
		new MutationObserver(() => {
			const n = document.querySelectorAll("#pieces li").length;
			if (n > (seen.at(-1)?.n ?? 0)) {
				seen.push({n, at: performance.now(), state: document.readyState});
			}
		}).observe(document, {childList: true, subtree: true});`})
	b.visit(base + "/stream")
	seen := evaluate[[]struct {
		N     int
		At    float64 // milliseconds
		State string
	}](b, "seen")
	if len(seen) < 8 {
		t.Fatalf("the pieces were seen in %d steps, want them to come one by one: %+v", len(seen), seen)
	}
	for _, step := range seen[:len(seen)-1] {
		if step.State != "loading" {
			t.Errorf("piece %d came in state %q, want loading", step.N, step.State)
		}
	}
	first, last := seen[0], seen[len(seen)-1]
	if last.N != 12 || last.At-first.At < 1500 {
		t.Errorf("%d pieces came within %.0f ms, want 12 within seconds", last.N, last.At-first.At)
	}
	if !evaluate[bool](b, `document.querySelector("#complete") && getComputedStyle(document.querySelector(".arriving")).display == "none"`) {
		t.Error("the page does not say that it is complete")
	}
	b.quiet(base)
}

func TestUpload(t *testing.T) {
	content := []byte(strings.Repeat("a file for the demo\n", 100_000))
	sum := sha256.Sum256(content)
	file := filepath.Join(t.TempDir(), "größe & <b>.txt")
	if err := os.WriteFile(file, content, 0o666); err != nil {
		t.Fatal(err)
	}
	b := open(t)
	base := serve(t)
	b.visit(base + "/")
	b.do(
		chromedp.Click(chromedp.CSS(`.cards a[href="/upload"]`)),
		chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}),
		chromedp.Click(chromedp.CSS("form button")),
		chromedp.WaitVisible(chromedp.CSS(".hash")),
	)
	got := evaluate[[]string](b, `[...document.querySelectorAll(".files tbody tr > *, .files small")].map(e => e.innerText.split("\n")[0])`)
	want := []string{"größe & <b>.txt", "text/plain", "2000000 bytes", hex.EncodeToString(sum[:])}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("the page shows %q, want %q", got, want)
	}
	b.photograph("uploaded")
	b.quiet(base)
}

// TestUploadTooLarge sends more than is accepted: the browser has to get to
// read the answer, although it is still sending.
func TestUploadTooLarge(t *testing.T) {
	file := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, 80<<20); err != nil { // no bytes on the disk
		t.Fatal(err)
	}
	b := open(t)
	b.visit(serve(t) + "/upload")
	b.do(
		chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}),
		chromedp.Click(chromedp.CSS("form button")),
		chromedp.WaitVisible(chromedp.CSS(".status")),
	)
	if got := evaluate[string](b, "document.querySelector('.status').innerText"); got != "413 Content Too Large" {
		t.Errorf("the page says %q, want 413", got)
	}
}

func TestDownload(t *testing.T) {
	b := open(t)
	base := serve(t)
	dir := t.TempDir()
	completed := make(chan string, 1)
	suggested := make(chan string, 1)
	err := chromedp.ListenBrowser(b, func(event any) {
		switch event := event.(type) {
		case *browser.EventDownloadWillBegin:
			suggested <- event.SuggestedFilename
		case *browser.EventDownloadProgress:
			if event.State != browser.DownloadProgressStateInProgress {
				completed <- string(event.State) + " " + event.GUID
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	events := true
	_, err = chromedp.CallBrowser(b, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllowAndName, DownloadPath: dir, EventsEnabled: &events,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.visit(base + "/")
	b.do(chromedp.Click(chromedp.CSS(`.cards a[href="/download"]`)))
	if got := receive(b, suggested); got != "hello.go" {
		t.Errorf("the download is called %q, want hello.go", got)
	}
	state, id, _ := strings.Cut(receive(b, completed), " ")
	content, err := os.ReadFile(filepath.Join(dir, id))
	if state != "completed" || err != nil || !strings.Contains(string(content), "func hello(environ *wsgi.Environ") {
		t.Errorf("the download is %s (%v) and has %q, want the program", state, err, content)
	}
	b.quiet(base)
}

func receive(b *tab, events <-chan string) string {
	b.t.Helper()
	select {
	case event := <-events:
		return event
	case <-b.Done():
		b.t.Fatal(b.Err())
	}
	return ""
}

func TestErrorPage(t *testing.T) {
	b := open(t)
	base := serve(t)
	response := run(b, chromedp.NavigateResponse(base+"/error"))
	if response.Status != 500 {
		t.Errorf("the status is %d, want 500", response.Status)
	}
	if got := evaluate[string](b, "document.querySelector('main').innerText"); !strings.Contains(got, "the kettle is empty") {
		t.Errorf("the page says %q, want what has failed", got)
	}
}
