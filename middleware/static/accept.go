package static

import (
	"slices"

	"github.com/gowsgi/gowsgi/internal/encodings"
)

// suffixes are those of compressed files by their content coding.
var suffixes = map[string]string{"br": ".br", "gzip": ".gz", "zstd": ".zst"}

// negotiate returns those of the offered codings that header, the value of
// Accept-Encoding, wants at least as much as the file as it is, best first; of
// those that it wants equally, in the order of offered.
func negotiate(header string, offered []string) []string {
	if header == "" || len(offered) == 0 {
		return nil
	}
	weights := make([]int, len(offered))
	encodings.Weigh(header, offered, weights)
	weight := func(coding string) int { return weights[slices.Index(offered, coding)] }
	accepted := slices.DeleteFunc(slices.Clone(offered), func(coding string) bool { return weight(coding) == 0 })
	slices.SortStableFunc(accepted, func(a, b string) int { return weight(b) - weight(a) })
	return accepted
}
