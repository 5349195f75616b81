// Package fcgi is the wire format of FastCGI 1.0 in both directions, without
// I/O of its own: records, name-value pairs, and the bodies of the records
// that have a fixed form. All integers are big-endian.
//
// Nothing here allocates by a length that came from the wire.
//
// Source: FastCGI Specification 1.0, sections 3, 4, 5 and 8.
package fcgi

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Type is the type of a record.
type Type uint8

// The types of records.
const (
	BeginRequest    Type = 1
	AbortRequest    Type = 2
	EndRequest      Type = 3
	Params          Type = 4
	Stdin           Type = 5
	Stdout          Type = 6
	Stderr          Type = 7
	Data            Type = 8
	GetValues       Type = 9
	GetValuesResult Type = 10
	UnknownType     Type = 11
)

// The roles in which an application is addressed.
const (
	Responder  = 1
	Authorizer = 2
	Filter     = 3
)

// KeepConn is the flag of BeginRequest that leaves it to the web server to
// close the connection.
const KeepConn = 1

// The protocol status of EndRequest.
const (
	RequestComplete = 0
	CantMpxConn     = 1
	Overloaded      = 2
	UnknownRole     = 3
)

const (
	version = 1

	// HeaderLen is the length of a record's header in bytes.
	HeaderLen = 8

	// BodyLen is the length of the content of BeginRequest, EndRequest and
	// UnknownType.
	BodyLen = 8

	// MaxContent is the most content that AppendStream puts into one record: a
	// multiple of eight, so that a full record needs no padding.
	MaxContent = 65528
)

// Header is the header of a record.
type Header struct {
	Type    Type
	ID      uint16 // of the request; 0 for management records
	Length  uint16 // of the content, in bytes
	Padding uint8  // bytes behind the content that mean nothing
}

// ParseHeader parses the header that begins b, which holds at least HeaderLen
// bytes. The version is the only thing that can be wrong with one.
func ParseHeader(b []byte) (Header, error) {
	if b[0] != version {
		return Header{}, fmt.Errorf("record has version %d, expected %d", b[0], version)
	}
	return Header{
		Type:    Type(b[1]),
		ID:      binary.BigEndian.Uint16(b[2:]),
		Length:  binary.BigEndian.Uint16(b[4:]),
		Padding: b[6],
	}, nil
}

// AppendHeader appends the header of a record.
func AppendHeader(b []byte, h Header) []byte {
	b = append(b, version, byte(h.Type))
	b = binary.BigEndian.AppendUint16(b, h.ID)
	b = binary.BigEndian.AppendUint16(b, h.Length)
	return append(b, h.Padding, 0)
}

// padding returns how many bytes make n a multiple of eight.
func padding(n int) uint8 { return uint8(-n & 7) }

var zeros [8]byte

// AppendStream appends content to the stream of the given type, in as many
// records as it takes, padded to multiples of eight. No content appends no
// record: an empty one would end the stream.
func AppendStream(b []byte, t Type, id uint16, content []byte) []byte {
	for len(content) > 0 {
		part := content[:min(len(content), MaxContent)]
		content = content[len(part):]
		b = AppendRecord(b, t, id, part)
	}
	return b
}

// AppendStreamEnd appends the empty record that ends a stream.
func AppendStreamEnd(b []byte, t Type, id uint16) []byte {
	return AppendHeader(b, Header{Type: t, ID: id})
}

// AppendRecord appends one record whose content is the parts in turn, at most
// MaxContent bytes, padded to a multiple of eight.
func AppendRecord(b []byte, t Type, id uint16, parts ...[]byte) []byte {
	n := 0
	for _, part := range parts {
		n += len(part)
	}
	b = AppendHeader(b, Header{t, id, uint16(n), padding(n)})
	for _, part := range parts {
		b = append(b, part...)
	}
	return append(b, zeros[:padding(n)]...)
}

// AppendBegin appends a BeginRequest record.
func AppendBegin(b []byte, id, role uint16, flags uint8) []byte {
	b = AppendHeader(b, Header{Type: BeginRequest, ID: id, Length: BodyLen})
	b = binary.BigEndian.AppendUint16(b, role)
	return append(b, flags, 0, 0, 0, 0, 0)
}

// ParseBegin parses the content of a BeginRequest record.
func ParseBegin(content []byte) (role uint16, flags uint8, err error) {
	if len(content) != BodyLen {
		return 0, 0, fmt.Errorf("BEGIN_REQUEST has %d bytes, expected %d", len(content), BodyLen)
	}
	return binary.BigEndian.Uint16(content), content[2], nil
}

// AppendAbort appends an AbortRequest record.
func AppendAbort(b []byte, id uint16) []byte {
	return AppendHeader(b, Header{Type: AbortRequest, ID: id})
}

// AppendEnd appends an EndRequest record.
func AppendEnd(b []byte, id uint16, appStatus uint32, protocolStatus uint8) []byte {
	b = AppendHeader(b, Header{Type: EndRequest, ID: id, Length: BodyLen})
	b = binary.BigEndian.AppendUint32(b, appStatus)
	return append(b, protocolStatus, 0, 0, 0)
}

// ParseEnd parses the content of an EndRequest record. Its reserved bytes may
// hold anything: PHP leaves there what was there before.
func ParseEnd(content []byte) (appStatus uint32, protocolStatus uint8, err error) {
	if len(content) != BodyLen {
		return 0, 0, fmt.Errorf("END_REQUEST has %d bytes, expected %d", len(content), BodyLen)
	}
	return binary.BigEndian.Uint32(content), content[4], nil
}

// AppendUnknown appends the answer to a management record of a type that is
// not known.
func AppendUnknown(b []byte, t Type) []byte {
	b = AppendHeader(b, Header{Type: UnknownType, Length: BodyLen})
	return append(b, byte(t), 0, 0, 0, 0, 0, 0, 0)
}

// AppendPair appends a name-value pair.
func AppendPair(b []byte, name, value string) []byte {
	b = appendLen(b, len(name))
	b = appendLen(b, len(value))
	b = append(b, name...)
	return append(b, value...)
}

// PairLen returns how many bytes AppendPair appends.
func PairLen(name, value string) int {
	n := 2 + len(name) + len(value)
	if len(name) > 127 {
		n += 3
	}
	if len(value) > 127 {
		n += 3
	}
	return n
}

func appendLen(b []byte, n int) []byte {
	if n <= 127 {
		return append(b, byte(n))
	}
	return binary.BigEndian.AppendUint32(b, uint32(n)|1<<31)
}

var errPair = errors.New("name-value pair ends before its length says, expected a whole one")

// NextPair splits the first name-value pair from s, which is not empty.
func NextPair(s string) (name, value, rest string, err error) {
	n, s, ok := parseLen(s)
	if !ok {
		return "", "", "", errPair
	}
	v, s, ok := parseLen(s)
	// In 64 bits: two lengths of 31 bits overflow an int that has 32.
	if !ok || uint64(n)+uint64(v) > uint64(len(s)) {
		return "", "", "", errPair
	}
	return s[:n], s[n : n+v], s[n+v:], nil
}

func parseLen(s string) (n uint32, rest string, ok bool) {
	switch {
	case s == "":
		return 0, "", false
	case s[0] < 128:
		return uint32(s[0]), s[1:], true
	case len(s) < 4:
		return 0, "", false
	}
	return uint32(s[0]&127)<<24 | uint32(s[1])<<16 | uint32(s[2])<<8 | uint32(s[3]), s[4:], true
}

// ErrTooLarge is wrapped by what AppendParams returns for a variable that does
// not fit into a record.
var ErrTooLarge = errors.New("a variable is larger than a record")

// AppendParams appends the pairs as a PARAMS stream without its end. No pair
// straddles two records, for uWSGI and PHP cannot read that; one that does not
// fit into a record at all is an error.
func AppendParams(b []byte, id uint16, pairs func(yield func(name, value string) bool)) ([]byte, error) {
	var err error
	start := -1 // where the header of the open record is
	closeRecord := func() {
		if start < 0 {
			return
		}
		n := len(b) - start - HeaderLen
		binary.BigEndian.PutUint16(b[start+4:], uint16(n))
		b[start+6] = padding(n)
		b = append(b, zeros[:padding(n)]...)
		start = -1
	}
	pairs(func(name, value string) bool {
		n := PairLen(name, value)
		if n > MaxContent {
			err = fmt.Errorf("%w: %.40q takes %d bytes, expected at most %d", ErrTooLarge, name, n, MaxContent)
			return false
		}
		if start >= 0 && len(b)-start-HeaderLen+n > MaxContent {
			closeRecord()
		}
		if start < 0 {
			start = len(b)
			b = AppendHeader(b, Header{Type: Params, ID: id})
		}
		b = AppendPair(b, name, value)
		return true
	})
	closeRecord()
	return b, err
}
