package report_test

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/conformance/report"
)

var update = flag.Bool("update", false, "write the goldens anew")

// TestGolden compares what people read with files that people have read.
func TestGolden(t *testing.T) {
	text := func(subject string, o report.TextOptions) func(io.Writer) error {
		return func(w io.Writer) error { return report.Text(w, sample(subject), o) }
	}
	for _, test := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{"kept.txt", text("keeper", report.TextOptions{})},
		{"broken.txt", text("uwsgi", report.TextOptions{})},
		{"narrow.txt", text("gthread", report.TextOptions{Width: 40})},
		{"wide.txt", text("uwsgi", report.TextOptions{Width: 132})},
		{"verbose.txt", text("wsgiref", report.TextOptions{Verbose: true})},
		{"color.txt", text("cheroot", report.TextOptions{Color: true})},
		{"undecided.txt", func(w io.Writer) error { return report.Text(w, undecided, report.TextOptions{}) }},
		{"nothing.txt", func(w io.Writer) error { return report.Text(w, conformance.Report{}, report.TextOptions{}) }},
		{"scoreboard.md", func(w io.Writer) error { return report.Markdown(w, samples()...) }},
		{"junit.xml", func(w io.Writer) error { return report.JUnit(w, small()...) }},
		{"report.json", func(w io.Writer) error { return report.JSON(w, small()[1]) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := test.write(&b); err != nil {
				t.Fatal(err)
			}
			name := filepath.Join("testdata", test.name)
			if *update {
				if err := os.WriteFile(name, b.Bytes(), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(lines(string(want)), lines(b.String())); diff != "" {
				t.Errorf("%s has changed; if that is wanted, run go test -update (-want +got):\n%s", name, diff)
			}
		})
	}
}

func lines(text string) []string {
	return strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
}

// undecided is a report of a server that kept the suite waiting until the end.
var undecided = conformance.Report{Subject: "slow", Results: []conformance.Result{
	{ID: "SRV-06", Level: "MUST†", Status: conformance.Fail, Evidence: "expected 500, got nothing"},
	{ID: "BODY-08", Level: "MUST", Status: conformance.Skip, Evidence: "after a complete response: not decided: the subject had kept the suite waiting"},
	{ID: "BODY-11", Level: "MUST NOT", Status: conformance.Skip, Evidence: "once after each ending: not decided: no body is closed, which is BODY-08's affair"},
	{ID: "BODY-16", Level: "MAY", Status: conformance.Skip, Evidence: "a permission: there is nothing to break"},
}}

// small returns two reports of few rules: every status, a rule that the
// catalogue does not know, and bytes that XML and JSON cannot hold.
func small() []conformance.Report {
	return []conformance.Report{
		{Subject: "keeper", Version: "1.0", Results: []conformance.Result{
			{ID: "SRV-06", Level: "MUST†", Status: conformance.Pass},
		}},
		{Subject: "./shop.wsgi:app", Version: "<2>", Results: []conformance.Result{
			{ID: "SRV-06", Level: "MUST†", Status: conformance.Fail, Evidence: "expected 500,\n  got \x1b[31m\x00\xff & \u009b]]>\ufffe\u202e𝄞\U000e0001"},
			{ID: "CGI-24", Level: "SHOULD†", Status: conformance.Warn, Evidence: "got \"forged,true\""},
			{ID: "CGI-23", Level: "MUST†", Status: conformance.Skip, Evidence: "it answers nothing"},
			{ID: "NEW-01", Level: "MUST", Status: conformance.Fail},
		}},
	}
}
