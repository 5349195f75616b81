// Package scgi is the wire format of SCGI in both directions, without I/O of
// its own: a netstring of variables, which the request body follows.
//
// Source: SCGI: A Simple Common Gateway Interface alternative, 2008.
package scgi

import (
	"errors"
	"strconv"
	"strings"
)

// maxDigits is how many digits a length may have.
const maxDigits = 10

// HeadLen returns how many bytes the head that begins b has in all, from the
// first digit of the netstring to its comma, and 0 when b is too short to
// tell. An error means that b is not SCGI.
func HeadLen(b []byte) (int, error) {
	n := 0
	for i, c := range b {
		switch {
		case c == ':' && i > 0:
			return i + 1 + n + 1, nil
		case c < '0' || c > '9':
			return 0, errors.New("netstring does not begin with digits and a colon")
		case i == maxDigits:
			return 0, errors.New("length of the netstring has more than 10 digits")
		case i == 1 && b[0] == '0':
			return 0, errors.New("length of the netstring has a leading zero")
		case n > (1<<31-16)/10:
			return 0, errors.New("length of the netstring is beyond 2 GiB")
		}
		n = n*10 + int(c-'0')
	}
	return 0, nil
}

// Parse gives the variables of a whole head, as long as HeadLen says, to add,
// and returns the first error: of the head or of add.
func Parse(head string, add func(name, value string) error) error {
	_, block, _ := strings.Cut(head, ":")
	block, comma := strings.CutSuffix(block, ",")
	if !comma {
		return errors.New("netstring does not end in a comma")
	}
	first, isSCGI := true, false
	for block != "" {
		name, rest, ok := strings.Cut(block, "\x00")
		if !ok {
			return errors.New("variables do not end in NUL")
		}
		value, rest, ok := strings.Cut(rest, "\x00")
		if !ok {
			return errors.New("last variable has no value, or none that ends in NUL")
		}
		block = rest
		if first && name != "CONTENT_LENGTH" {
			return errors.New("first variable is not CONTENT_LENGTH")
		}
		if first && value == "" {
			return errors.New("CONTENT_LENGTH is empty")
		}
		first = false
		if name == "SCGI" {
			if value != "1" {
				return errors.New("variable SCGI is not 1")
			}
			isSCGI = true
		}
		if err := add(name, value); err != nil {
			return err
		}
	}
	if !isSCGI { // and then a block without CONTENT_LENGTH is one without SCGI
		return errors.New("there is no variable SCGI")
	}
	return nil
}

// Append appends the head of a request. The first of the pairs must be
// CONTENT_LENGTH; SCGI comes second without being among them. A name or value
// with a NUL has no form in SCGI and is an error.
func Append(b []byte, pairs func(yield func(name, value string) bool)) ([]byte, error) {
	n, i := 0, 0
	var err error
	pairs(func(name, value string) bool {
		switch {
		case i == 0 && (name != "CONTENT_LENGTH" || value == ""):
			err = errors.New("scgi: expected CONTENT_LENGTH to be the first variable")
		case name == "" || strings.IndexByte(name, 0) >= 0 || strings.IndexByte(value, 0) >= 0:
			err = errors.New("scgi: variable " + strconv.Quote(name) + " has an empty name or a NUL")
		}
		i++
		n += len(name) + len(value) + 2
		return err == nil
	})
	if err == nil && i == 0 {
		err = errors.New("scgi: expected CONTENT_LENGTH, there is no variable")
	}
	if err != nil {
		return b, err
	}
	b = strconv.AppendInt(b, int64(n+len("SCGI\x001\x00")), 10)
	b = append(b, ':')
	i = 0
	pairs(func(name, value string) bool {
		if i == 1 {
			b = append(b, "SCGI\x001\x00"...)
		}
		i++
		b = append(b, name...)
		b = append(b, 0)
		b = append(b, value...)
		b = append(b, 0)
		return true
	})
	if i == 1 {
		b = append(b, "SCGI\x001\x00"...)
	}
	return append(b, ','), nil
}
