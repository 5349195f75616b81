package browsertest

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/conformance/report"
)

// hostile is evidence that would run, and write elsewhere in the page, if it
// were not escaped.
const hostile = `got "</pre></details><script>document.title = 'owned'</script><img src=x onerror=alert(1)>" and 'more'`

// subjects are what the reports under test are about.
var subjects = []string{"alpha", "beta 2", "<b>gamma</b>"}

// tested returns the rules that carry a test.
func tested() []conformance.Rule {
	return slices.DeleteFunc(conformance.Rules(), func(r conformance.Rule) bool { return r.Keyword() == "" })
}

// reports returns a report of n subjects. The first keeps everything, the
// second breaks START-13, the third START-13 and HDR-04; none was looked at for
// CALL-03.
func reports(n int) (all []conformance.Report) {
	for i := range n {
		r := conformance.Report{Subject: subjects[i%len(subjects)], Version: fmt.Sprint("1.", i)}
		for _, rule := range tested() {
			result := conformance.Result{ID: rule.ID, Level: rule.Level, Status: conformance.Pass}
			switch {
			case rule.ID == "START-13" && i%3 > 0:
				result.Status, result.Evidence = conformance.Warn, fmt.Sprintf("replaced: expected X-New, got X-Old from subject %d", i)
			case rule.ID == "HDR-04" && i%3 == 2:
				result.Status, result.Evidence = conformance.Fail, hostile
			case rule.ID == "CALL-03":
				result.Status, result.Evidence = conformance.Skip, "a document has to be read"
			}
			r.Results = append(r.Results, result)
		}
		all = append(all, r)
	}
	return all
}

// reportPage writes the page of reports to a file and returns its address.
func reportPage(t *testing.T, all ...conformance.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.HTML(&b, all...); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(name, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(name)}).String()
}

const (
	shownRules = `[...document.querySelectorAll("tr[data-rule]")].filter(tr => tr.checkVisibility()).map(tr => tr.dataset.rule)`
	counted    = `document.getElementById("count").textContent`
	inPanel    = `document.getElementById("panel").checkVisibility() ? document.getElementById("panel-body").innerText : ""`
	openInIt   = `[...document.querySelectorAll("#panel details[open] pre")].map(e => e.textContent).join("|")`
)

// set changes a control as a user does.
func set(b *tab, selector, property, value string) {
	b.t.Helper()
	evaluate[chromedp.Void](b, fmt.Sprintf(`{
		const e = document.querySelector(%q);
		e.%s = %s;
		e.dispatchEvent(new Event("input", {bubbles: true}));
	}`, selector, property, value))
}

func TestReportFilters(t *testing.T) {
	b := open(t)
	address := reportPage(t, reports(3)...)
	all := len(tested())
	for _, test := range []struct {
		name                      string
		selector, property, value string
		want                      []string // nil for all but CALL-03
	}{
		{"at first", "[name=words]", "value", `""`, nil},
		{"text of a rule", "[name=words]", "value", `"start-13"`, []string{"START-13"}},
		{"text of evidence", "[name=words]", "value", `"x-OLD subject 2"`, []string{"START-13"}},
		{"text of nothing", "[name=words]", "value", `"no such words"`, []string{}},
		{"differ", "[name=differ]", "checked", "true", []string{"START-13", "HDR-04"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b.visit(address)
			set(b, test.selector, test.property, test.value)
			got := evaluate[[]string](b, shownRules)
			if test.want == nil {
				if len(got) != all-1 || slices.Contains(got, "CALL-03") {
					t.Errorf("%d rules are shown, want all %d but CALL-03", len(got), all)
				}
			} else if !slices.Equal(got, test.want) {
				t.Errorf("the rules %v are shown, want %v", got, test.want)
			}
			if got, want := evaluate[string](b, counted), fmt.Sprintf("%d of %d rules shown", len(got), all); got != want {
				t.Errorf("the page says %q, want %q", got, want)
			}
			if none := evaluate[bool](b, `document.getElementById("none").checkVisibility()`); none != (len(got) == 0) {
				t.Errorf("the page says that there is none: %v, with %d rules shown", none, len(got))
			}
		})
	}
	t.Run("status", func(t *testing.T) {
		b.visit(address)
		b.do(chromedp.Click(chromedp.CSS(`[name=status][value=pass]`)))
		if got := evaluate[[]string](b, shownRules); !slices.Equal(got, []string{"START-13", "HDR-04"}) {
			t.Errorf("without what is kept the rules %v are shown", got)
		}
		b.do(chromedp.Click(chromedp.CSS(`[name=status][value=warn]`)), chromedp.Click(chromedp.CSS(`[name=status][value=skip]`)))
		if got := evaluate[[]string](b, shownRules); !slices.Equal(got, []string{"CALL-03", "HDR-04"}) {
			t.Errorf("of what is broken or not looked at the rules %v are shown", got)
		}
		b.do(chromedp.Click(chromedp.CSS(`button[type=reset]`)))
		waitFor(b, fmt.Sprintf(`%s.length == %d`, shownRules, all-1))
	})
	t.Run("level and group", func(t *testing.T) {
		b.visit(address)
		set(b, "[name=level]", "value", `"MAY"`)
		set(b, "[name=group]", "value", `"START"`)
		var want []string
		for _, rule := range tested() {
			if strings.HasPrefix(rule.ID, "START-") && rule.Keyword() == "MAY" {
				want = append(want, rule.ID)
			}
		}
		if got := evaluate[[]string](b, shownRules); len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("the rules %v are shown, want %v", got, want)
		}
	})
	t.Run("subjects", func(t *testing.T) {
		b.visit(address)
		set(b, `[name=subject][value="2"]`, "checked", "false")
		set(b, "[name=differ]", "checked", "true")
		if got := evaluate[[]string](b, shownRules); !slices.Equal(got, []string{"START-13"}) {
			t.Errorf("the rules %v are shown, want START-13, in which the two that are left differ", got)
		}
		if got := evaluate[string](b, `[...document.querySelectorAll(".rules thead th")].filter(th => th.checkVisibility()).map(th => th.dataset.slug ?? "").join()`); got != ",alpha,beta-2" {
			t.Errorf("the columns are %q", got)
		}
	})
	b.quietFile(address)
}

// waitFor waits until a JavaScript expression is true.
func waitFor(b *tab, expression string) {
	b.t.Helper()
	// Without EvalAwaitPromise the promise is the result, and nothing waits.
	run(b, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`new Promise(done => {
		const look = () => (%s) ? done() : requestAnimationFrame(look);
		look();
	})`, expression), chromedp.EvalAwaitPromise))
}

// quietFile is quiet for a page of a file: it asked for itself alone.
func (b *tab) quietFile(address string) {
	b.t.Helper()
	evaluate[bool](b, "true")
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, message := range b.messages {
		b.t.Errorf("the browser complains: %s", message)
	}
	for _, request := range b.requests {
		if before, _, _ := strings.Cut(request, "#"); before != address && request != "data:," {
			b.t.Errorf("the page asked for %s", request)
		}
	}
}

func TestReportDeepLinks(t *testing.T) {
	b := open(t)
	address := reportPage(t, reports(3)...)
	b.visit(address + "#START-13/beta-2")
	if got := evaluate[string](b, openInIt); got != "replaced: expected X-New, got X-Old from subject 1" {
		t.Errorf("the panel shows the evidence %q, want that of beta 2", got)
	}
	if got := evaluate[string](b, inPanel); !strings.Contains(got, "START-13") || !strings.Contains(got, "beta 2 1.1") {
		t.Errorf("the panel shows %q", got)
	}
	if got := evaluate[string](b, `document.querySelector(".rules .current").parentNode.dataset.rule`); got != "START-13" {
		t.Errorf("the mark of %s is shown as the current one", got)
	}
	if !evaluate[bool](b, `(() => {
		const mark = document.querySelector(".rules .current").getBoundingClientRect();
		return document.elementFromPoint(mark.x + mark.width / 2, mark.y + mark.height / 2)?.closest("td")?.classList.contains("current") ?? false;
	})()`) {
		t.Error("the current mark is not in sight")
	}

	// A click, and the way back.
	b.do(chromedp.Click(chromedp.CSS(`tr[data-rule="HDR-04"] td:last-child a`)))
	// The address changes before the page is told of it.
	waitFor(b, `document.getElementById("panel").innerText.includes("HDR-04")`)
	if got := evaluate[string](b, "location.hash"); got != "#HDR-04/-b-gamma--b-" {
		t.Errorf("after the click the address ends in %q", got)
	}
	if got := evaluate[string](b, openInIt); got != hostile {
		t.Errorf("the panel shows the evidence %q, want it as it is: %q", got, hostile)
	}
	if got := evaluate[string](b, "document.title"); got != "WSGI conformance" {
		t.Errorf("evidence has changed the title to %q", got)
	}
	evaluate[chromedp.Void](b, "history.back()")
	waitFor(b, `document.getElementById("panel").innerText.includes("START-13")`)

	// A rule without a subject, and one that the filters hide.
	for _, test := range []struct{ fragment, want string }{
		{"#START-13", "replaced"},
		{"#CALL-03/alpha", "a document has to be read"},
		{"#CALL-01/alpha", "kept"},
	} {
		evaluate[chromedp.Void](b, fmt.Sprintf("location.hash = %q", test.fragment))
		waitFor(b, fmt.Sprintf(`document.getElementById("panel").innerText.includes(%q)`, test.fragment[1:8]))
		if got := evaluate[string](b, inPanel); !strings.Contains(got, test.want) {
			t.Errorf("%s shows %q, want %q in it", test.fragment, got, test.want)
		}
	}
	evaluate[chromedp.Void](b, `location.hash = "#NO-99/alpha"`)
	waitFor(b, `document.getElementById("panel").hidden`)
	if n := evaluate[int](b, `document.querySelectorAll("#evidence article").length`); n != len(tested()) {
		t.Errorf("%d rules are in the section of the evidence after the panel was closed, want %d", n, len(tested()))
	}
	b.quietFile(address)
}

func TestReportKeyboard(t *testing.T) {
	b := open(t)
	address := reportPage(t, reports(3)...)
	b.visit(address)
	evaluate[chromedp.Void](b, `document.querySelector(".rules [tabindex='0']").focus()`)
	focus := func() string {
		return evaluate[string](b, `(cell => cell ? cell.parentNode.dataset.rule + " " + cell.cellIndex : document.activeElement.id)(document.activeElement.closest("td"))`)
	}
	first := focus()
	for _, step := range []struct{ key, want string }{
		{kb.ArrowRight, "CALL-01 2"},
		{kb.ArrowDown, "CALL-02 2"},
		{kb.End, "CALL-02 3"},
		{kb.ArrowDown, "CALL-04 3"}, // CALL-03 is hidden
		{kb.ArrowUp, "CALL-02 3"},
		{kb.Home, "CALL-02 1"},
		{kb.ArrowLeft, "CALL-02 1"},
		{kb.Enter, "panel-heading"},
		{kb.Escape, "CALL-02 1"},
	} {
		b.do(chromedp.KeyEvent(step.key))
		if step.key == kb.Enter {
			waitFor(b, `document.activeElement.id == "panel-heading"`)
		}
		if got := focus(); got != step.want {
			t.Errorf("from %s the key %q leads to %s, want %s", first, step.key, got, step.want)
		}
	}
	if got := evaluate[string](b, "location.hash"); got != "" {
		t.Errorf("after Escape the address ends in %q", got)
	}
	if n := evaluate[int](b, `document.querySelectorAll(".rules td [tabindex='0'], .rules td[tabindex='0']").length`); n != 1 {
		t.Errorf("%d marks are tab stops, want one", n)
	}
	b.quietFile(address)
}

// TestReportWithoutScript opens evidence where no script runs.
func TestReportWithoutScript(t *testing.T) {
	b := open(t)
	address := reportPage(t, reports(3)...)
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.visit(address)
	if evaluate[bool](b, `document.getElementById("filters").checkVisibility()`) {
		t.Error("the filters are shown, which can do nothing")
	}
	if n := evaluate[int](b, `[...document.querySelectorAll("tr[data-rule]")].filter(e => e.checkVisibility()).length`); n != len(tested()) {
		t.Errorf("%d rules are shown, want all", n)
	}
	b.do(chromedp.Click(chromedp.CSS(`tr[data-rule="HDR-04"] td:last-child a`)))
	b.do(chromedp.Click(chromedp.CSS(`#HDR-04 summary`)))
	if !evaluate[bool](b, `document.querySelector("#HDR-04 pre").checkVisibility()`) {
		t.Error("the evidence of HDR-04 cannot be opened")
	}
	b.quietFile(address)
}

// TestReportSize opens a page as large as they come.
func TestReportSize(t *testing.T) {
	b := open(t)
	address := reportPage(t, reports(15)...)
	b.visit(address)
	begin := time.Now()
	set(b, "[name=words]", "value", `"start"`)
	evaluate[int](b, "document.body.offsetHeight")
	took := time.Since(begin)
	t.Logf("the first search took %v", took)
	if took > 20*time.Second { // a page that is stuck; a busy machine is slow
		t.Errorf("the first search took %v, want it to be over before anybody notices", took)
	}
}

func TestReportLooks(t *testing.T) {
	for _, screen := range []struct {
		name          string
		width, height int64
		mobile        bool
	}{{"desktop", 1366, 900, false}, {"phone", 360, 740, true}} {
		for _, scheme := range []string{"light", "dark"} {
			t.Run(screen.name+" "+scheme, func(t *testing.T) {
				b := open(t)
				scale := 1.0
				if screen.mobile {
					scale = 2
				}
				call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
					Width: screen.width, Height: screen.height, DeviceScaleFactor: scale, Mobile: screen.mobile,
				})
				call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
					Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
				})
				address := reportPage(t, reports(8)...)
				for _, state := range []struct{ name, fragment, script string }{
					{"top", "", ""},
					{"matrix", "", `document.getElementById("work").scrollIntoView()`},
					{"panel", "#HDR-04/-b-gamma--b-", ""},
				} {
					b.visit("about:blank")
					b.visit(address + state.fragment)
					if state.script != "" {
						evaluate[chromedp.Void](b, state.script)
					}
					if got := evaluate[int64](b, "document.scrollingElement.scrollWidth"); got > screen.width {
						t.Errorf("%s: the page is %d pixels wide on a screen of %d", state.name, got, screen.width)
					}
					if low := evaluate[[]string](b, contrast+`; texts().filter(t => t.ratio < 4.5).map(t => t.ratio.toFixed(2) + " " + t.text)`); len(low) > 0 {
						t.Errorf("%s: texts with a contrast below 4.5:\n%s", state.name, list(low))
					}
					picture := run(b, chromedp.CaptureScreenshot())
					name := fmt.Sprintf("report-%s-%s-%s.png", screen.name, scheme, state.name)
					if err := os.WriteFile(filepath.Join(t.ArtifactDir(), name), picture, 0o666); err != nil {
						t.Fatal(err)
					}
				}
			})
		}
	}
}
