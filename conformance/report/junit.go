package report

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/gowsgi/gowsgi/conformance"
)

// The elements of a JUnit report, as far as Jenkins, GitLab and the importers
// for GitHub agree on them.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		ClassName string        `xml:"classname,attr"`
		Name      string        `xml:"name,attr"`
		Time      string        `xml:"time,attr"`
		Failure   *junitProblem `xml:"failure"`
		Skipped   *junitProblem `xml:"skipped"`
		SystemOut string        `xml:"system-out,omitempty"`
	}
	junitProblem struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// noTime is the time that everything has taken. A report has no times, but
// importers make nonsense of an attribute that is missing.
const noTime = "0"

// JUnit writes reports as JUnit XML. A report is a suite, and a rule a test
// case; its name is the id alone, so that a history stays one when the wording
// of the rule changes.
//
// A broken MUST is a failure, and a rule that was not looked at is skipped. The
// format has no warnings: a broken SHOULD is a case that passes, with what was
// found as its output; Strict makes a failure of it.
func JUnit(w io.Writer, reports ...conformance.Report) error {
	all := junitSuites{Name: "gowsgi check", Time: noTime}
	for _, r := range reports {
		s := junitReport(r)
		all.Tests += s.Tests
		all.Failures += s.Failures
		all.Skipped += s.Skipped
		all.Suites = append(all.Suites, s)
	}
	document, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, document)
	return err
}

func junitReport(r conformance.Report) junitSuite {
	subject, version := visible(r.Subject), visible(r.Version)
	s := junitSuite{
		Name: strings.TrimSpace(subject + " " + version),
		Time: noTime,
		Properties: []junitProperty{
			{"subject", subject},
			{"version", version},
		},
	}
	// Jenkins takes what is before the last dot for a package.
	class := "conformance." + strings.ReplaceAll(subject, ".", "_")
	if subject == "" {
		class = "conformance"
	}
	for _, g := range arrange([]conformance.Report{r}) {
		for _, row := range g.rows {
			result := row.results[0]
			message := fmt.Sprintf("%s (%s): %s", visible(result.ID), visible(result.Level), row.rule.Text)
			lines := evidenceLines(result.Evidence)
			evidence := strings.Join(lines, "\n")
			c := junitCase{ClassName: class + "." + visible(g.id), Name: visible(result.ID), Time: noTime}
			switch result.Status {
			case conformance.Pass:
			case conformance.Fail:
				c.Failure = &junitProblem{Message: message, Type: cmp.Or(visible(result.Level), string(result.Status)), Text: evidence}
				s.Failures++
			case conformance.Warn:
				c.SystemOut = fmt.Sprintf("Warning: %s\n%s", message, evidence)
			default:
				c.Skipped = &junitProblem{Message: strings.Join(lines, "; ")}
				s.Skipped++
			}
			s.Tests++
			s.Cases = append(s.Cases, c)
		}
	}
	return s
}
