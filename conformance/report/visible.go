package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// visible returns text as one line that acts on nothing: what is not printable
// stands as an escape of Go, such as \n or \x1b, and so do bytes that are not
// UTF-8. That holds for the characters that reorder text, too, which would let
// evidence say something else than it does.
func visible(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		text = text[size:]
	}
	return b.String()
}

// evidenceLines returns the lines of evidence, each of them visible. Lines that
// repeat the one before are counted.
func evidenceLines(evidence string) []string {
	var lines []string
	last, times := "", 0
	for line := range strings.SplitSeq(strings.TrimRight(evidence, "\n"), "\n") {
		line = strings.TrimRight(visible(line), " ")
		if times > 0 && line == last {
			times++
			lines[len(lines)-1] = fmt.Sprintf("%s (%d times)", last, times)
			continue
		}
		lines = append(lines, line)
		last, times = line, 1
	}
	if len(lines) == 1 && lines[0] == "" {
		return nil
	}
	return lines
}

// cut returns at most n bytes of text, which is visible already, and says how
// much is missing.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return fmt.Sprintf("%s… (%d bytes more)", text[:n], len(text)-n)
}
