package python

import (
	"bytes"
	"errors"
	"io"
	"os"
)

// prepareInput reads as much of the request body as is to be read before a
// worker gets the request, so that a slow client does not keep one. It returns
// the flags of the packet, and a body that is small.
//
// What a client holds back until it is asked, by "Expect: 100-continue", is left
// until the application asks (EXP-03).
func (c *call) prepareInput() (flags uint16, inline []byte, err error) {
	length, declared := c.environ.ContentLength()
	switch {
	case declared && length == 0:
		return packetInline, []byte{}, nil
	case c.environ.Var("HTTP_EXPECT") != "":
		return packetRemote, nil, nil
	case declared && length <= c.pool.config.BufferBody:
		buffer := make([]byte, length)
		n, err := io.ReadFull(c.environ.Input(), buffer)
		if err != nil { // the application is told when it comes to that place
			c.input = io.MultiReader(bytes.NewReader(buffer[:n]), broken{whole(err)})
			return packetRemote, nil, nil
		}
		return packetInline, buffer, nil
	case declared && length <= c.pool.config.SpoolBody:
		return packetRemote, nil, c.spoolInput(length)
	case declared:
		return packetRemote, nil, nil
	}
	return 0, nil, nil // there may be a body that comes in chunks
}

// spoolInput reads the body into a file that has no name.
func (c *call) spoolInput(length int64) error {
	file, err := os.CreateTemp("", "gowsgi-body-")
	if err != nil {
		return err
	}
	os.Remove(file.Name())
	c.spool = file
	n, err := io.CopyN(file, c.environ.Input(), length)
	if _, seekErr := file.Seek(0, io.SeekStart); seekErr != nil {
		return errors.Join(seekErr, file.Close())
	}
	c.input = io.LimitReader(file, n)
	if err != nil {
		c.input = io.MultiReader(c.input, broken{whole(err)})
	}
	return nil
}

func (c *call) closeSpool() {
	if c.spool != nil {
		c.spool.Close()
		c.spool = nil
	}
}

// whole makes of an end that comes too early what it is.
func whole(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// broken is the place where a body breaks off.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// read gives the worker a part of the body: what there is, and no more than
// most bytes. It reads into the window of the lane, which takes two copies less
// than the lane itself.
func (c *call) read(l *lane, most int) error {
	if c.input == nil {
		c.input = c.environ.Input()
	}
	room := l.openWindow()
	shared := room != nil
	if shared {
		defer l.closeWindow()
	} else {
		buffer := frameBuffers.Get().(*[largestFrame]byte)
		defer frameBuffers.Put(buffer)
		room = buffer[:]
	}
	n, err := 0, error(nil)
	for n == 0 && err == nil {
		n, err = c.input.Read(room[:max(1, min(most, len(room)))])
	}
	switch {
	case n > 0 && shared: // what is wrong will be said again
		err = l.replyWindow(n)
	case n > 0:
		err = l.reply(replyOK, room[:n])
	case err == io.EOF:
		err = l.reply(replyEOF, nil)
	default:
		c.inputErr = err
		err = l.reply(replyRefused, []byte(err.Error()))
	}
	if err != nil {
		return errWorkerEnded
	}
	return nil
}
