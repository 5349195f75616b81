package report_test

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/conformance/report"
)

// hostile are texts that a server may have sent to harm who reads a report.
var hostile = []string{
	"\x1b[2J\x1b[H\x1b]0;title\a", "\x9b31m \u009b31m", "a\rb\bc\x7f", "\u202egnissim\u202c", "\u200b\ufeff\u2028\u2029",
	"</pre></details><script>alert(1)</script>", "<!--", "]]>", `" onclick="alert(1)`, "&lt;b&gt;", "{{.}} `${1}`",
	"```\n# heading", "````", "| cell |\n|---|", "[x](javascript:alert(1))", "~~~", "\n\n<b>\n\n", "\\`", "\xff\xfe\xed\xa0\x80\x00", strings.Repeat("x", 5000), strings.Repeat("\n", 50),
}

func hostileReport(subject, evidence string) conformance.Report {
	return conformance.Report{Subject: subject, Version: subject, Results: []conformance.Result{
		{ID: "SRV-06", Level: "MUST†", Status: conformance.Fail, Evidence: evidence},
		{ID: "CGI-24", Level: "SHOULD†", Status: conformance.Warn, Evidence: evidence},
		{ID: "CGI-23", Level: "MUST†", Status: conformance.Skip, Evidence: evidence},
		{ID: subject, Level: subject, Status: conformance.Status(subject), Evidence: evidence},
		{ID: "A" + subject, Level: subject, Status: conformance.Fail, Evidence: evidence},
	}}
}

var colours = regexp.MustCompile("\x1b\\[(0|1|2|31|32|33)m")

// FuzzText looks for anything that a terminal would obey, and for lines that
// it would have to break.
func FuzzText(f *testing.F) {
	for _, text := range hostile {
		f.Add(text, text, 60, true)
		f.Add("subject", text, 0, false)
	}
	f.Fuzz(func(t *testing.T, subject, evidence string, width int, verbose bool) {
		r := hostileReport(subject, evidence)
		for _, color := range []bool{false, true} {
			var b bytes.Buffer
			o := report.TextOptions{Color: color, Width: width % 300, Verbose: verbose}
			if err := report.Text(&b, r, o); err != nil {
				t.Fatal(err)
			}
			text := b.String()
			if color {
				text = colours.ReplaceAllString(text, "")
			}
			limit := max(o.Width, 40)
			if o.Width == 0 {
				limit = 80
			}
			for line := range strings.Lines(text) {
				line = strings.TrimSuffix(line, "\n")
				for _, r := range line {
					if !unicode.IsPrint(r) || r == utf8.RuneError && !strings.ContainsRune(subject+evidence, r) {
						t.Errorf("the line %q has %q in it", line, r)
					}
				}
				// The line of an id and its level is as long as they are.
				if n := utf8.RuneCountInString(line); n > limit && !strings.HasPrefix(line, "FAIL") && !strings.HasPrefix(line, "WARN") {
					t.Errorf("the line %q has %d columns, want %d at most", line, n, limit)
				}
			}
		}
	})
}

// FuzzHTML compares the markup of a page with that of one of tame texts.
func FuzzHTML(f *testing.F) {
	for _, text := range hostile {
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, subject, evidence string) {
		if evidence = strings.Trim(evidence, " \n"); evidence == "" {
			t.Skip("no evidence has no element")
		}
		switch conformance.Status(subject) {
		case conformance.Pass, conformance.Fail, conformance.Warn, conformance.Skip, "":
			t.Skip("a known status or subject has elements of its own")
		}
		render := func(subject, evidence string) string {
			var b bytes.Buffer
			if err := report.HTML(&b, hostileReport(subject, evidence), hostileReport("other", "other")); err != nil {
				t.Fatal(err)
			}
			return b.String()
		}
		tame, got := render("tame", "tame"), render(subject, evidence)
		for _, sign := range []string{"<", ">", `"`} {
			// The ids of groups are in attributes, where quotes are escaped too.
			if n, want := strings.Count(got, sign), strings.Count(tame, sign); n != want {
				t.Errorf("the page has %d times %s, want %d", n, sign, want)
			}
		}
		if r, bad := unprintable(got); bad {
			t.Errorf("the page has %q in it", r)
		}
	})
}

// unprintable returns a character of a page that is not for reading.
func unprintable(page string) (rune, bool) {
	for i, r := range page {
		if r == utf8.RuneError && !strings.HasPrefix(page[i:], "\ufffd") {
			return r, true
		}
		if r != '\n' && r != '\t' && !unicode.IsPrint(r) {
			return r, true
		}
	}
	return 0, false
}

// FuzzFormats looks at what is written for programs, and at Markdown.
func FuzzFormats(f *testing.F) {
	for _, text := range hostile {
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, subject, evidence string) {
		r := hostileReport(subject, evidence)
		write := func(write func(io.Writer) error) string {
			var b bytes.Buffer
			if err := write(&b); err != nil {
				t.Fatal(err)
			}
			if r, bad := unprintable(b.String()); bad {
				t.Errorf("%q is in the output", r)
			}
			return b.String()
		}
		junit := write(func(w io.Writer) error { return report.JUnit(w, r) })
		if err := checkJUnit([]byte(junit)); err != nil {
			t.Errorf("JUnit: %v", err)
		}
		var read conformance.Report
		document := write(func(w io.Writer) error { return report.JSON(w, r) })
		if err := json.Unmarshal([]byte(document), &read); err != nil {
			t.Errorf("JSON: %v", err)
		} else if utf8.ValidString(evidence) && read.Results[0].Evidence != evidence {
			t.Errorf("JSON: the evidence is %q, want %q", read.Results[0].Evidence, evidence)
		}
		checkMarkdown(t, write(func(w io.Writer) error { return report.Markdown(w, r) }))
	})
}

// checkMarkdown looks for what the texts of a report have made of the markup:
// rows of tables with other than their cells, headings, fences, HTML.
func checkMarkdown(t *testing.T, document string) {
	fence, cells := "", 0
	for line := range strings.Lines(document) {
		line = strings.TrimSuffix(line, "\n")
		marks := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		switch {
		case fence != "":
			if line == fence {
				fence = ""
			} else if len(marks) >= len(fence) {
				t.Errorf("the line %q closes the fence %s", line, fence)
			}
			continue
		case len(marks) >= 3:
			fence = marks
			continue
		case !strings.HasPrefix(line, "|"):
			cells = 0
		default:
			n := strings.Count(strings.NewReplacer(`\\`, "", `\|`, "").Replace(line), "|")
			if cells == 0 {
				cells = n
			}
			if n != cells {
				t.Errorf("the row %q has %d cells, want %d", line, n-1, cells-1)
			}
		}
		if strings.Contains(line, "<") {
			t.Errorf("the line %q has HTML in it", line)
		}
	}
	if fence != "" {
		t.Errorf("the fence %s is never closed", fence)
	}
}
