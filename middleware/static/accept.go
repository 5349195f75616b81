package static

import (
	"slices"
	"strings"
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
	weights := map[string]int{}
	for element := range strings.SplitSeq(header, ",") {
		coding, params, _ := strings.Cut(element, ";")
		coding = strings.ToLower(strings.Trim(coding, " \t"))
		if coding == "x-gzip" { // RFC 9110, 8.4.1.3
			coding = "gzip"
		}
		if coding == "*" || coding == "identity" || slices.Contains(offered, coding) {
			weights[coding] = weight(params)
		}
	}
	of := func(coding string) int {
		if q, ok := weights[coding]; ok {
			return q
		}
		return weights["*"]
	}
	var accepted []string
	for _, coding := range offered {
		if q := of(coding); q > 0 && q >= weights["identity"] {
			accepted = append(accepted, coding)
		}
	}
	slices.SortStableFunc(accepted, func(a, b string) int { return of(b) - of(a) })
	return accepted
}

// weight returns the weight that params tell, in thousandths. A malformed one
// is 0: what the client wants is then not known, and the file as it is suits
// every client.
func weight(params string) int {
	params = strings.Trim(params, " \t")
	if params == "" {
		return 1000
	}
	name, value, _ := strings.Cut(params, "=")
	if !strings.EqualFold(strings.TrimRight(name, " \t"), "q") {
		return 0
	}
	value = strings.TrimLeft(value, " \t")
	if value == "" || len(value) > len("0.999") || len(value) > 1 && value[1] != '.' || value[0] != '0' && value[0] != '1' {
		return 0
	}
	q, unit := int(value[0]-'0')*1000, 100
	for i := 2; i < len(value); i++ {
		if value[i] < '0' || value[i] > '9' {
			return 0
		}
		q += int(value[i]-'0') * unit
		unit /= 10
	}
	if q > 1000 {
		return 0
	}
	return q
}
