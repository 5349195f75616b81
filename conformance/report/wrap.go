package report

import (
	"strings"
	"unicode/utf8"
)

// wrap returns text, which is one line, as lines of at most width characters,
// each behind indent. It breaks at blanks where it finds some, and within a
// word that is longer than a line, for what servers send has no blanks at all.
// Lines after the first have hang besides.
func wrap(text, indent, hang string, width int) []string {
	var lines []string
	for {
		room := max(width-utf8.RuneCountInString(indent), 8)
		head, rest := breakAt(text, room)
		lines = append(lines, strings.TrimRight(indent+head, " "))
		if rest == "" {
			return lines
		}
		text = rest
		if len(lines) == 1 {
			indent += hang
		}
	}
}

// breakAt divides text behind at most room characters.
func breakAt(text string, room int) (head, rest string) {
	n, end, blank := 0, len(text), -1
	for i, r := range text {
		if n == room {
			end = i
			if r == ' ' {
				blank = i
			}
			break
		}
		if r == ' ' && n > 0 {
			blank = i
		}
		n++
	}
	if end == len(text) {
		return text, ""
	}
	// A blank far to the left would leave most of the line empty.
	if blank > end/2 {
		return text[:blank], strings.TrimLeft(text[blank:], " ")
	}
	end = beforeEscape(text, end)
	return text[:end], text[end:]
}

// beforeEscape returns where to break text instead of at end, which may be
// within an escape such as \xff.
func beforeEscape(text string, end int) int {
	start := strings.LastIndexByte(text[:end], '\\')
	if start <= 0 || text[start-1] == '\\' {
		return end
	}
	length := 2
	switch text[min(start+1, len(text)-1)] {
	case 'x':
		length = len(`\xff`)
	case 'u':
		length = len(`\uffff`)
	case 'U':
		length = len(`\U0010ffff`)
	}
	if start+length > end {
		return start
	}
	return end
}

// pad returns text as exactly width characters.
func pad(text string, width int) string {
	n := utf8.RuneCountInString(text)
	if n <= width {
		return text + strings.Repeat(" ", width-n)
	}
	runes := []rune(text)
	return string(runes[:width-1]) + "…"
}
