package main

import "strings"

// isOpenList reports whether a line begins a list that goes on in the next one.
func isOpenList(line string) bool {
	_, setting, _ := strings.Cut(line, "=")
	_, rest, ok := readList(strings.TrimSpace(setting))
	return ok && rest == unended && !strings.HasPrefix(strings.TrimSpace(line), "#")
}

// unended is what readList says is behind a list without an end.
const unended = "[..."

// readList reads a list of Python, of texts in quotes and with comments, which is what
// gunicorn's files have for options that may be given several times. isList is false for
// anything else that begins with a bracket, such as [::1]:8000. rest is what follows, or
// what cannot be read.
func readList(text string) (items []string, rest string, isList bool) {
	if text == "" || text[0] != '[' && text[0] != '(' {
		return nil, "", false
	}
	end := map[byte]byte{'[': ']', '(': ')'}[text[0]]
	text = text[1:]
	for comma := true; ; {
		text = strings.TrimLeft(text, " \t\r\n")
		switch {
		case text == "":
			return items, unended, true
		case text[0] == '#':
			_, text, _ = strings.Cut(text, "\n")
		case text[0] == end:
			return items, text[1:], true
		case text[0] == ',' && !comma:
			comma, text = true, text[1:]
		case (text[0] == '"' || text[0] == '\'') && comma:
			item, behind, closed := strings.Cut(text[1:], text[:1])
			if !closed {
				return items, text, true
			}
			items, comma, text = append(items, item), false, behind
		default:
			return items, text, len(items) > 0
		}
	}
}
