package audit

import (
	"fmt"
	"testing"
)

// heard is a test that notes what is reported.
type heard struct {
	testing.TB
	errors []string
}

func (h *heard) Helper() {}

func (h *heard) Errorf(format string, args ...any) {
	h.errors = append(h.errors, fmt.Sprintf(format, args...))
}

func TestCheck(t *testing.T) {
	tests := Tests{Folders: map[string]string{"audit": "."}}
	for name, want := range map[string]string{
		"audit.TestCheck":                   "",
		"audit.TestCheck/a case of many":    "",
		"audit.TestGone":                    "why: there is no test audit.TestGone",
		"audit.TestCheck/" + "no " + "such": `why: audit.TestCheck has no case "no such"`,
		"audit.heard":                       "why: there is no test audit.heard",
	} {
		h := &heard{TB: t}
		tests.Check(h, "why", name)
		if got := fmt.Sprint(h.errors); got != "["+want+"]" {
			t.Errorf("%s: reported %s, expected %q", name, got, want)
		}
	}
	_ = "a case of many"
}
