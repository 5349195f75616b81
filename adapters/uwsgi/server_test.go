package uwsgi

import (
	"testing"

	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/internal/backend"
)

var subject = adaptertest.Subject{Protocol: "uwsgi", New: func(o backend.Options) adaptertest.Server {
	return adaptertest.Set(new(Server), o)
}}

func TestCaptures(t *testing.T) { subject.Captures(t, nil) }

func TestBehaviour(t *testing.T) { subject.Behaviour(t) }

func TestConformance(t *testing.T) { subject.Conformance(t) }

func TestNginx(t *testing.T) { subject.Nginx(t) }

func BenchmarkConnection(b *testing.B) { subject.Benchmark(b) }

func FuzzServer(f *testing.F) { subject.Fuzz(f) }

func TestFields(t *testing.T) { adaptertest.Fields(t, (*Server).backend) }
