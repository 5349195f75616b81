package wsgi

import (
	"math"
	"strings"
)

// ParseStatus splits a status such as "404 Not Found" into its code and its
// reason phrase. The form is three digits from 100 to 999, exactly one space,
// and a phrase without control characters and without surrounding blanks; the
// phrase may be empty, its space may not be missing (HDR-01 to HDR-05,
// AMB-13). Any other form is a ContractError.
func ParseStatus(status string) (code int, reason string, err error) {
	if len(status) < 4 || !isDigit(status[0]) || !isDigit(status[1]) || !isDigit(status[2]) {
		return 0, "", broken("HDR-01", "status is %q, expected a code of three digits, a space and a reason phrase", status)
	}
	code = int(status[0]-'0')*100 + int(status[1]-'0')*10 + int(status[2]-'0')
	if status[3] != ' ' {
		return 0, "", broken("HDR-01", "status is %q, expected one space after the code", status)
	}
	if code < 100 {
		return 0, "", broken("HDR-05", "status code is %.3s, expected 100 to 999", status)
	}
	reason = status[4:]
	for i := 0; i < len(reason); i++ {
		if isControl(reason[i]) {
			rule := "HDR-03"
			if c := reason[i]; c == '\r' || c == '\n' {
				rule = "HDR-04"
			}
			return 0, "", broken(rule, "status %q contains the control character 0x%02X", status, reason[i])
		}
	}
	if strings.HasPrefix(reason, " ") {
		return 0, "", broken("HDR-01", "status is %q, expected one space after the code", status)
	}
	if strings.HasSuffix(reason, " ") {
		return 0, "", broken("HDR-02", "status is %q, expected no blank at the end", status)
	}
	return code, reason, nil
}

// Validate checks the fields as a server does inside start_response: every
// name is an HTTP token (HDR-09, HDR-10) and no hop-by-hop name (HDR-13), no
// value contains a control character (HDR-11), and Content-Length occurs at
// most once and is a decimal number (LEN-10, LEN-11). It returns the first
// fault as a ContractError.
func (h Headers) Validate() error {
	seenLength := false
	for i := range h {
		name, value := h[i].Name, h[i].Value
		if err := checkName(name); err != nil {
			return err
		}
		if hasControl(value) {
			return broken("HDR-11", "value of header %s is %q, expected no control character", name, value)
		}
		if len(name) == len("Content-Length") && equalFold(name, "Content-Length") {
			if seenLength {
				return broken("LEN-11", "header Content-Length occurs more than once, expected at most one")
			}
			seenLength = true
			if _, ok := parseLength(value); !ok {
				return broken("LEN-10", "header Content-Length is %q, expected a decimal number", value)
			}
		}
	}
	return nil
}

func checkName(name string) error {
	if name == "" {
		return broken("HDR-09", "header name is empty, expected an HTTP token")
	}
	for i := 0; i < len(name); i++ {
		if !tokenChar[name[i]] {
			rule := "HDR-09"
			if i == len(name)-1 && name[i] == ':' {
				rule = "HDR-10"
			}
			return broken(rule, "header name is %q, expected an HTTP token", name)
		}
	}
	if IsHopByHop(name) {
		return broken("HDR-13", "header %s is hop-by-hop, expected only end-to-end headers from an application", name)
	}
	return nil
}

// IsHopByHop reports whether name is a hop-by-hop field, which an application
// must not send (HDR-13, HDR-14, AMB-08): Connection, Keep-Alive,
// Proxy-Authenticate, Proxy-Authorization, Proxy-Connection, TE, Trailer,
// Trailers, Transfer-Encoding and Upgrade.
func IsHopByHop(name string) bool {
	switch len(name) {
	case 2:
		return equalFold(name, "te")
	case 7:
		return equalFold(name, "trailer") || equalFold(name, "upgrade")
	case 8:
		return equalFold(name, "trailers")
	case 10:
		return equalFold(name, "connection") || equalFold(name, "keep-alive")
	case 16:
		return equalFold(name, "proxy-connection")
	case 17:
		return equalFold(name, "transfer-encoding")
	case 18:
		return equalFold(name, "proxy-authenticate")
	case 19:
		return equalFold(name, "proxy-authorization")
	}
	return false
}

// parseLength parses a Content-Length: digits only, no sign, no blanks.
func parseLength(s string) (n int64, ok bool) {
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) || n > math.MaxInt64/10 {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
		if n < 0 {
			return 0, false
		}
	}
	return n, s != ""
}

// hasControl reports whether one of the characters of s is a control character.
// Every response has its values looked through, so it takes eight at a time: what
// is below 0x20 borrows from its highest bit when 0x20 is subtracted, and 0x7F is
// below 1 once its bits are turned over. A borrow may reach into the next byte and
// make it look guilty as well, but never without a guilty one below it.
func hasControl(s string) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for len(s) >= 8 {
		w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		del := w ^ 0x7F*ones
		if ((w-0x20*ones)&^w|(del-ones)&^del)&highs != 0 {
			return true
		}
		s = s[8:]
	}
	for i := 0; i < len(s); i++ {
		if isControl(s[i]) {
			return true
		}
	}
	return false
}

func isDigit(c byte) bool   { return '0' <= c && c <= '9' }
func isControl(c byte) bool { return c < 0x20 || c == 0x7F }

// tokenChar marks the characters of an RFC 9110 token (section 5.6.2).
var tokenChar = func() (t [256]bool) {
	for c := '0'; c <= '9'; c++ {
		t[c] = true
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c], t[c-'a'+'A'] = true, true
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		t[c] = true
	}
	return t
}()
