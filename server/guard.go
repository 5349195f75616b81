package server

import (
	"bytes"
	"math"
	"strconv"
)

// guard reads along with net/http and looks for request heads on which two
// parties could disagree about where the request ends. RFC 9112 lets a server
// accept some of them, and net/http does: a head with both Transfer-Encoding
// and Content-Length (section 6.1), a folded line (section 5.2),
// Transfer-Encoding in HTTP/1.0 (section 6.1). Behind a front server each of
// them is a way to smuggle a request, and no client that means well sends one.
//
// What the guard finds it spoils, by a control character in the very line, so
// that net/http refuses the head as it refuses any malformed one. To know where
// the next head begins it follows the framing of the bodies. Where it loses
// track net/http has lost it too, and closes the connection.
type guard struct {
	off    bool   // not HTTP/1 in clear
	reason string // what was found

	state  guardState
	line   [64]byte // how the present line begins
	n      int      // bytes of the present line so far
	tail   [10]byte // how the part of the present line that is gone by ends
	left   uint64   // bytes that are no business of the guard
	lines  int      // lines of this head so far
	old    bool     // the request is HTTP/1.0
	length bool     // Content-Length occurred
	coding bool     // Transfer-Encoding occurred
	size   uint64   // Content-Length
}

type guardState uint8

const (
	inHead guardState = iota
	inBody
	inChunkSize
	inChunk
	inTrailer
)

const spoil = 0x01

// scan follows the bytes p, which net/http is about to see, and spoils what it
// must not accept.
func (g *guard) scan(p []byte) {
	for len(p) > 0 && !g.off {
		if g.left > 0 {
			k := min(g.left, uint64(len(p)))
			g.left -= k
			p = p[k:]
			continue
		}
		switch g.state {
		case inBody:
			g.begin()
			continue
		case inChunk:
			g.state, g.n = inChunkSize, 0
			continue
		}
		end := bytes.IndexByte(p, '\n')
		part := p
		if end >= 0 {
			part = p[:end+1]
		}
		p = p[len(part):]
		if g.state == inHead {
			g.inspect(part)
			g.bound(part)
		}
		if end >= 0 && g.n == 0 { // nearly always
			g.n = len(part)
			g.endLine(part[:min(len(part), len(g.line))], part)
			continue
		}
		if g.n < len(g.line) {
			copy(g.line[g.n:], part)
		}
		g.n += len(part)
		if end >= 0 {
			g.endLine(g.line[:min(g.n, len(g.line))], part)
		} else {
			g.remember(part)
		}
	}
}

// between reports whether what comes next is the beginning of a head.
func (g *guard) between() bool {
	switch {
	case g.off || g.left > 0:
		return false
	case g.state == inHead:
		return g.lines == 0 && g.n == 0
	}
	return g.state == inBody
}

// within reports whether a head has begun and not ended.
func (g *guard) within() bool { return !g.off && g.state == inHead && (g.lines > 0 || g.n > 0) }

// begin prepares for a new head.
func (g *guard) begin() { *g = guard{reason: g.reason} }

// inspect looks at the next part of a line of the head, before net/http does.
func (g *guard) inspect(part []byte) {
	if g.lines == 0 {
		return
	}
	if g.n == 0 {
		switch part[0] {
		case ' ', '\t':
			g.refuse(part, 0, "a header line is folded")
			return
		case 'c', 'C', 't', 'T':
		default:
			return
		}
	} else if c := g.line[0] | 0x20; c != 'c' && c != 't' {
		return
	}
	colon := 0
	switch {
	case g.completes(part, "content-length:"):
		g.length, colon = true, len("content-length")
	case g.completes(part, "transfer-encoding:"):
		g.coding, colon = true, len("transfer-encoding")
	default:
		return
	}
	switch {
	case g.length && g.coding:
		g.refuse(part, colon-g.n, "Content-Length and Transfer-Encoding in one head")
	case g.coding && g.old:
		g.refuse(part, colon-g.n, "Transfer-Encoding in HTTP/1.0")
	}
}

// bound refuses a Content-Length so long that g.line does not hold it: blanks
// would hide the number from the guard, and not from net/http.
func (g *guard) bound(part []byte) {
	text := trimEnd(part)
	if len(text) > 0 && g.n+len(text) > len(g.line) && g.begins(part, "content-length:") {
		g.refuse(part, 0, "Content-Length is too long")
	}
}

// completes reports whether name, in lower case and with its colon, begins the
// present line and ends in part.
func (g *guard) completes(part []byte, name string) bool {
	return g.n < len(name) && g.begins(part, name)
}

// begins reports whether the present line, with part as its latest, begins with
// name.
func (g *guard) begins(part []byte, name string) bool {
	if g.n+len(part) < len(name) {
		return false
	}
	for i := range len(name) {
		c := byte(0)
		if i < g.n {
			c = g.line[i]
		} else {
			c = part[i-g.n]
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != name[i] {
			return false
		}
	}
	return true
}

func (g *guard) refuse(part []byte, i int, reason string) {
	part[i] = spoil
	g.reason = reason
	g.off = true // net/http closes the connection
}

// endLine is called when part has brought the end of a line, which begins with
// line.
func (g *guard) endLine(line, part []byte) {
	empty := len(trimEnd(line)) == 0
	switch g.state {
	case inHead:
		switch {
		case g.lines == 0:
			g.requestLine(part)
		case empty:
			g.endHead()
			return
		case len(line) > 15 && line[14] == ':' && g.length && !g.coding && g.size == 0 && equalName(line[:14], "content-length"):
			value := bytes.Trim(line[15:], " \t\r\n")
			size, err := strconv.ParseUint(string(value), 10, 63)
			g.off = err != nil // net/http finds it malformed too
			g.size = size
		}
		g.lines++
	case inChunkSize:
		digits := line
		if i := bytes.IndexAny(digits, "; \t\r\n"); i >= 0 {
			digits = digits[:i]
		}
		size, err := strconv.ParseUint(string(digits), 16, 64)
		switch {
		case err != nil || size > math.MaxUint64-2:
			g.off = true // net/http finds it malformed too
		case size == 0:
			g.state = inTrailer
		default:
			g.state, g.left = inChunk, size+2
		}
	case inTrailer:
		if empty {
			g.begin()
			return
		}
	}
	g.n = 0
}

func equalName(name []byte, lower string) bool {
	for i := range name {
		if c := name[i]; c != lower[i] && (c|0x20 != lower[i] || c < 'A') {
			return false
		}
	}
	return true
}

// requestLine looks at the end of the request line, for the version.
func (g *guard) requestLine(part []byte) {
	end := part
	if len(part) < len(g.tail) {
		end = append(g.tail[:min(g.n-len(part), len(g.tail))], part...)
	}
	end = trimEnd(end)
	g.old = bytes.HasSuffix(end, []byte("HTTP/1.0"))
	g.off = bytes.HasSuffix(end, []byte("HTTP/2.0")) // the preface of HTTP/2
}

// remember keeps the end of what has gone by of the present line.
func (g *guard) remember(part []byte) {
	if len(part) >= len(g.tail) {
		copy(g.tail[:], part[len(part)-len(g.tail):])
		return
	}
	had := min(g.n-len(part), len(g.tail))
	drop := max(0, had+len(part)-len(g.tail))
	copy(g.tail[:], g.tail[drop:had])
	copy(g.tail[had-drop:], part)
}

// endHead decides what follows the head.
func (g *guard) endHead() {
	switch {
	case g.coding:
		g.begin()
		g.state = inChunkSize
	case g.size > 0:
		size := g.size
		g.begin()
		g.state, g.left = inBody, size
	default:
		g.begin()
	}
}

// trimEnd returns line without the carriage returns and newlines at its end,
// as bytes.TrimRight would, which takes longer than all else that is done with
// most lines.
func trimEnd(line []byte) []byte {
	for len(line) > 0 && (line[len(line)-1] == '\r' || line[len(line)-1] == '\n') {
		line = line[:len(line)-1]
	}
	return line
}
