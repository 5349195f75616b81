package cgi

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Form is how the head of a response says its status.
type Form int

const (
	Status Form = iota // as a field: "Status: 200 OK", RFC 3875 section 6.3.3
	HTTP               // as a status line: "HTTP/1.1 200 OK"; uwsgi's
)

// AppendHead appends the head of a response with its blank line. Apache accepts
// a status line over uwsgi only, and there nothing else.
//
// A Location stands before the Status field, as in RFC 3875, section 6.2.4: HAProxy
// takes one that follows for a redirect by 302, whatever the status was.
func AppendHead(b []byte, form Form, status string, headers wsgi.Headers) []byte {
	prefix := "HTTP/1.1 "
	if form == Status {
		prefix = "Status: "
		for i := range headers {
			if isLocation(headers[i].Name) {
				b = appendField(b, &headers[i])
			}
		}
	}
	b = append(b, prefix...)
	b = append(b, status...)
	b = append(b, "\r\n"...)
	for i := range headers {
		if form == HTTP || !isLocation(headers[i].Name) {
			b = appendField(b, &headers[i])
		}
	}
	return append(b, "\r\n"...)
}

func appendField(b []byte, h *wsgi.Header) []byte {
	b = append(b, h.Name...)
	b = append(b, ": "...)
	b = append(b, h.Value...)
	return append(b, "\r\n"...)
}

func isLocation(name string) bool { return len(name) == 8 && strings.EqualFold(name, "Location") }

// Head is the head of a response as a program sent it.
type Head struct {
	Status  string       // such as "200 OK"; the phrase may be empty
	Code    int          // the number in Status
	Headers wsgi.Headers // in order, without Status, and without Location when Local is set
	Length  int64        // Content-Length, -1 for none
	Chunked bool         // the body is in chunks, which only ParseResponse admits

	// Local is the path and query of a local redirect, which the web server
	// answers in the place of the program (RFC 3875, 6.2.2); else "".
	Local string
}

// HeadLen returns how many bytes of b are a head with its blank line, and 0
// when its end is not in b. from is how many bytes of b were looked at before
// in vain.
func HeadLen(b []byte, from int) int {
	for i := max(0, from-2); i < len(b); {
		end := bytes.IndexByte(b[i:], '\n')
		if end < 0 {
			return 0
		}
		i += end + 1
		switch {
		case i == 1, i == 2 && b[0] == '\r': // no line at all before the blank one
			return i
		case i < len(b) && b[i] == '\n':
			return i + 1
		case i+1 < len(b) && b[i] == '\r' && b[i+1] == '\n':
			return i + 2
		}
	}
	return 0
}

// ParseHead parses a head, as long as HeadLen says. It is strict, because what
// it lets through web servers pass on: a name must be a token, a value must
// have no control character, lines do not fold, and what frames a body or says
// the status occurs once.
func ParseHead(head []byte, form Form) (Head, error) { return parseHead(head, form, false) }

func parseHead(head []byte, form Form, chunks bool) (Head, error) {
	h := Head{Length: -1}
	hasStatus, location := false, -1
	for first := true; ; first = false {
		line, rest, ok := bytes.Cut(head, []byte("\n"))
		if !ok {
			return Head{}, errors.New("response head has no end")
		}
		head = rest
		line = bytes.TrimSuffix(line, []byte("\r"))
		if first && form == HTTP {
			if err := h.statusLine(string(line)); err != nil {
				return Head{}, err
			}
			continue
		}
		if len(line) == 0 {
			break
		}
		name, value, err := parseField(string(line))
		if err != nil {
			return Head{}, err
		}
		switch {
		case form == Status && strings.EqualFold(name, "Status"):
			if hasStatus {
				return Head{}, errors.New("Status occurs twice")
			}
			hasStatus = true
			if err := h.setStatus(value); err != nil {
				return Head{}, err
			}
			continue
		case strings.EqualFold(name, "Transfer-Encoding") && chunks && !h.Chunked && strings.EqualFold(value, "chunked"):
			h.Chunked = true
		case strings.EqualFold(name, "Transfer-Encoding"):
			return Head{}, fmt.Errorf("head has Transfer-Encoding %q, expected none of a gateway protocol", value)
		case strings.EqualFold(name, "Content-Length"):
			n, ok := parseLength(value)
			if !ok || h.Length >= 0 {
				return Head{}, fmt.Errorf("Content-Length is %q or occurs twice, expected one number", value)
			}
			h.Length = n
		case strings.EqualFold(name, "Location"):
			if location >= 0 {
				return Head{}, errors.New("Location occurs twice")
			}
			location = len(h.Headers)
		}
		h.Headers.Add(name, value)
	}
	if h.Chunked && h.Length >= 0 {
		return Head{}, errors.New("head has both Content-Length and Transfer-Encoding, expected one")
	}
	if form == Status && !hasStatus {
		h.Status, h.Code = "200 OK", 200
		if location >= 0 { // RFC 3875, 6.2.2 to 6.2.4
			h.Status, h.Code = "302 Found", 302
			if value := h.Headers[location].Value; strings.HasPrefix(value, "/") {
				h.Local = value
				h.Headers = append(h.Headers[:location], h.Headers[location+1:]...)
			}
		}
	}
	return h, nil
}

func parseField(line string) (name, value string, err error) {
	name, value, ok := strings.Cut(line, ":")
	if !ok || !isToken(name) {
		return "", "", fmt.Errorf("expected a header field, got the line %.80q", line)
	}
	value = strings.Trim(value, " \t")
	for i := 0; i < len(value); i++ {
		if c := value[i]; c < 0x20 && c != '\t' || c == 0x7F {
			return "", "", fmt.Errorf("field %s has the control character 0x%02X", name, c)
		}
	}
	return name, value, nil
}

func (h *Head) statusLine(line string) error {
	version, status, ok := strings.Cut(line, " ")
	if !ok || !isProtocol(version) || version == "INCLUDED" {
		return fmt.Errorf("expected a status line, got %.80q", line)
	}
	return h.setStatus(status)
}

// setStatus parses a code and, if there is one, its phrase. An interim status
// is refused: web servers take it for the final one.
func (h *Head) setStatus(status string) error {
	code, phrase, _ := strings.Cut(status, " ")
	n, ok := parseLength(code)
	if !ok || len(code) != 3 || n < 200 {
		return fmt.Errorf("status is %.80q, expected a number from 200 to 999 and a phrase", status)
	}
	h.Code, h.Status = int(n), code+" "+phrase
	for i := 0; i < len(phrase); i++ {
		if c := phrase[i]; c < 0x20 && c != '\t' || c == 0x7F {
			return fmt.Errorf("status %.80q has the control character 0x%02X", status, c)
		}
	}
	return nil
}
