package conformance

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/gowsgi/gowsgi/wsgi"
)

// A transcript is what happened while a probe was at work, kept so that a
// fault can be proved: an exchange for each application that the probe put
// into its place. No probe writes into it; connections, start_response, write
// and recorded bodies do.
type transcript struct {
	mu        sync.Mutex
	exchanges []*exchange
}

// exchange is what one application of the probe did, and what was on the wire
// meanwhile.
type exchange struct {
	mu     sync.Mutex
	title  string // of the events
	events []event
	more   int // events that were left out after the first keptEvents
	wires  []*wire
}

// Bounds of what a message shows. The beginning of a thing and its end tell
// more than its middle.
const (
	maxEvents  = 30
	keptEvents = 20
	maxWires   = 2
	maxShown   = 2 // exchanges
	maxFaults  = 5
	maxLines   = 16
	maxLine    = 160
	maxSegment = 2 << 10 // bytes

	maxSegments = 8
	keptFirst   = 3
)

// begin starts an exchange whose events have the given title.
func (t *transcript) begin(title string) *exchange {
	t.mu.Lock()
	defer t.mu.Unlock()
	x := &exchange{title: title}
	t.exchanges = append(t.exchanges, x)
	return x
}

// current returns the exchange that was begun last.
func (t *transcript) current() *exchange {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.exchanges) == 0 {
		t.exchanges = append(t.exchanges, &exchange{})
	}
	return t.exchanges[len(t.exchanges)-1]
}

// note adds an event.
func (x *exchange) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	x.mu.Lock()
	defer x.mu.Unlock()
	if n := len(x.events); n > 0 && x.events[n-1].text == text {
		x.events[n-1].times++
		return
	}
	if len(x.events) == maxEvents {
		x.more += x.events[keptEvents].times
		x.events = slices.Delete(x.events, keptEvents, keptEvents+1)
	}
	x.events = append(x.events, event{text, 1})
}

// event is what happened once or several times in turn.
type event struct {
	text  string
	times int
}

// wire is what was sent and received on one connection, in turns.
type wire struct {
	mu       sync.Mutex
	segments []segment
	more     int // that were left out after the first keptFirst
}

// segment is what one side said without a word of the other.
type segment struct {
	name string // "sent", "received", or a remark that stands for itself
	data []byte // at most maxSegment
	size int    // of all of it
}

func (x *exchange) wire() *wire {
	w := new(wire)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.wires = append(x.wires, w)
	return w
}

// says adds to what one side said.
func (w *wire) says(name string, data []byte) {
	if len(data) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.segments); n == 0 || w.segments[n-1].name != name {
		w.append(segment{name: name})
	}
	last := &w.segments[len(w.segments)-1]
	room := max(0, maxSegment-len(last.data))
	last.data = append(last.data, data[:min(len(data), room)]...)
	last.size += len(data)
}

// remark adds what happened to the connection, once.
func (w *wire) remark(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.segments); n == 0 || w.segments[n-1].name != text {
		w.append(segment{name: text})
	}
}

func (w *wire) append(s segment) {
	if len(w.segments) == maxSegments {
		w.segments = slices.Delete(w.segments, keptFirst, keptFirst+1)
		w.more++
	}
	w.segments = append(w.segments, s)
}

// length and cut let what proves nothing be forgotten again.
func (w *wire) length() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.segments)
}

func (w *wire) cut(length int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.segments = w.segments[:min(length, len(w.segments))]
}

// prove renders faults, each with its exchange below it; faults of one
// exchange share it.
func prove(faults []fault) string {
	var b strings.Builder
	shown, told := 0, 0
	for i, f := range faults {
		if told++; told <= maxFaults {
			b.WriteString(f.text + "\n")
		} else if i == len(faults)-1 {
			fmt.Fprintf(&b, "(and %d faults more)\n", told-maxFaults)
		}
		if i+1 < len(faults) && faults[i+1].exchange == f.exchange {
			continue
		}
		if shown++; shown <= maxShown {
			b.WriteString(f.exchange.String())
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// String renders the exchange, each line with its end.
func (x *exchange) String() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	var b strings.Builder
	wires := slices.DeleteFunc(slices.Clone(x.wires), func(w *wire) bool { return w.length() == 0 })
	if n := len(wires) - maxWires; n > 0 {
		fmt.Fprintf(&b, "(%d connections before these are left out)\n", n)
		wires = wires[n:]
	}
	for i, w := range wires {
		if len(wires) > 1 {
			fmt.Fprintf(&b, "connection %d:\n", len(x.wires)-len(wires)+i+1)
		}
		b.WriteString(w.String())
	}
	if len(x.events) > 0 {
		b.WriteString(x.title + ":\n")
		for i, e := range x.events {
			if i == keptEvents && x.more > 0 {
				fmt.Fprintf(&b, "  (%d events are left out)\n", x.more)
			}
			b.WriteString("  " + shorten(e.text))
			if e.times > 1 {
				fmt.Fprintf(&b, " (%d times)", e.times)
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

func (w *wire) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var b strings.Builder
	for i, s := range w.segments {
		if i == keptFirst && w.more > 0 {
			fmt.Fprintf(&b, "  (%d turns are left out)\n", w.more)
		}
		if s.data == nil {
			b.WriteString("  " + s.name + "\n")
			continue
		}
		b.WriteString(s.name + ":\n")
		lines := strings.SplitAfter(string(s.data), "\n")
		if lines[len(lines)-1] == "" {
			lines = lines[:len(lines)-1]
		}
		rest := s.size - len(s.data)
		for i, line := range lines {
			if i == maxLines {
				rest += len(strings.Join(lines[i:], ""))
				break
			}
			b.WriteString("  " + visible(line) + "\n")
		}
		if rest > 0 {
			fmt.Fprintf(&b, "  ... and %d bytes more\n", rest)
		}
	}
	return b.String()
}

// observed makes start_response, and the write that it returns, leave events in
// x. who is put before each.
func observed(x *exchange, who string, start wsgi.StartResponse) wsgi.StartResponse {
	return func(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
		call := fmt.Sprintf("%sstart_response(%q%s", who, shorten(status), listed(headers))
		if excInfo != nil {
			call += ", exc_info"
		}
		x.note("%s)", call)
		write, err := start(status, headers, excInfo)
		if err != nil {
			x.note("%sstart_response fails: %v", who, err)
		}
		if write == nil {
			return nil, err
		}
		return func(block []byte) (int, error) {
			x.note("%swrite(%s)", who, sample(block))
			n, err := write(block)
			if err != nil {
				x.note("%swrite fails: %v", who, err)
			}
			return n, err
		}, err
	}
}
