package conformance

import (
	"errors"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/gowsgi/gowsgi/wsgi"
)

// checkHead looks at what start_response was called with, and returns the code
// of the status, 0 when it is malformed.
func (c *call) checkHead(status string, headers wsgi.Headers) int {
	code, _, err := wsgi.ParseStatus(status)
	switch {
	case err != nil:
		c.reportBroken(err)
	case code == 100:
		c.report("EXP-08", byApp, "status is %q, expected the server to answer expectations", status)
	case code < 200:
		c.report("HDR-23", byApp, "status is %q, expected a final one", status)
	}
	c.checkEncoding("the status", status)
	lengths := 0
	for i := range headers {
		h := headers[i]
		if err := headers[i : i+1].Validate(); err != nil {
			c.reportHeader(h.Name, err)
			continue
		}
		if !isUsual(h.Name) {
			c.warn("HDR-09", byApp, "header name is %q, which is legal, and refused by other linters", h.Name)
		}
		c.checkEncoding("header "+h.Name, h.Value)
		if c.checkValue(code, h); equalFold(h.Name, "Content-Length") {
			lengths++
		}
	}
	if lengths > 1 {
		c.report("LEN-11", byApp, "header Content-Length occurs %d times, expected at most once", lengths)
	}
	return code
}

// reportBroken reports what package wsgi found.
func (c *call) reportBroken(err error) {
	if broken := (*wsgi.ContractError)(nil); errors.As(err, &broken) {
		c.report(broken.Rule, byApp, "%s", broken.Detail)
	}
}

// reportHeader is reportBroken for a header. Of the hop-by-hop ones, those have
// rules of their own that ask for something that a server alone may do.
func (c *call) reportHeader(name string, err error) {
	rule := ""
	if wsgi.IsHopByHop(name) {
		switch strings.ToLower(name) {
		case "connection", "keep-alive", "proxy-connection":
			rule = "HDR-14"
		case "transfer-encoding":
			rule = "LEN-09"
		case "upgrade", "trailer", "trailers":
			rule = "HTTP-05"
		}
	}
	if rule == "" {
		c.reportBroken(err)
		return
	}
	c.report(rule, byApp, "header %s is the server's, expected only end-to-end headers from an application", name)
}

// checkValue looks at what a header means.
func (c *call) checkValue(code int, h wsgi.Header) {
	switch {
	case equalFold(h.Name, "Status"):
		c.report("HDR-19", byApp, "there is a header Status: %q, expected the status as an argument", h.Value)
	case equalFold(h.Name, "Content-Type") && (code == 204 || code == 304):
		c.report("HDR-20", byApp, "a %d response has Content-Type %q, expected none", code, h.Value)
	case equalFold(h.Name, "Content-Length") && code == 204:
		c.report("HDR-24", byApp, "a 204 response has Content-Length %q, expected none", h.Value)
	case equalFold(h.Name, "ETag") && !isEntityTag(h.Value):
		c.report("HDR-24", byApp, `ETag is %q, expected a quoted string, perhaps after W/`, h.Value)
	case equalFold(h.Name, "Location") && !isReference(h.Value):
		c.report("HDR-24", byApp, "Location is %q, expected a URL", h.Value)
	}
}

// checkEncoding warns of text whose author seems to have taken it for
// characters: in Latin-1 the bytes of UTF-8 are legal, and mean something else.
func (c *call) checkEncoding(what, text string) {
	for i := 0; i < len(text); i++ {
		if text[i] >= utf8.RuneSelf {
			if utf8.ValidString(text) && strings.ContainsFunc(text, func(r rune) bool { return r > 0xFF }) {
				c.warn("STR-04", byApp, "%s is %q, whose bytes are UTF-8, expected Latin-1", what, text)
			}
			return
		}
	}
}

// isUsual reports whether name, which is an HTTP token, is a letter and then
// letters, digits, hyphens and underscores, the last of which is none of those
// two: what Python's wsgiref.validate accepts.
func isUsual(name string) bool {
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case 'a' <= c|0x20 && c|0x20 <= 'z':
		case i == 0:
			return false
		case '0' <= c && c <= '9':
		case c != '-' && c != '_' || i == len(name)-1:
			return false
		}
	}
	return true
}

// isEntityTag reports whether s is an entity-tag of RFC 9110, 8.8.3.
func isEntityTag(s string) bool {
	s = strings.TrimPrefix(s, "W/")
	return len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' && !strings.ContainsAny(s[1:len(s)-1], "\" ")
}

// isReference reports whether s may be a URL, relative or not.
func isReference(s string) bool {
	_, err := url.Parse(s)
	return err == nil && s != "" && !strings.Contains(s, " ")
}

// equalFold compares a header's name with one that is spelt in ASCII.
func equalFold(name, with string) bool {
	return len(name) == len(with) && strings.EqualFold(name, with)
}
