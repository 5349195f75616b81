package wsgi

import (
	"slices"
	"strings"
)

// Header is one field of a response head. Name and Value are native strings:
// their bytes are the bytes on the wire (STR-02).
type Header struct{ Name, Value string }

// Headers is an ordered list of response fields. The same name may occur more
// than once, and the order among equal names is kept (HDR-18). Names are
// compared without regard to ASCII case (HDR-12).
//
// The methods are those of Python's wsgiref.headers.Headers.
type Headers []Header

// Get returns the first value of name, or "" when there is none.
func (h Headers) Get(name string) string {
	for i := range h {
		if equalFold(h[i].Name, name) {
			return h[i].Value
		}
	}
	return ""
}

// Values returns all values of name in order, nil when there is none.
func (h Headers) Values(name string) []string {
	var values []string
	for i := range h {
		if equalFold(h[i].Name, name) {
			values = append(values, h[i].Value)
		}
	}
	return values
}

// Has reports whether name occurs.
func (h Headers) Has(name string) bool {
	for i := range h {
		if equalFold(h[i].Name, name) {
			return true
		}
	}
	return false
}

// Set removes every occurrence of name and adds one with value at the end.
func (h *Headers) Set(name, value string) {
	h.Del(name)
	h.Add(name, value)
}

// SetDefault returns the first value of name; when there is none it adds value
// and returns that.
func (h *Headers) SetDefault(name, value string) string {
	for i := range *h {
		if equalFold((*h)[i].Name, name) {
			return (*h)[i].Value
		}
	}
	h.Add(name, value)
	return value
}

// Add appends a field, beside those that have the same name.
func (h *Headers) Add(name, value string) { *h = append(*h, Header{name, value}) }

// AddParams appends a field whose value has parameters, each a Header of its
// own, such as
//
//	h.AddParams("Content-Disposition", "attachment", wsgi.Header{Name: "filename", Value: "bud.gif"})
//
// An underscore in a parameter's name becomes a hyphen, values are quoted, and
// a parameter with an empty value stands as its name alone.
func (h *Headers) AddParams(name, value string, params ...Header) {
	var b strings.Builder
	b.WriteString(value)
	for _, p := range params {
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		b.WriteString(strings.ReplaceAll(p.Name, "_", "-"))
		if p.Value == "" {
			continue
		}
		b.WriteString(`="`)
		for i := 0; i < len(p.Value); i++ {
			if c := p.Value[i]; c == '"' || c == '\\' {
				b.WriteByte('\\')
			}
			b.WriteByte(p.Value[i])
		}
		b.WriteByte('"')
	}
	h.Add(name, b.String())
}

// Del removes every occurrence of name. It does not change the elements of the
// slice it was called on, which may have been given away.
func (h *Headers) Del(name string) {
	if !h.Has(name) {
		return
	}
	kept := make(Headers, 0, len(*h))
	for _, f := range *h {
		if !equalFold(f.Name, name) {
			kept = append(kept, f)
		}
	}
	*h = kept
}

// Clone returns a copy that shares nothing with h.
func (h Headers) Clone() Headers { return slices.Clone(h) }

// String returns the head's fields as HTTP/1.1 writes them, ended by an empty
// line.
func (h Headers) String() string {
	var b strings.Builder
	for _, f := range h {
		b.WriteString(f.Name)
		b.WriteString(": ")
		b.WriteString(f.Value)
		b.WriteString("\r\n")
	}
	b.WriteString("\r\n")
	return b.String()
}

// equalFold compares ASCII case-insensitively. strings.EqualFold would fold by
// Unicode, where K (U+212A) equals k.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		if a[i] != b[i] && lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}
