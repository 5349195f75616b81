package session

import (
	"fmt"
	"strings"
)

// findCookie returns the value of the cookie with the given name in a Cookie
// header, "" when there is none. Names are compared as they are: what decodes a
// name takes %5F%5FHost- for the prefix that it is not. Two cookies of that name
// are refused, unless they are equal: one of them may be somebody else's, set by
// another host of the domain.
func findCookie(header, name string) (value string, err error) {
	found := false
	for pair := range strings.SplitSeq(header, ";") {
		key, v, ok := strings.Cut(strings.Trim(pair, " \t"), "=")
		if !ok || key != name {
			continue
		}
		if len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' {
			v = v[1 : len(v)-1]
		}
		switch {
		case found && v != value:
			return "", &refusal{"it occurs more than once, with different values"}
		case len(v) > mostInCookie:
			return "", &refusal{fmt.Sprintf("it has %d bytes, expected at most %d", len(v), mostInCookie)}
		}
		found, value = true, v
	}
	return value, nil
}

// setCookie returns the header that makes a browser keep value.
func (c *settings) setCookie(value string, seconds int64) string {
	header := c.Name + "=" + value + c.attributes
	if c.Persistent {
		header += fmt.Sprintf("; Max-Age=%d", seconds)
	}
	return header
}

// clearCookie returns the header that makes a browser forget the cookie.
func (c *settings) clearCookie() string {
	return c.Name + "=" + c.attributes + "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
}
