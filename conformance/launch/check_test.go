package launch

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/conformance"
)

// TestPresets checks each server that is installed.
func TestPresets(t *testing.T) {
	for _, p := range Presets() {
		t.Run(p.Name, func(t *testing.T) {
			begin := time.Now()
			r, err := Check(t.Context(), conformance.Suite{}, p.Name, Options{})
			if err != nil {
				if os.Getenv("GOWSGI_PEERS") == "require" {
					t.Fatal(err)
				}
				t.Skip(err)
			}
			t.Logf("%s %s: %d pass, %d fail, %d warn, %d skip in %v", r.Subject, r.Version, r.Count(conformance.Pass), r.Count(conformance.Fail), r.Count(conformance.Warn), r.Count(conformance.Skip), time.Since(begin))
			for _, x := range r.Results {
				if x.Status == conformance.Fail || x.Status == conformance.Warn {
					first, _, _ := strings.Cut(x.Evidence, "\n")
					t.Logf("%s %s: %.200s", x.ID, x.Status, first)
				}
			}
		})
	}
}
