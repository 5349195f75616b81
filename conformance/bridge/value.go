package bridge

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// The values that travel between Go and Python are a byte that says what they
// are, and what it takes to know where they end:
//
//	N           None                        nil
//	T F         True, False                 bool
//	I           8 bytes, big-endian         int
//	S           length, Latin-1 bytes       string: its bytes
//	U           length, UTF-8               Text: a str with a character above U+00FF
//	B           length, bytes               []byte
//	P L         count, values               Tuple, []any
//	D           count, pairs of S and value map[string]any
//	O           length, length              *Object: what has no counterpart
//
// A length or count has four bytes, big-endian.

// Text is a Python str that holds a character above U+00FF, and so is no
// native string. Its bytes are UTF-8, and a surrogate that stands alone is
// encoded like any other character.
type Text string

// Tuple is a Python tuple. The tuple (1, 0), and any other of two ints, is a
// [2]int where it is the value of a variable of an environ.
type Tuple []any

// Object is a Python object that has no counterpart in Go.
type Object struct {
	Class string // its type, with the module that defines it
	Repr  string // the beginning of its repr
}

func (o *Object) String() string { return o.Class + " object " + o.Repr }

// Bounds of what is decoded: a process that runs amok must not take this one
// with it.
const (
	maxFrame = 16 << 20 // bytes
	maxDepth = 8        // of values within values
)

// appendValue appends the encoding of v. A value of a type that is not listed
// above travels as an Object that describes it.
func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, 'N')
	case bool:
		if v {
			return append(b, 'T')
		}
		return append(b, 'F')
	case int:
		return binary.BigEndian.AppendUint64(append(b, 'I'), uint64(v))
	case string:
		return appendBytes(append(b, 'S'), v)
	case Text:
		return appendBytes(append(b, 'U'), string(v))
	case []byte:
		return appendBytes(append(b, 'B'), string(v))
	case [2]int:
		return appendValue(b, Tuple{v[0], v[1]})
	case Tuple:
		return appendList(append(b, 'P'), v)
	case []any:
		return appendList(append(b, 'L'), v)
	case map[string]any:
		b = binary.BigEndian.AppendUint32(append(b, 'D'), uint32(len(v)))
		for key, value := range v {
			b = appendValue(appendBytes(append(b, 'S'), key), value)
		}
		return b
	case *Object:
		return appendBytes(appendBytes(append(b, 'O'), v.Class), v.Repr)
	}
	return appendBytes(appendBytes(append(b, 'O'), fmt.Sprintf("%T", v)), "")
}

func appendBytes(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

func appendList(b []byte, list []any) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(list)))
	for _, v := range list {
		b = appendValue(b, v)
	}
	return b
}

// errShort says that a value goes on after the end of its frame.
var errShort = errors.New("bridge: a value is cut")

// decodeValue decodes one value that fills b. What it returns shares no memory
// with b.
func decodeValue(b []byte) (any, error) {
	d := decoder{b}
	v, err := d.value(0)
	if err == nil && len(d.rest) > 0 {
		err = fmt.Errorf("bridge: %d bytes follow a value", len(d.rest))
	}
	return v, err
}

type decoder struct{ rest []byte }

func (d *decoder) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("bridge: values are nested deeper than %d", maxDepth)
	}
	if len(d.rest) == 0 {
		return nil, errShort
	}
	tag := d.rest[0]
	d.rest = d.rest[1:]
	switch tag {
	case 'N':
		return nil, nil
	case 'T', 'F':
		return tag == 'T', nil
	case 'I':
		if len(d.rest) < 8 {
			return nil, errShort
		}
		n := int64(binary.BigEndian.Uint64(d.rest))
		d.rest = d.rest[8:]
		if n > math.MaxInt || n < math.MinInt {
			return nil, fmt.Errorf("bridge: the number %d is too large", n)
		}
		return int(n), nil
	case 'S':
		b, err := d.bytes()
		return string(b), err
	case 'U':
		b, err := d.bytes()
		if err == nil && !slices.ContainsFunc(b, func(c byte) bool { return c >= 0xC4 }) { // how U+0100 begins
			err = fmt.Errorf("bridge: expected a character above U+00FF in %.40q", b)
		}
		return Text(b), err
	case 'B':
		b, err := d.bytes()
		return append([]byte{}, b...), err
	case 'L':
		return d.list(depth)
	case 'P':
		list, err := d.list(depth)
		return Tuple(list), err
	case 'D':
		return d.dict(depth)
	case 'O':
		class, err := d.bytes()
		if err != nil {
			return nil, err
		}
		repr, err := d.bytes()
		return &Object{string(class), string(repr)}, err
	}
	return nil, fmt.Errorf("bridge: no value begins with %q", tag)
}

// size reads a length or a count of things that take at least one byte each.
func (d *decoder) size() (int, error) {
	if len(d.rest) < 4 {
		return 0, errShort
	}
	n := binary.BigEndian.Uint32(d.rest)
	d.rest = d.rest[4:]
	if uint64(n) > uint64(len(d.rest)) {
		return 0, errShort
	}
	return int(n), nil
}

func (d *decoder) bytes() ([]byte, error) {
	n, err := d.size()
	if err != nil {
		return nil, err
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b, nil
}

func (d *decoder) list(depth int) ([]any, error) {
	n, err := d.size()
	if err != nil {
		return nil, err
	}
	list := []any{} // grows with what is there, not with what is claimed
	for range n {
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

func (d *decoder) dict(depth int) (map[string]any, error) {
	n, err := d.size()
	if err != nil {
		return nil, err
	}
	dict := map[string]any{}
	for range n {
		key, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		name, ok := key.(string)
		if !ok {
			return nil, fmt.Errorf("bridge: expected a string as a key, got %T", key)
		}
		if dict[name], err = d.value(depth + 1); err != nil {
			return nil, err
		}
	}
	return dict, nil
}
