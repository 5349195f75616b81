package fastcgi

import (
	"bytes"
	"testing"

	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/internal/backend"
)

var subject = adaptertest.Subject{Protocol: "fastcgi", New: func(o backend.Options) adaptertest.Server {
	return &Server{
		App: o.App, ScriptName: o.ScriptName, Environ: o.Environ,
		ReadHeaderTimeout: o.ReadHeaderTimeout, ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout,
		MaxHeaderBytes: o.MaxHeaderBytes, MaxBodyBytes: o.MaxBodyBytes,
		SingleThread: o.SingleThread, Multiprocess: o.Multiprocess,
		AllowTab: o.AllowTab, AllowProxyAuthenticate: o.AllowProxyAuthenticate,
		Debug: o.Debug, Errors: o.Errors, Logger: o.Logger,
	}
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
