package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gowsgi/gowsgi/conformance"
)

// JSON writes r as an object:
//
//	{"subject": …, "version": …, "results": [{"id": …, "level": …, "status": …, "evidence": …}]}
//
// Every result has all four members, and results is never null. Bytes of the
// evidence that are not UTF-8 stand as escapes of Go, such as \xff, for JSON
// has no way to say them. Other characters that are not printable are escapes
// of JSON: the output may be shown on a terminal.
func JSON(w io.Writer, r conformance.Report) error {
	type result struct {
		ID       string             `json:"id"`
		Level    string             `json:"level"`
		Status   conformance.Status `json:"status"`
		Evidence string             `json:"evidence"`
	}
	document := struct {
		Subject string   `json:"subject"`
		Version string   `json:"version"`
		Results []result `json:"results"`
	}{validUTF8(r.Subject), validUTF8(r.Version), []result{}}
	for _, x := range r.Results {
		document.Results = append(document.Results, result{x.ID, x.Level, x.Status, validUTF8(x.Evidence)})
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(document); err != nil {
		return err
	}
	_, err := w.Write(escapeUnprintable(b.Bytes()))
	return err
}

// validUTF8 returns text with each byte that is not UTF-8 as an escape of Go.
func validUTF8(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&b, `\x%02x`, text[0])
		} else {
			b.WriteString(text[:size])
		}
		text = text[size:]
	}
	return b.String()
}

// escapeUnprintable writes what is left of unprintable characters as escapes
// of JSON. In a document they can only be in strings; line ends are those
// between its members, for encoding/json escapes the others.
func escapeUnprintable(document []byte) []byte {
	escaped := make([]byte, 0, len(document))
	for len(document) > 0 {
		r, size := utf8.DecodeRune(document)
		switch {
		case r == '\n' || unicode.IsPrint(r):
			escaped = append(escaped, document[:size]...)
		case r > 0xffff:
			r -= 0x10000
			escaped = fmt.Appendf(escaped, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			escaped = fmt.Appendf(escaped, `\u%04x`, r)
		}
		document = document[size:]
	}
	return escaped
}
