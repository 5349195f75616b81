package conformance

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// How values are shown in faults and transcripts: whatever a subject made of
// them, a line stays a line, and bytes are told from text.

// got shows what came, or the error in its place.
func got(value any, err error) string {
	if err == nil {
		return fmt.Sprint(value)
	}
	return fmt.Sprintf("%v: %s", orNone(value), why(err))
}

// ending shows how a call or a body ended.
func ending(err error) string {
	if err == nil {
		return "no error"
	}
	return fmt.Sprintf("the error %q", err)
}

// why is the text of err, without addresses where time was up.
func why(err error) string {
	if isTimeout(err) {
		return "nothing more came in time"
	}
	return err.Error()
}

// orNone is for values that an error leaves unset.
func orNone(value any) any {
	if r, ok := value.(*wireResponse); ok && r == nil {
		return "no response"
	}
	if value == `""` {
		return "nothing"
	}
	return value
}

// quote shows bytes or text.
func quote[T string | []byte](text T) string { return fmt.Sprintf("%q", shorten(string(text))) }

// shorten cuts text that is too long for a message.
func shorten(s string) string {
	if len(s) > 200 {
		return s[:200] + "..."
	}
	return s
}

// visible makes a line of bytes readable, with its end.
func visible(line string) string {
	more := ""
	if n := len(line); n > 64 && strings.Count(line, line[:1]) == n {
		line, more = line[:1], fmt.Sprintf(" (%d times)", n)
	}
	if len(line) > maxLine {
		line, more = line[:maxLine], fmt.Sprintf("... (%d bytes)", len(line))
	}
	var b strings.Builder
	for _, c := range []byte(line) {
		switch {
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\\':
			b.WriteString(`\\`)
		case c < 0x20 || c > 0x7e:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String() + more
}

// listed shows headers as arguments.
func listed(headers wsgi.Headers) string {
	var b strings.Builder
	for i, h := range headers {
		if i == 4 {
			fmt.Fprintf(&b, ", and %d more", len(headers)-i)
			break
		}
		b.WriteString(", " + visible(shorten(h.Name)+": "+shorten(h.Value)))
	}
	return b.String()
}

// sample shows a block, or its size.
func sample(block []byte) string {
	if len(block) > 60 {
		return fmt.Sprintf("%d bytes", len(block))
	}
	return fmt.Sprintf("%q", block)
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}
