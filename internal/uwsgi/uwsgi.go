// Package uwsgi is the wire format of uWSGI's own protocol in both directions,
// without I/O of its own: a packet of variables, which the request body
// follows. Its integers are little-endian.
//
// Source: "The uwsgi (lowercase) Protocol" of the uWSGI documentation.
package uwsgi

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
)

const (
	// HeaderLen is the length of a packet's header in bytes.
	HeaderLen = 4

	// MaxBlock is the most bytes of variables that a packet can hold.
	MaxBlock = 65535
)

// HeadLen returns how many bytes the head that begins b has in all, header and
// variables, and 0 when b is too short to tell. An error means that b is no
// request: a packet with another modifier than 0 is a command to uWSGI, or the
// beginning of HTTP or TLS, and is not to be answered.
func HeadLen(b []byte) (int, error) {
	if len(b) > 0 && b[0] != 0 {
		return 0, fmt.Errorf("packet has modifier1 %d, expected 0, which is a request", b[0])
	}
	if len(b) < HeaderLen {
		return 0, nil
	}
	size := int(binary.LittleEndian.Uint16(b[1:]))
	if size < 4 {
		return 0, fmt.Errorf("packet has %d bytes of variables, expected at least one variable", size)
	}
	return HeaderLen + size, nil
}

// Parse gives the variables of a whole head, as long as HeadLen says, to add,
// and returns the first error: of the head or of add.
func Parse(head string, add func(name, value string) error) error {
	rest := head[HeaderLen:]
	for rest != "" {
		name, after, ok := next(rest)
		if !ok {
			return errors.New("name of a variable ends before its length says")
		}
		if name == "" {
			return errors.New("name of a variable is empty")
		}
		value, after, ok := next(after)
		if !ok {
			return errors.New("value of a variable ends before its length says")
		}
		rest = after
		if err := add(name, value); err != nil {
			return err
		}
	}
	return nil
}

func next(s string) (text, rest string, ok bool) {
	if len(s) < 2 {
		return "", "", false
	}
	n := int(s[0]) | int(s[1])<<8
	if s = s[2:]; n > len(s) {
		return "", "", false
	}
	return s[:n], s[n:], true
}

// ErrTooLarge is what Append returns for more variables than a packet holds.
var ErrTooLarge = errors.New("uwsgi: variables take more than the " + strconv.Itoa(MaxBlock) + " bytes that a packet holds")

// Append appends the head of a request with the modifiers 0.
func Append(b []byte, pairs func(yield func(name, value string) bool)) ([]byte, error) {
	start := len(b)
	b = append(b, 0, 0, 0, 0)
	var err error
	pairs(func(name, value string) bool {
		switch size := len(b) - start - HeaderLen + 4 + len(name) + len(value); {
		case name == "":
			err = errors.New("uwsgi: the name of a variable is empty")
		case size > MaxBlock:
			err = ErrTooLarge
		}
		if err != nil {
			return false
		}
		b = binary.LittleEndian.AppendUint16(b, uint16(len(name)))
		b = append(b, name...)
		b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
		b = append(b, value...)
		return true
	})
	if err != nil {
		return b[:start], err
	}
	binary.LittleEndian.PutUint16(b[start+1:], uint16(len(b)-start-HeaderLen))
	return b, nil
}
