package gateway_test

import (
	"strings"
)

// A model is the state machine table of the requirements, as plainly as can
// be. It shares no code with the gateway.
type model struct {
	headRequest bool

	status  string // what start_response stored; "" before
	length  int    // its Content-Length, -1 for none
	started bool   // start_response was called
	failed  bool   // and refused, or the application failed otherwise
	stopped bool   // the body was told to stop, or raised

	onWire string // the status that was sent; "" before
	body   strings.Builder
	full   bool // more came than the length allows
}

func (m *model) start(status string, length int, bad, excInfo bool) (ok bool) {
	switch {
	case m.onWire != "" && excInfo:
		m.failed = true
		return false
	case m.stopped:
		return false
	case m.started && !excInfo, bad:
		m.started, m.failed = true, true
		return false
	}
	m.started, m.failed = true, false
	m.status, m.length = status, length
	return true
}

func (m *model) bodiless() bool { return m.headRequest || strings.HasPrefix(m.status, "204") }

func (m *model) send(block string) (ok bool) {
	m.onWire = m.status
	if m.bodiless() {
		return true
	}
	for i := range len(block) {
		if m.body.Len() == m.length {
			m.full = true
			break
		}
		m.body.WriteByte(block[i])
	}
	return !m.full
}

func (m *model) write(block string) (ok bool) { return !m.failed && m.send(block) }

func (m *model) yield(block string) (more bool) {
	switch {
	case m.stopped:
		return false
	case block == "":
		return true
	case m.failed, !m.started:
		m.failed, m.stopped = true, true
		return false
	}
	m.stopped = !m.send(block)
	return !m.stopped
}

func (m *model) yieldError() {
	m.failed = m.failed || !m.stopped
	m.stopped = true
}

// result is what the client gets, and whether it is the whole.
func (m *model) result() (status, body string, whole bool) {
	failed := m.failed || !m.started
	switch {
	case failed && m.onWire == "" && m.headRequest:
		return "500 Internal Server Error", "", true
	case failed && m.onWire == "":
		return "500 Internal Server Error", "500 Internal Server Error\n", true
	case failed:
		return m.onWire, m.body.String(), false
	}
	whole = m.bodiless() || m.length < 0 || m.length == m.body.Len()
	return m.status, m.body.String(), whole
}
