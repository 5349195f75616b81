package python

import (
	"encoding/binary"
	"errors"
	"os"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// The sizes and numbers of this file are also at the head of worker.py.

// A packet is one request, in its area on the board: its head, the names of its
// variables and their values, each list joined by NUL, and a body that is small.
const (
	packetHead    = 20 // id, bytes of names, of values (32 bits each), flags, bytes of the body
	largestPacket = requestSize

	packetInline = 1 // what follows the values is the whole body
	packetRemote = 2 // there is a body, which is to be asked for
	packetLarge  = 4 // there is no more than the head: the rest is to be asked for
	packetHinted = 8 // the client can be sent early hints
)

// A frame on a lane is a part of a response, or asks for something. One that is
// the whole of a response may be in the area for that on the board.
const (
	frameHead = 20 // bytes after it, of them head, id, type, flags

	frameResponse = 1 // head, and a block
	frameData     = 2 // a block
	frameEnd      = 3
	frameError    = 4  // the application failed: the traceback
	frameLog      = 5  // text for wsgi.errors
	frameRead     = 6  // asks for a part of the body, of no more bytes than the field for head says
	frameHints    = 7  // asks for an early hint
	frameFile     = 8  // a descriptor comes with it: all that follows its position
	frameWant     = 9  // asks for the variables of a large request
	frameTrays    = 10 // asks for the memory of trays to be mapped, of which the descriptor comes with it

	frameLast   = 1  // nothing follows for this request
	frameAgain  = 2  // the head replaces an earlier one, by exc_info
	frameCheck  = 4  // the head is to be checked and kept, and waits for a reply
	frameCommit = 8  // the head is to be sent although there is no block yet
	frameSingle = 16 // the block is the only one
	frameKept   = 32 // there is no head in this frame: the one that was checked counts
	frameTray   = 64 // what the frame has is on a tray, and a trayRef is in its place

	largestFrame = 256 << 10 // bytes after the head of a frame
)

// A reply on a lane has a head of its own: bytes after it, and a type.
const (
	replyHead = 8

	replyOK      = 0
	replyEOF     = 1
	replyRefused = 2
	replyWindow  = 3 // so many bytes are in the window of the lane, and none follow
)

// message is a frame that has come.
type message struct {
	kind, flags uint16
	head        int // bytes of payload that are the head
	id          uint64
	payload     []byte
	buffer      *[largestFrame]byte // that payload is in, if it is one of the pool
	trays       *trays              // that payload is in
	tray        uint32
	file        *os.File
}

var errFrame = errors.New("python: a worker sent something that is no frame")

// parseHead reads the head of a frame and returns the bytes that follow it.
func parseHead(b []byte) (m message, size int, err error) {
	size = int(binary.LittleEndian.Uint32(b))
	m.head = int(binary.LittleEndian.Uint32(b[4:]))
	m.id = binary.LittleEndian.Uint64(b[8:])
	m.kind = binary.LittleEndian.Uint16(b[16:])
	m.flags = binary.LittleEndian.Uint16(b[18:])
	if m.kind < frameResponse || m.kind > frameTrays || size > largestFrame || m.kind != frameRead && m.head > size {
		return m, 0, errFrame
	}
	return m, size, nil
}

func appendReply(b []byte, kind uint32, payload []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(payload)))
	b = binary.LittleEndian.AppendUint32(b, kind)
	return append(b, payload...)
}

// parseFields reads status and headers from the head of a response, or headers
// alone.
func parseFields(head string, fields wsgi.Headers) (wsgi.Headers, error) {
	for more := head != ""; more; {
		var h wsgi.Header
		h.Name, head, more = strings.Cut(head, "\x00")
		if !more {
			return nil, errFrame
		}
		h.Value, head, more = strings.Cut(head, "\x00")
		fields = append(fields, h)
	}
	return fields, nil
}

func parseResponse(head []byte) (status string, headers wsgi.Headers, err error) {
	text := string(head)
	status, rest, more := strings.Cut(text, "\x00")
	if !more {
		return status, nil, nil
	}
	headers, err = parseFields(rest, make(wsgi.Headers, 0, (strings.Count(rest, "\x00")+1)/2))
	return status, headers, err
}
