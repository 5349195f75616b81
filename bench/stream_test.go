package bench

import (
	"net/http"
	"os"
	"strconv"
	"testing"

	"github.com/gowsgi/gowsgi/wsgi"
)

const streamBlock = 64 << 10

func streamSize() int64 {
	n, err := strconv.ParseInt(os.Getenv(sizeEnv), 10, 64)
	if err != nil {
		panic(sizeEnv + ": " + err.Error())
	}
	return n
}

func appStream(_ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	_, err := startResponse("200 OK", wsgi.Headers{{Name: "Content-Type", Value: "application/octet-stream"}}, nil)
	return wsgi.Generator(func(yield func([]byte, error) bool) {
		block := make([]byte, streamBlock)
		for left := streamSize(); left > 0; left -= streamBlock {
			if !yield(block, nil) {
				return
			}
		}
	}), err
}

// rawStream sends each block before it makes the next, as PEP 3333 asks of a
// WSGI server.
func rawStream(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/octet-stream")
	control := http.NewResponseController(w)
	block := make([]byte, streamBlock)
	for left := streamSize(); left > 0; left -= streamBlock {
		if _, err := w.Write(block); err != nil {
			return
		}
		if control.Flush() != nil {
			return
		}
	}
}

// stream lets a child send size bytes in blocks of 64 KiB. It returns the pace
// in MB/s and the most memory that the child had resident.
func stream(t testing.TB, name string, size int64) (pace, memory float64) {
	t.Helper()
	server := startChild(t, name, sizeEnv+"="+strconv.FormatInt(size, 10))
	took := timeGet(t, dial(t, server.addr, "/"), size)
	memory = float64(server.peakMemory(t)) / (1 << 20)
	server.stop()
	return float64(size) / 1e6 / took.Seconds(), memory
}

// BenchmarkStream streams 10 GiB in blocks of 64 KiB. peak-MiB is the most
// memory that the whole server process ever had resident.
func BenchmarkStream(b *testing.B) {
	for _, name := range []string{"stream:net/http", "stream:server.Server"} {
		b.Run(name, func(b *testing.B) {
			var pace, memory float64
			for b.Loop() {
				pace, memory = stream(b, name, 10<<30)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(pace, "MB/s")
			b.ReportMetric(memory, "peak-MiB")
		})
	}
}

// TestStreamMemory holds a target that is no matter of time: what is streamed
// is not kept.
func TestStreamMemory(t *testing.T) {
	size := int64(1 << 30)
	if testing.Short() {
		size = 128 << 20
	}
	const most = 32
	if _, memory := stream(t, "stream:server.Server", size); memory >= most {
		t.Errorf("streaming took %.1f MiB of resident memory, expected less than %d", memory, most)
	} else {
		t.Logf("%.1f MiB of resident memory", memory)
	}
}
