package python

import (
	"errors"
	"io"
	"os"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// body is the rest of a response that did not come in one piece.
type body struct{ *call }

var _ wsgi.FileStreamer = body{}

// singleBody is a body that the application said has one block.
type singleBody struct{ *call }

func (b singleBody) Blocks(yield func(block []byte, err error) bool) { b.stream(yield, nil) }
func (b singleBody) Close() error                                    { return b.close() }
func (b singleBody) Len() int                                        { return 1 }

// Blocks yields what the worker sends, as it comes.
func (b body) Blocks(yield func(block []byte, err error) bool) { b.stream(yield, nil) }

// StreamFiles is Blocks for a server that can send files itself.
func (b body) StreamFiles(
	yield func(block []byte, err error) bool,
	sendFile func(file *os.File, n int64) (int64, error),
) {
	b.stream(yield, sendFile)
}

// Close tells the worker that nobody wants the rest.
func (b body) Close() error { return b.close() }

func (c *call) close() error {
	c.first.free()
	c.abandon()
	return nil
}

// stream yields the blocks. sendFile is nil where the blocks of a file are
// wanted too.
func (c *call) stream(yield func(block []byte, err error) bool, sendFile func(file *os.File, n int64) (int64, error)) {
	more := true
	if block := c.first.payload[c.first.head:]; len(block) > 0 {
		more = yield(block, nil)
	}
	c.first.free()
	c.first = message{}
	ctx := c.environ.Context()
	for last := c.last; more && !last; {
		m, err := c.next(ctx)
		if err != nil {
			c.abandon()
			yield(nil, err)
			return
		}
		if last = m.flags&frameLast != 0; last && m.kind != frameError {
			c.release()
		}
		switch m.kind {
		case frameData:
			more = len(m.payload) == 0 || yield(m.payload, nil)
			m.free()
		case frameEnd:
		case frameFile:
			more = c.sendFile(&m, yield, sendFile)
			m.free()
		default:
			if err := c.serve(&m); err != nil {
				yield(nil, err)
				return
			}
		}
	}
	c.abandon()
}

// sendFile sends all of a file from the position that the worker names.
func (c *call) sendFile(m *message, yield func(block []byte, err error) bool, send func(file *os.File, n int64) (int64, error)) bool {
	if m.file == nil || len(m.payload) != 8 {
		return yield(nil, errFrame)
	}
	var position int64
	for i := 7; i >= 0; i-- {
		position = position<<8 | int64(m.payload[i])
	}
	if _, err := m.file.Seek(position, io.SeekStart); err != nil {
		return yield(nil, err)
	}
	if send != nil {
		if _, err := send(m.file, -1); err != nil {
			return yield(nil, err)
		}
		return true
	}
	more := true
	wsgi.Reader(m.file, 0).Blocks(func(block []byte, err error) bool {
		more = yield(block, err)
		return more
	})
	return more
}

// serve does what a message asks that is no part of the response. Its error is
// that of the application, and ends the request.
func (c *call) serve(m *message) error {
	defer m.free()
	switch m.kind {
	case frameError:
		c.release()
		text := strings.TrimRight(string(m.payload), "\n")
		return &Exception{Traceback: "the Python application failed\n" + text, cause: c.inputErr}
	case frameEnd: // the worker saw that the client has left
		c.release()
		return errors.New("python: the worker gave the request up")
	case frameLog:
		c.environ.Errors().WriteString(string(m.payload))
		return nil
	}
	l := c.slotLane()
	defer l.held.Add(-1)
	switch m.kind {
	case frameRead:
		return c.read(l, m.head)
	case frameWant:
		return l.reply(replyOK, c.variables)
	case frameHints:
		fields, err := parseFields(string(m.payload), nil)
		if err == nil {
			if hint, ok := c.environ.Get("wsgi.early_hints").(func(wsgi.Headers) error); ok {
				err = hint(fields)
			}
		}
		if err != nil {
			return l.reply(replyRefused, []byte(err.Error()))
		}
		return l.reply(replyOK, nil)
	}
	l.held.Add(1) // nothing was asked
	return errFrame
}
