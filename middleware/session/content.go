package session

import (
	"encoding/binary"
	"maps"
	"slices"
	"time"
)

// content is what a session holds.
type content struct {
	created int64 // Unix time, in seconds
	touched int64 // when it was last written
	values  map[string]string
	flashes []string
}

// version is the first byte of an encoded content.
const version = 1

// encode returns the content as bytes: the same content makes the same bytes.
func (c content) encode() []byte {
	b := []byte{version}
	b = binary.AppendVarint(b, c.created)
	b = binary.AppendVarint(b, c.touched)
	b = binary.AppendUvarint(b, uint64(len(c.values)))
	for _, key := range slices.Sorted(maps.Keys(c.values)) {
		b = appendText(appendText(b, key), c.values[key])
	}
	b = binary.AppendUvarint(b, uint64(len(c.flashes)))
	for _, text := range c.flashes {
		b = appendText(b, text)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// decode is the way back. Its input was authenticated or comes from the store,
// and is not trusted all the same: nothing is reserved by what it says.
func decode(b []byte) (c content, ok bool) {
	if len(b) == 0 || b[0] != version {
		return content{}, false
	}
	d := decoder{rest: b[1:]}
	c = content{created: d.number(), touched: d.number(), values: map[string]string{}}
	for n := d.count(); n > 0 && !d.bad; n-- {
		key := d.text()
		c.values[key] = d.text()
	}
	for n := d.count(); n > 0 && !d.bad; n-- {
		c.flashes = append(c.flashes, d.text())
	}
	return c, !d.bad && len(d.rest) == 0
}

type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) number() int64 {
	v, n := binary.Varint(d.rest)
	d.skip(n)
	return v
}

func (d *decoder) count() uint64 {
	v, n := binary.Uvarint(d.rest)
	d.skip(n)
	return v
}

func (d *decoder) skip(n int) {
	if d.bad = d.bad || n <= 0; !d.bad {
		d.rest = d.rest[n:]
	}
}

func (d *decoder) text() string {
	n := d.count()
	if d.bad = d.bad || n > uint64(len(d.rest)); d.bad {
		return ""
	}
	s := string(d.rest[:n])
	d.rest = d.rest[n:]
	return s
}

// expires returns when the content is to be forgotten.
func (c content) expires(s *settings) time.Time {
	idle, end := time.Unix(c.touched, 0).Add(s.Idle), time.Unix(c.created, 0).Add(s.Lifetime)
	if idle.Before(end) {
		return idle
	}
	return end
}

// valid reports whether the content is of the past, and has not expired.
func (c content) valid(s *settings, now time.Time) bool {
	const skew = 60 // seconds between the clocks of two servers
	return c.created <= c.touched && c.touched <= now.Unix()+skew && now.Before(c.expires(s))
}

// clone returns a copy that can be changed.
func (c content) clone() content {
	c.values = maps.Clone(c.values)
	c.flashes = slices.Clone(c.flashes)
	return c
}
