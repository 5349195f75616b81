package conformance

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gowsgi/gowsgi/internal/requirements"
)

// told is a testing.TB that keeps what it is told.
type told struct {
	testing.TB
	failed bool
	text   string
}

func (t *told) Helper()           {}
func (t *told) Log(args ...any)   { t.text += fmt.Sprint(args...) }
func (t *told) Error(args ...any) { t.failed = true; t.Log(args...) }

// TestReport looks at what a user reads, and at what Lenient forgives.
func TestReport(t *testing.T) {
	found := result{faults: []string{"expected this, got that"}, firm: true, proof: "expected this, got that\nsent:\n  x\\n"}
	reading := found
	reading.firm = false
	tests := []struct {
		name   string
		suite  Suite
		rule   string
		result result
		failed bool
		starts string
	}{
		{"nothing found", Suite{}, "START-14", result{}, false, ""},
		{"MUST", Suite{}, "START-14", found, true, "START-14 (MUST): "},
		{"MUST forgives nothing", Suite{Lenient: true}, "START-14", found, true, "START-14 (MUST): "},
		{"SHOULD", Suite{}, "LEN-02", found, true, "LEN-02 (SHOULD): "},
		{"SHOULD forgiven", Suite{Lenient: true}, "LEN-02", found, false, "LEN-02 (SHOULD): "},
		{"a reading", Suite{}, "ERR-16", reading, true, "ERR-16 (MUST†): "},
		{"a reading forgiven", Suite{Lenient: true}, "ERR-16", reading, false, "ERR-16 (MUST†): "},
		{"a reading of an emphasised MUST", Suite{Lenient: true}, "START-06", reading, false, "START-06 (MUST NOT): "},
		{"more than a reading", Suite{Lenient: true}, "ERR-16", found, true, "ERR-16 (MUST†): "},
		{"SHOULD NOT forgiven", Suite{Lenient: true}, "LEN-01", found, false, "LEN-01 (SHOULD NOT): "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := new(told)
			tt.suite.report(got, tt.rule, tt.result)
			if got.failed != tt.failed || !strings.HasPrefix(got.text, tt.starts) {
				t.Errorf("failed is %t and the text %q, expected %t and %q", got.failed, got.text, tt.failed, tt.starts)
			}
			if tt.starts == "" {
				return
			}
			row, _ := requirements.ByID(tt.rule)
			want := tt.starts + row.Text + "\n  expected this, got that\n  sent:\n    x\\n"
			if diff := cmp.Diff(want, got.text); diff != "" {
				t.Errorf("text differs (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTry sees that a probe ends, whatever its subject does.
func TestTry(t *testing.T) {
	tests := []struct {
		name string
		run  func(p *probing, _ int)
		want string
	}{
		{"sound", func(*probing, int) {}, ""},
		{"fault", func(p *probing, _ int) { p.faultf("broken") }, "broken"},
		{"enough", func(p *probing, _ int) { p.fatalf("broken"); p.faultf("not this") }, "broken"},
		{"panic", func(*probing, int) { panic("subject") }, "expected the probe to end, it panicked: subject"},
		{"hang", func(p *probing, _ int) { (&gate{opened: make(chan struct{}), patience: time.Second}).wait() }, "expected the probe to end, it was still waiting"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := probe[int]{"START-14", tt.name, tt.run}.try(t.Context(), 0, 10*time.Millisecond)
			got := strings.Join(r.faults, "; ")
			if !strings.HasPrefix(got, tt.want) || tt.want == "" && got != "" || len(r.faults) > 1 {
				t.Errorf("faults are %q, expected one that begins with %q", r.faults, tt.want)
			}
		})
	}
}

// TestNames sees that every probe is named after a row that carries a test,
// and that no two have one name.
func TestNames(t *testing.T) {
	var names []string
	for _, p := range serverProbes() {
		names = append(names, "TestServer/"+p.String())
	}
	for _, p := range middlewareProbes {
		names = append(names, "TestMiddleware/"+p.String())
	}
	for _, p := range applicationProbes {
		names = append(names, "TestApplication/"+p.String())
	}
	seen := make(map[string]bool)
	for _, name := range names {
		id := strings.Split(name, "/")[1]
		if row, ok := requirements.ByID(id); !ok || row.Word() == "" || row.Word() == "MAY" {
			t.Errorf("%s: %s is not a row that can be broken", name, id)
		}
		if seen[name] {
			t.Errorf("%s: the name occurs twice", name)
		}
		seen[name] = true
	}
}
