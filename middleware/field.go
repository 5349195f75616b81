package middleware

import (
	"iter"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// headerVariable is the CGI variable of a request header.
func headerVariable(name string) string {
	return "HTTP_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// elements iterates over the elements of a field that is a list (RFC 9110,
// 5.6.1), without blanks around them and without empty ones. A comma in a quoted
// string separates nothing.
func elements(value string) iter.Seq[string] { return split(value, ',') }

// parameters iterates over what semicolons separate.
func parameters(value string) iter.Seq[string] { return split(value, ';') }

func split(value string, separator byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		from, quoted := 0, false
		for i := 0; i <= len(value); i++ {
			switch {
			case i == len(value) || !quoted && value[i] == separator:
				if element := strings.Trim(value[from:i], " \t"); element != "" && !yield(element) {
					return
				}
				from = i + 1
			case value[i] == '"':
				quoted = !quoted
			case quoted && value[i] == '\\' && i+1 < len(value):
				i++
			}
		}
	}
}

// unquote returns the text of a token or of a quoted string (RFC 9110, 5.6.4).
func unquote(s string) (string, bool) {
	if !strings.HasPrefix(s, `"`) {
		return s, isToken(s)
	}
	if len(s) < 2 || s[len(s)-1] != '"' {
		return "", false
	}
	s = s[1 : len(s)-1]
	if strings.IndexByte(s, '\\') < 0 {
		return s, strings.IndexByte(s, '"') < 0
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '"' {
			return "", false
		}
		if s[i] == '\\' {
			if i++; i == len(s) {
				return "", false
			}
		}
		b.WriteByte(s[i])
	}
	return b.String(), true
}

// isToken reports whether s is a token (RFC 9110, 5.6.2).
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// hasElement reports whether a list has an element, in any case of letters.
func hasElement(list, element string) bool {
	for e := range elements(list) {
		if strings.EqualFold(e, element) {
			return true
		}
	}
	return false
}

// addVary adds name to the Vary of headers, which are not shared.
func addVary(headers *wsgi.Headers, name string) {
	first := -1
	for i, h := range *headers {
		if !strings.EqualFold(h.Name, "Vary") {
			continue
		}
		if hasElement(h.Value, name) || hasElement(h.Value, "*") {
			return
		}
		if first < 0 {
			first = i
		}
	}
	if first < 0 || strings.Trim((*headers)[first].Value, " \t") == "" {
		headers.Add("Vary", name)
		return
	}
	(*headers)[first].Value += ", " + name
}
