package encodings

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWeigh(t *testing.T) {
	offered := []string{"br", "gzip"}
	tests := []struct {
		name, header string
		want         []int
	}{
		{"nothing", "", []int{0, 0}},
		{"one", "gzip", []int{0, 1000}},
		{"in another case", "GZip", []int{0, 1000}},
		{"by its old name", "X-Gzip", []int{0, 1000}},
		{"no other has an old name", "x-br", []int{0, 0}},
		{"both", "gzip;q=0.5, br;q=0.25", []int{250, 500}},
		{"blanks", " gzip ; Q = 0.5\t,br ;q=1.000", []int{1000, 500}},
		{"refused", "gzip;q=0, br;q=0.000", []int{0, 0}},
		{"the others", "*;q=0.5, br", []int{1000, 500}},
		{"refused, and the others", "*, br;q=0", []int{0, 1000}},
		{"less than identity", "br;q=0.4, gzip;q=0.5, identity;q=0.5", []int{0, 500}},
		{"the last word counts", "br;q=0.4, br", []int{1000, 0}},
		{"empty elements", ",, br,", []int{1000, 0}},
		{"unknown", "zstd", []int{0, 0}},
		{"too much", "br;q=1.001, gzip;q=2", []int{0, 0}},
		{"too exact", "br;q=0.0001", []int{0, 0}},
		{"no number", "br;q=a, gzip;q=", []int{0, 0}},
		{"every digit", "br;q=0.905, gzip;q=0.99", []int{905, 990}},
		{"no digits", "br;q=0.a, gzip;q=0.1/", []int{0, 0}},
		{"numbers of programs", "br;q=1e0, gzip;q=+1", []int{0, 0}},
		{"another parameter", "br;level=1, gzip;q=1;level=1", []int{0, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := []int{7, 7}
			Weigh(tt.header, offered, got)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("weights (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzWeight: whatever the parameters are, a weight is one.
func FuzzWeight(f *testing.F) {
	for _, seed := range []string{"", "q=1", "q=0.5", "q=1.000", "q=", "q=1.001", ";q", "q=0.", "q=0x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, parameters string) {
		if w := Weight(parameters); w < 0 || w > 1000 {
			t.Errorf("the weight of %q is %d", parameters, w)
		}
	})
}
