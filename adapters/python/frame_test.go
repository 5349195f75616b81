package python

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gowsgi/gowsgi/wsgi"
)

// FuzzFrame: whatever a worker sends, the head of a frame names no more bytes
// than there are buffers for, and a head of a response that is taken apart is
// put together again from its parts.
func FuzzFrame(f *testing.F) {
	f.Add([]byte("\x05\x00\x00\x00\x03\x00\x00\x00\x01\x00\x01\x00\x00\x00\x00\x00\x01\x00\x01\x00200 OK\x00A\x00b"))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x01\x00\x00\x00\x00\x00\x06\x00\x00\x00"))
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00a\x00b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < frameHead {
			return
		}
		m, size, err := parseHead(data)
		if err == nil && (size > largestFrame || m.kind != frameRead && m.head > size) {
			t.Errorf("a frame of %d bytes with a head of %d was accepted", size, m.head)
		}
		head := data[frameHead:]
		status, headers, err := parseResponse(head)
		if err != nil {
			return
		}
		again := []byte(status)
		for _, h := range headers {
			again = append(again, "\x00"+h.Name+"\x00"+h.Value...)
		}
		// A last NUL before nothing names no header.
		if !bytes.Equal(again, head) && !bytes.Equal(append(again, 0), head) {
			t.Errorf("%q was taken for %q and %q", head, status, headers)
		}
	})
}

// TestPacket has the bytes of a request as the worker takes it apart.
func TestPacket(t *testing.T) {
	for _, test := range []struct {
		name  string
		long  int // bytes of one variable
		body  string
		fits  bool
		flags uint16
	}{
		{"no body", 1, "", true, packetInline},
		{"a small body", 1, "abc", true, packetInline},
		{"a body that does not fit is asked for", 1, strings.Repeat("x", largestPacket), false, packetRemote},
		{"neither do the variables", largestPacket, "", false, packetLarge},
	} {
		t.Run(test.name, func(t *testing.T) {
			long := strings.Repeat("l", test.long)
			p := packers.Get().(*packer)
			environ := wsgi.EnvironFromMap(map[string]any{"HTTP_Z": "last", "HTTP_A": long, "wsgi.other": 3})
			if err := p.gather(environ); err != nil {
				t.Fatal(err)
			}
			if fits := p.pack(7<<16|1, packetInline, []byte(test.body)); fits != test.fits {
				t.Errorf("it fits: %v, want %v", fits, test.fits)
			}
			var want []byte
			want = binary.LittleEndian.AppendUint64(want, 7<<16|1)
			want = binary.LittleEndian.AppendUint32(want, 13)
			want = binary.LittleEndian.AppendUint32(want, uint32(len(long)+5))
			want = binary.LittleEndian.AppendUint16(want, test.flags)
			inline := ""
			if test.fits {
				inline = test.body
			}
			want = binary.LittleEndian.AppendUint16(want, uint16(len(inline)))
			want = append(want, "HTTP_A\x00HTTP_Z"+long+"\x00last"+inline...)
			if diff := cmp.Diff(want, p.packet); diff != "" {
				t.Errorf("the packet is not as wanted (-want +got):\n%s", diff)
			}
		})
	}
	p := &packer{}
	p.collect = p.add
	if err := p.gather(wsgi.EnvironFromMap(map[string]any{"A": "x\x00y"})); err != errNUL {
		t.Errorf("a NUL in a value: %v, want %v", err, errNUL)
	}
}
