package middleware

import (
	"strconv"
	"strings"
)

// byteRange is a part of a body.
type byteRange struct{ from, length int64 }

// contentRange is the value of Content-Range for r of size bytes.
func (r byteRange) contentRange(size int64) string {
	return "bytes " + strconv.FormatInt(r.from, 10) + "-" + strconv.FormatInt(r.from+r.length-1, 10) + "/" + strconv.FormatInt(size, 10)
}

// mostRanges is how many parts are sent in one response. Each costs a head of
// its own, and a request of a few kilobytes could ask for hundreds.
const mostRanges = 16

// parseRange parses a Range header for a body of size bytes. ok is false where
// the header is to be ignored: another unit, a malformed list, and more than
// anybody wants, which is too many parts or parts that are more than the whole.
// When ok is true and there are none, none of the ranges can be satisfied (RFC
// 9110, 14.1.2 and 14.2).
func parseRange(header string, size int64) (ranges []byteRange, ok bool) {
	unit, list, found := strings.Cut(header, "=")
	if !found || !strings.EqualFold(unit, "bytes") || size == 0 {
		return nil, false
	}
	parts, total := 0, int64(0)
	for element := range strings.SplitSeq(list, ",") {
		element = strings.Trim(element, " \t")
		if element == "" {
			continue
		}
		if parts++; parts > mostRanges {
			return nil, false
		}
		first, last, dash := strings.Cut(element, "-")
		if !dash {
			return nil, false
		}
		var r byteRange
		if first == "" { // the last bytes
			n, ok := parsePosition(last)
			if !ok {
				return nil, false
			}
			n = min(n, size)
			r = byteRange{size - n, n}
		} else {
			from, ok := parsePosition(first)
			if !ok {
				return nil, false
			}
			to := size - 1
			if last != "" {
				if to, ok = parsePosition(last); !ok || to < from {
					return nil, false
				}
				to = min(to, size-1)
			}
			r = byteRange{from, to - from + 1}
		}
		if r.from < size && r.length > 0 {
			ranges = append(ranges, r)
			total += r.length
		}
	}
	if parts == 0 || total > size {
		return nil, false
	}
	return ranges, true
}

// parsePosition parses digits. What is more than an int64 holds is far beyond
// every end.
func parsePosition(s string) (int64, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		n = 1<<63 - 1
	}
	return n, true
}
