package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/conformance/report"
)

// junitElements are the elements that the importers know: what may be in them,
// and the attributes that they need.
var junitElements = map[string]struct{ children, attributes []string }{
	"":           {[]string{"testsuites"}, nil},
	"testsuites": {[]string{"testsuite"}, []string{"tests", "failures", "errors", "skipped", "time"}},
	"testsuite":  {[]string{"properties", "testcase"}, []string{"name", "tests", "failures", "errors", "skipped", "time"}},
	"properties": {[]string{"property"}, nil},
	"property":   {nil, []string{"name", "value"}},
	"testcase":   {[]string{"failure", "skipped", "system-out"}, []string{"classname", "name", "time"}},
	"failure":    {nil, []string{"message", "type"}},
	"skipped":    {nil, []string{"message"}},
	"system-out": {nil, nil},
}

// countsOf are the elements that an attribute counts.
var countsOf = map[string]string{"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}

// checkJUnit returns what an importer would stumble over.
func checkJUnit(document []byte) error {
	type open struct {
		name   string
		counts map[string]int // of the attributes, less what was found
	}
	stack := []open{{name: ""}}
	for d := xml.NewDecoder(bytes.NewReader(document)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			parent := stack[len(stack)-1]
			name := token.Name.Local
			if !slices.Contains(junitElements[parent.name].children, name) {
				return fmt.Errorf("<%s> is in <%s>", name, parent.name)
			}
			counts := make(map[string]int)
			for _, attribute := range junitElements[name].attributes {
				i := slices.IndexFunc(token.Attr, func(a xml.Attr) bool { return a.Name.Local == attribute })
				if i < 0 {
					return fmt.Errorf("<%s> has no %s", name, attribute)
				}
				if element := countsOf[attribute]; element != "" {
					n, err := strconv.Atoi(token.Attr[i].Value)
					if err != nil {
						return err
					}
					counts[element] = n
				}
			}
			for _, above := range stack {
				if above.counts != nil {
					above.counts[name]--
				}
			}
			stack = append(stack, open{name, counts})
		case xml.EndElement:
			top := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if !strings.HasPrefix(top.name, "testsuite") {
				continue
			}
			for _, element := range countsOf {
				if n := top.counts[element]; n != 0 {
					return fmt.Errorf("<%s> says that it has %d more <%s> than it has", top.name, n, element)
				}
			}
		}
	}
	return nil
}

func TestJUnit(t *testing.T) {
	var b bytes.Buffer
	if err := report.JUnit(&b, append(small(), samples()...)...); err != nil {
		t.Fatal(err)
	}
	if err := checkJUnit(b.Bytes()); err != nil {
		t.Error(err)
	}
	for _, r := range append(small(), samples()...) {
		if want := fmt.Sprintf(`tests="%d" failures="%d" errors="0" skipped="%d"`, len(r.Results), r.Count(conformance.Fail), r.Count(conformance.Skip)); !strings.Contains(b.String(), want) {
			t.Errorf("the report of %s does not count %s", r.Subject, want)
		}
	}
}

// TestJUnitIsChecked makes sure that the faults are found.
func TestJUnitIsChecked(t *testing.T) {
	var b bytes.Buffer
	if err := report.JUnit(&b, small()...); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ old, new, want string }{
		{`failures="2"`, `failures="1"`, "<testsuite"},
		{`tests="4"`, `tests="5"`, "<testsuite> says"},
		{`classname="conformance.keeper.SRV" `, ``, "no classname"},
		{`<system-out>`, `<failure><system-out>`, "has no message"},
		{`</testsuites>`, ``, "EOF"},
	} {
		broken := strings.Replace(b.String(), test.old, test.new, 1)
		if err := checkJUnit([]byte(broken)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("with %q instead of %q the error is %v, want %q in it", test.new, test.old, err, test.want)
		}
	}
}

// TestJUnitByXMLLint asks a parser that is not ours.
func TestJUnitByXMLLint(t *testing.T) {
	path, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("there is no xmllint: ", err)
	}
	if out, err := exec.Command(path, "--noout", filepath.Join("testdata", "junit.xml")).CombinedOutput(); err != nil {
		t.Errorf("xmllint: %v\n%s", err, out)
	}
}
