package static

import (
	"math"
	"strings"
)

// span is a part of a file, in bytes.
type span struct{ start, length int64 }

func (s span) end() int64 { return s.start + s.length }

// mostRanges is how many ranges a request may ask for. More are ignored, and the
// answer is the whole file (RFC 9110, 14.2).
const mostRanges = 16

// nearby is how many bytes between two ranges are sent rather than a further
// head of a part.
const nearby = 80

// parseRange returns the parts of a file of size bytes that header, the value
// of Range, asks for, in its order and without overlap: so their sum is never
// more than the file, however often one is asked for. ok is false when the header
// is to be ignored: it is malformed, has another unit, or asks for too many. No
// parts and ok mean that none of them is in the file.
func parseRange(header string, size int64) (spans []span, ok bool) {
	unit, set, found := strings.Cut(header, "=")
	if !found || !strings.EqualFold(strings.Trim(unit, " \t"), "bytes") || size == 0 {
		return nil, false
	}
	count := 0
	for spec := range strings.SplitSeq(set, ",") {
		spec = strings.Trim(spec, " \t")
		if spec == "" {
			continue // a list may have empty elements (RFC 9110, 5.6.1)
		}
		if count++; count > mostRanges {
			return nil, false
		}
		s, valid := parseSpec(spec, size)
		if !valid {
			return nil, false
		}
		if s.length > 0 {
			spans = coalesce(spans, s)
		}
	}
	return spans, count > 0
}

// parseSpec parses one of "first-last", "first-" and "-count". A length of 0
// means that no byte of the file is in it.
func parseSpec(spec string, size int64) (s span, ok bool) {
	before, after, found := strings.Cut(spec, "-")
	if !found {
		return span{}, false
	}
	first, okFirst := parseNumber(before)
	last, okLast := parseNumber(after)
	switch {
	case before == "" && okLast: // the last bytes
		n := min(last, size)
		return span{size - n, n}, true
	case !okFirst || !okLast && after != "":
		return span{}, false
	case after == "":
		last = math.MaxInt64
	case last < first:
		return span{}, false
	}
	if first >= size {
		return span{}, true
	}
	return span{first, min(last, size-1) - first + 1}, true
}

// parseNumber parses digits. What is too large for an int64 is the largest.
func parseNumber(s string) (n int64, ok bool) {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		if n > (math.MaxInt64-9)/10 {
			n = math.MaxInt64
		} else {
			n = n*10 + int64(c-'0')
		}
	}
	return n, s != ""
}

// coalesce adds s to spans. Those that it overlaps, or nearly touches, become
// one with it, in the place of the first of them.
func coalesce(spans []span, s span) []span {
	at := -1
	kept := spans[:0]
	for _, other := range spans {
		if s.start > other.end()+nearby || other.start > s.end()+nearby {
			kept = append(kept, other)
			continue
		}
		if at < 0 {
			at = len(kept)
			kept = append(kept, span{}) // its place
		}
		start, end := min(s.start, other.start), max(s.end(), other.end())
		s = span{start, end - start}
	}
	if at < 0 {
		return append(kept, s)
	}
	kept[at] = s
	return kept
}
