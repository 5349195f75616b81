package python

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/gowsgi/gowsgi/wsgi"
)

// variable is one variable of a request as it goes to Python.
type variable struct{ name, value string }

// packer makes packets. It is kept from request to request.
type packer struct {
	variables []variable
	headers   []variable // room for those of variables that are headers
	packet    []byte
	collect   func(key, value string) bool // method value, made once
}

var packers = sync.Pool{New: func() any {
	p := &packer{packet: make([]byte, 0, largestPacket)}
	p.collect = p.add
	return p
}}

var errNUL = errors.New("python: a variable of the request contains a NUL, which has no place in a native string")

func (p *packer) add(key, value string) bool {
	if strings.HasPrefix(key, "HTTP_") {
		p.headers = append(p.headers, variable{key, value})
	} else {
		p.variables = append(p.variables, variable{key, value})
	}
	return true
}

// gather collects the variables that are strings. Values of other types do not
// leave the process. What Python sets by itself is left out.
//
// The names of headers, which net/http keeps in a map, are put into an order: then
// the requests of one browser have the same list of names, and the worker need not
// take it apart again. The others come in one.
func (p *packer) gather(environ *wsgi.Environ) error {
	p.variables, p.headers = p.variables[:0], p.headers[:0]
	environ.Strings(p.collect)
	slices.SortFunc(p.headers, func(a, b variable) int { return strings.Compare(a.name, b.name) })
	p.variables = append(p.variables, p.headers...)
	for _, v := range p.variables {
		if strings.IndexByte(v.name, 0) >= 0 || strings.IndexByte(v.value, 0) >= 0 {
			return errNUL
		}
	}
	return nil
}

// pack makes the packet of a request from the variables and the body, and
// reports whether all of it fits into one packet.
func (p *packer) pack(id uint64, flags uint16, body []byte) (fits bool) {
	b := append(p.packet[:0], make([]byte, packetHead)...)
	for i, v := range p.variables {
		if i > 0 {
			b = append(b, 0)
		}
		b = append(b, v.name...)
	}
	names := len(b) - packetHead
	for i, v := range p.variables {
		if i > 0 {
			b = append(b, 0)
		}
		b = append(b, v.value...)
	}
	values := len(b) - packetHead - names
	if len(b) > largestPacket {
		fits, flags = false, flags&^packetInline|packetLarge
	} else if fits = len(b)+len(body) <= largestPacket; fits {
		b = append(b, body...)
	} else {
		flags = flags&^packetInline | packetRemote
	}
	binary.LittleEndian.PutUint64(b, id)
	binary.LittleEndian.PutUint32(b[8:], uint32(names))
	binary.LittleEndian.PutUint32(b[12:], uint32(values))
	binary.LittleEndian.PutUint16(b[16:], flags)
	if flags&packetInline != 0 {
		binary.LittleEndian.PutUint16(b[18:], uint16(len(body)))
	}
	p.packet = b
	return fits
}
