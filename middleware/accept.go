package middleware

import (
	"strings"

	"github.com/gowsgi/gowsgi/internal/encodings"
)

// prefersHTML reports whether an Accept (RFC 9110, 12.5.1) asks for HTML by name,
// and likes it no less than JSON. Programs, which accept anything or say nothing,
// do not.
func prefersHTML(accept string) bool {
	html, json := -1, -1
	for element := range elements(accept) {
		name, rest, _ := strings.Cut(element, ";")
		q := 1000
		for parameter := range parameters(rest) {
			if key, _, _ := strings.Cut(parameter, "="); strings.EqualFold(strings.TrimSpace(key), "q") {
				q = encodings.Weight(parameter)
			}
		}
		switch name = strings.ToLower(strings.TrimSpace(name)); {
		case name == "text/html" || name == "application/xhtml+xml":
			html = max(html, q)
		case name == "application/json" || name == "application/problem+json":
			json = max(json, q)
		}
	}
	return html > 0 && html >= json
}
