package report_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"html"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/conformance/report"
)

func htmlOf(t *testing.T, reports ...conformance.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.HTML(&b, reports...); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var (
	policy   = regexp.MustCompile(`<meta http-equiv="Content-Security-Policy" content="([^"]*)">`)
	embedded = regexp.MustCompile(`(?s)<(style|script)>(.*?)</(?:style|script)>`)
	address  = regexp.MustCompile(`(?:href|src|action|srcset|data)="([^"]*)"`)
)

// TestHTMLKeepsToItself looks for what would make a browser ask somebody, and
// whether the policy allows what the page consists of.
func TestHTMLKeepsToItself(t *testing.T) {
	page := htmlOf(t, samples()...)
	allowed := policy.FindStringSubmatch(page)
	if allowed == nil || !strings.HasPrefix(allowed[1], "default-src &#39;none&#39;;") {
		t.Fatalf("the policy is %q, want one that begins with nothing", allowed)
	}
	found := embedded.FindAllStringSubmatch(page, -1)
	if len(found) != 3 {
		t.Errorf("%d styles and scripts are in the page, want three", len(found))
	}
	for _, m := range found {
		sum := sha256.Sum256([]byte(m[2]))
		if hash := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(html.UnescapeString(allowed[1]), m[1]+"-src") || !strings.Contains(html.UnescapeString(allowed[1]), hash) {
			t.Errorf("the policy %q does not allow the %s %s", allowed[1], m[1], hash)
		}
	}
	for _, m := range address.FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(m[1], "#") && m[1] != "data:," && m[1] != "https://peps.python.org/pep-3333/" {
			t.Errorf("the page leads to %q", m[1])
		}
	}
	for _, word := range []string{"@import", "url(", "fetch(", "XMLHttpRequest", "import("} {
		if strings.Contains(page, word) {
			t.Errorf("the page has %s in it", word)
		}
	}
}

// TestHTMLAnchors checks that every link of the page leads somewhere, and that
// no two elements have one name.
func TestHTMLAnchors(t *testing.T) {
	// Subjects of one name, and rules that are called like parts of the page.
	all := append(samples(), samples()...)
	all = append(all, conformance.Report{Subject: "a/b"}, conformance.Report{Subject: "a b", Results: []conformance.Result{
		{ID: "matrix", Status: conformance.Fail, Evidence: "x"}, {ID: "filters", Status: conformance.Fail}, {ID: "", Status: conformance.Fail},
	}})
	page := htmlOf(t, all...)
	ids := make(map[string]bool)
	for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if ids[m[1]] {
			t.Errorf("two elements are called %q", m[1])
		}
		ids[m[1]] = true
	}
	for _, m := range regexp.MustCompile(` (?:href="#|aria-labelledby=")([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if !ids[m[1]] {
			t.Errorf("a link leads to %q, which is not there", m[1])
		}
	}
	for _, want := range []string{"START-13/gthread", "START-13/gthread-2", "THR-02/uwsgi"} {
		if !ids[want] {
			t.Errorf("nothing is called %q", want)
		}
	}
}

func TestHTMLOfNothing(t *testing.T) {
	if page := htmlOf(t); !strings.Contains(page, "There is no report.") {
		t.Error("the page of no report does not say so")
	}
}

func TestHTMLCutsEvidence(t *testing.T) {
	page := htmlOf(t, hostileReport("s", strings.Repeat("e", 1<<20)))
	if len(page) > 300<<10 {
		t.Errorf("a page of 1 MiB of evidence has %d bytes", len(page))
	}
	if !strings.Contains(page, "bytes more)") {
		t.Error("the page does not say that evidence was cut")
	}
}

// failing is a writer to which nothing can be written.
type failing struct{}

var errFailing = errors.New("no space left")

func (failing) Write([]byte) (int, error) { return 0, errFailing }

func TestErrorsOfTheWriter(t *testing.T) {
	r := sample("uwsgi")
	for name, write := range map[string]func(io.Writer) error{
		"Text":     func(w io.Writer) error { return report.Text(w, r, report.TextOptions{}) },
		"JSON":     func(w io.Writer) error { return report.JSON(w, r) },
		"JUnit":    func(w io.Writer) error { return report.JUnit(w, r) },
		"HTML":     func(w io.Writer) error { return report.HTML(w, r) },
		"Markdown": func(w io.Writer) error { return report.Markdown(w, r) },
	} {
		if err := write(failing{}); !errors.Is(err, errFailing) {
			t.Errorf("%s returns %v, want the error of the writer", name, err)
		}
	}
}
