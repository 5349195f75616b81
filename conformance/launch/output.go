package launch

import (
	"io"
	"slices"
	"strings"
	"sync"
)

// tail keeps the end of what a command prints: it may print megabytes, and an
// error message has room for lines.
type tail struct {
	also io.Writer // receives everything, unless it is nil

	mu    sync.Mutex
	bytes []byte
	cut   bool // whether there was more before bytes
}

// The end of the output that is kept, and what of it a message shows.
const (
	tailBytes = 16 << 10
	tailLines = 20
	lineBytes = 300
)

// Write keeps p, or the end of it. It never fails: a command must not notice
// what becomes of its output.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bytes = append(t.bytes, p...)
	if extra := len(t.bytes) - tailBytes; extra > 0 {
		t.bytes = append(t.bytes[:0], t.bytes[extra:]...)
		t.cut = true
	}
	if t.also != nil {
		t.also.Write(p)
	}
	return len(p), nil
}

// printed keeps what a command prints, all of its processes one after the other,
// for the probes that look at logs.
type printed struct {
	mu    sync.Mutex
	bytes []byte // never changed, only added to
}

// maxPrinted is how much is kept. A command that prints more has nothing more to
// say: what the probes do not find, they leave undecided.
const maxPrinted = 64 << 20

// Write keeps p while there is room, and never fails.
func (o *printed) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.bytes = append(o.bytes, p[:min(len(p), maxPrinted-len(o.bytes))]...)
	return len(p), nil
}

// all returns what was kept up to now, for reading alone. It is cheap: probes
// ask again and again.
func (o *printed) all() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clip(o.bytes)
}

// contains reports whether one of the texts, in lower case, is in what was kept.
func (t *tail) contains(texts ...string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := strings.ToLower(string(t.bytes))
	for _, text := range texts {
		if strings.Contains(all, text) {
			return true
		}
	}
	return false
}

// String returns the last lines, without what a terminal would act on.
func (t *tail) String() string {
	t.mu.Lock()
	text, cut := string(t.bytes), t.cut
	t.mu.Unlock()
	if cut { // its first line has lost its beginning
		if _, rest, ok := strings.Cut(text, "\n"); ok {
			text = rest
		}
	}
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if len(line) > lineBytes {
			line = line[:lineBytes] + "..."
		}
		if strings.TrimSpace(line) != "" {
			lines = append(lines, strings.ToValidUTF8(strings.Map(printable, line), "?"))
		}
	}
	if extra := len(lines) - tailLines; extra > 0 {
		lines = lines[extra:]
	}
	return strings.Join(lines, "\n")
}

func printable(r rune) rune {
	switch {
	case r == '\t':
		return ' '
	case r < ' ' || r >= 0x7f && r < 0xa0:
		return -1
	}
	return r
}
