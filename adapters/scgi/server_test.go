package scgi

import (
	"testing"

	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/internal/backend"
)

var subject = adaptertest.Subject{Protocol: "scgi", New: func(o backend.Options) adaptertest.Server {
	return &Server{
		App: o.App, ScriptName: o.ScriptName, Environ: o.Environ,
		ReadHeaderTimeout: o.ReadHeaderTimeout, ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout,
		MaxHeaderBytes: o.MaxHeaderBytes, MaxBodyBytes: o.MaxBodyBytes,
		SingleThread: o.SingleThread, Multiprocess: o.Multiprocess,
		AllowTab: o.AllowTab, AllowProxyAuthenticate: o.AllowProxyAuthenticate,
		Debug: o.Debug, Errors: o.Errors, Logger: o.Logger,
	}
}}

func TestCaptures(t *testing.T) { subject.Captures(t, nil) }

func TestBehaviour(t *testing.T) { subject.Behaviour(t) }

func TestConformance(t *testing.T) { subject.Conformance(t) }

func TestNginx(t *testing.T) { subject.Nginx(t) }

func BenchmarkConnection(b *testing.B) { subject.Benchmark(b) }

func FuzzServer(f *testing.F) { subject.Fuzz(f) }
