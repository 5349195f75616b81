package report_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/conformance/report"
)

// TestJSONIsRead reads the reports back.
func TestJSONIsRead(t *testing.T) {
	for _, want := range append(small(), samples()...) {
		var b bytes.Buffer
		if err := report.JSON(&b, want); err != nil {
			t.Fatal(err)
		}
		for i := range want.Results {
			want.Results[i].Evidence = strings.ReplaceAll(want.Results[i].Evidence, "\xff", `\xff`)
		}
		var got conformance.Report
		if err := json.Unmarshal(b.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		want.Results = withoutRaw(want.Results)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("what was read is not what was written (-want +got):\n%s", diff)
		}
	}
}

// withoutRaw leaves out the evidence that is not UTF-8, which JSON cannot give
// back.
func withoutRaw(results []conformance.Result) []conformance.Result {
	for i, r := range results {
		results[i].Evidence = strings.ToValidUTF8(r.Evidence, "")
	}
	return results
}

// TestJSONShape compares the members with those that other programs rely on.
func TestJSONShape(t *testing.T) {
	var b bytes.Buffer
	if err := report.JSON(&b, conformance.Report{}); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "{\n  \"subject\": \"\",\n  \"version\": \"\",\n  \"results\": []\n}\n"; got != want {
		t.Errorf("an empty report is %q, want %q", got, want)
	}
	b.Reset()
	if err := report.JSON(&b, sample("keeper")); err != nil {
		t.Fatal(err)
	}
	var got struct{ Results []map[string]any }
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for _, r := range got.Results {
		for _, member := range []string{"id", "level", "status", "evidence"} {
			if _, ok := r[member].(string); !ok || len(r) != 4 {
				t.Fatalf("a result is %v, want four strings, %s among them", r, member)
			}
		}
	}
}
