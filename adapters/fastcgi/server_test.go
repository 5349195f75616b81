package fastcgi

import (
	"bytes"
	"testing"

	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/internal/backend"
)

var subject = adaptertest.Subject{Protocol: "fastcgi", New: func(o backend.Options) adaptertest.Server {
	return adaptertest.Set(new(Server), o)
}}

func TestCaptures(t *testing.T) {
	subject.Captures(t, func(raw []byte) (requests [][]byte) {
		begin := []byte{1, 1, 0, 1, 0, 8, 0, 0, 0, 1}
		for len(raw) > 0 {
			n := bytes.Index(raw[1:], begin) + 1
			if n == 0 {
				n = len(raw)
			}
			requests, raw = append(requests, raw[:n]), raw[n:]
		}
		return requests
	})
}

func TestBehaviour(t *testing.T) { subject.Behaviour(t) }

func TestConformance(t *testing.T) { subject.Conformance(t) }

func TestNginx(t *testing.T) { subject.Nginx(t) }

func BenchmarkConnection(b *testing.B) { subject.Benchmark(b) }

func FuzzServer(f *testing.F) { subject.Fuzz(f) }

func TestFields(t *testing.T) { adaptertest.Fields(t, (*Server).backend) }
