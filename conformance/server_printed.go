package conformance

import (
	"fmt"
	"regexp"
	"strings"
)

// What a server prints is evidence of less than its log is. A text that is not
// there may be in a file, with syslog, or in a buffer. So a server is said not to
// log something only when the like of it was seen, promptly, before and after; and
// where nothing was seen, the rule is left out.

const (
	noErrorPrinted = "the text of no error is among what the server prints: it logs its errors elsewhere, keeps its log in a buffer, or does not log them"
	notPrompt      = "not decided: the server prints the text of some errors, not of all of their kind, or it does so late"
)

// confirmations is how often a server has to print what it printed once, before
// what it did not print counts as missing. A buffer that has run full by chance
// does not run full so often in a row.
const confirmations = 3

// printsErrors is the probe of ERR-07 for what a server prints.
func (s *serverRun) printsErrors() {
	texts := make([]string, len(errorEndings))
	for i, ending := range errorEndings {
		texts[i] = s.fails(ending)
	}
	log, ok := s.logged(func(log string) bool {
		for _, text := range texts {
			if !strings.Contains(log, text) {
				return false
			}
		}
		return true
	})
	if ok {
		return
	}
	seen := -1
	for i, text := range texts {
		if strings.Contains(log, text) {
			seen = i
		}
	}
	if seen < 0 {
		s.skipf(noErrorPrinted)
	}
	log = s.printsOn(errorEndings[seen])
	for i, text := range texts {
		if !strings.Contains(log, text) {
			s.faultf("expected %s to be in the log with its text, %q; the server printed that of %s, and %d more of those later, and not this one",
				errorEndings[i].name, text, errorEndings[seen].name, confirmations)
		}
	}
}

// printsOn ends a probe when the server does not print, promptly and each time,
// the text of an error of a kind that it has printed before. It returns what was
// printed since onLog: what is not there then is not on its way.
func (s *serverRun) printsOn(ending errorEnding) (log string) {
	for range confirmations {
		text := s.fails(ending)
		var ok bool
		if log, ok = s.logged(func(log string) bool { return strings.Contains(log, text) }); !ok {
			s.skipf(notPrompt)
		}
	}
	return log
}

// printsAnError ends a probe where the server does not print the error of a
// call.
func (s *serverRun) printsAnError() {
	text := s.fails(errorEndings[0])
	if _, ok := s.logged(func(log string) bool { return strings.Contains(log, text) }); !ok {
		s.skipf(noErrorPrinted)
	}
}

// printsNoLeavers is the probe of ERR-15 for what a server prints. A stack trace
// counts when it is one of a client that left, and when each client that leaves
// has one: a trace that comes late is that of an earlier probe.
func (s *serverRun) printsNoLeavers() {
	s.printsAnError()
	var trace string
	for range confirmations {
		s.logFrom = len(s.subject.log())
		s.leave()
		s.printsAnError() // what the server prints of the end is on its way by then
		s.loggedWithin(5*moment, func(log string) bool {
			trace = traceOfLeaver(log)
			return trace != ""
		})
		if trace == "" {
			return
		}
	}
	s.faultf("expected no stack trace in the log when a client leaves, got one each time that %d clients left, the last is %q", confirmations, trace)
}

var (
	pythonTrace = "Traceback (most recent call last)"
	goTrace     = regexp.MustCompile(`goroutine \d+ \[`)

	// clientGone is in the words that systems, languages and servers have for a
	// client that is gone.
	clientGone = regexp.MustCompile(`(?i)broken ?pipe|connection ?(?:was )?(?:reset|aborted|closed)|econnreset|epipe|client ?(?:has )?disconnect|write error`)
)

// traceOfLeaver returns a stack trace of log whose error is that a client has
// left, and "" when there is none.
func traceOfLeaver(log string) string {
	for at := 0; ; {
		i := strings.Index(log[at:], pythonTrace)
		if i < 0 {
			break
		}
		at += i
		if trace := pythonTraceAt(log, at); clientGone.MatchString(lastLine(trace)) && !strings.Contains(trace, "gowsgi_") {
			return trace // and its error is not one of the probe's own connection
		}
		at += len(pythonTrace)
	}
	for _, at := range goTrace.FindAllStringIndex(log, -1) {
		before := log[:at[0]]
		if line := lastLine(before); clientGone.MatchString(line) {
			return line + shorten(log[at[0]:])
		}
	}
	return ""
}

// pythonTraceAt returns the trace whose first line has its text at the given
// place of log: the lines that are indented, and the one with the error behind
// them. A server may put the time and more before each line, of one width.
func pythonTraceAt(log string, at int) string {
	begin := strings.LastIndexByte(log[:at], '\n') + 1
	width, end := at-begin, begin
	for line := range strings.Lines(log[begin:]) {
		end += len(line)
		first := end == begin+len(line)
		if !first && (len(line) <= width || line[width] != ' ') {
			break
		}
	}
	return log[begin:end]
}

// lastLine returns the last line of text that is not empty.
func lastLine(text string) string {
	text = strings.TrimRight(text, "\r\n")
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// escapedNewline is a newline as logs have it that keep a record to a line.
var escapedNewline = regexp.MustCompile(`(?i)\\n|\\012|#012|\\x0a|\\u000a|%0a|&#10;|&#xa;|\x{2424}`)

// tearing is what the probe of LOG-13 writes: requests that write lines at the
// same time, each request with its own letter.
type tearing struct{ mark string }

// No more requests than the shortest queue of connections holds: a server that
// takes one after the other would not accept the last of them.
const tearingRequests, tearingLines, tearingWidth = 4, 80, 100

func (t tearing) payload(request, line int) string {
	return fmt.Sprintf("%s%d-%d-%s-end", t.mark, request, line, t.letters(request))
}

func (t tearing) letters(request int) string {
	return strings.Repeat(string(rune('a'+request)), tearingWidth)
}

// whole returns how many of the lines are in the log as they were written.
func (t tearing) whole(log string) (n int) {
	for request := range tearingRequests {
		for line := range tearingLines {
			if strings.Contains(log, t.payload(request, line)) {
				n++
			}
		}
	}
	return n
}

// torn returns a line of the log in which one line of a request was interrupted
// by that of another, and "" when there is none. A line that lacks its end, or
// has something else in it, may have been cut, or mixed with another stream on
// its way here.
func (t tearing) torn(log string) string {
	for line := range strings.Lines(log) {
		for rest := line; ; {
			_, after, found := strings.Cut(rest, t.mark)
			if !found {
				break
			}
			part, _, another := strings.Cut(after, t.mark)
			if !t.complete(part) && (another || t.mixed(part)) {
				return fmt.Sprintf("%q", shorten(line))
			}
			rest = after
		}
	}
	return ""
}

// complete reports whether part begins with a whole line, as it is behind the
// mark.
func (t tearing) complete(part string) bool {
	numbers, letters, _ := strings.Cut(part, "-")
	_, letters, _ = strings.Cut(letters, "-")
	request := 0
	if _, err := fmt.Sscanf(numbers, "%d", &request); err != nil {
		return false
	}
	return strings.HasPrefix(letters, t.letters(request)+"-end")
}

// mixed reports whether the letters of one request go on with those of another,
// many of them or up to their end: a few may be the beginning of anything.
func (t tearing) mixed(part string) bool {
	_, letters, _ := strings.Cut(part, "-")
	_, letters, _ = strings.Cut(letters, "-")
	if letters == "" || letters[0] < 'a' {
		return false
	}
	rest := strings.TrimLeft(letters, letters[:1])
	if rest == "" || rest[0] < 'a' || rest[0] >= 'a'+tearingRequests {
		return false
	}
	end := strings.TrimLeft(rest, rest[:1])
	return len(rest)-len(end) >= 8 || strings.HasPrefix(end, "-end")
}
