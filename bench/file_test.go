package bench

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/measure"
	"github.com/gowsgi/gowsgi/wsgi"
)

func serveContent(w http.ResponseWriter, r *http.Request) {
	file, err := os.Open(os.Getenv(fileEnv))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer file.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", time.Time{}, file)
}

func serveFile(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	file, err := os.Open(os.Getenv(fileEnv))
	if err != nil {
		return nil, err
	}
	body := environ.FileWrapper()(file, 0)
	info, err := file.Stat()
	if err != nil {
		return body, err
	}
	_, err = startResponse("200 OK", wsgi.Headers{
		{Name: "Content-Type", Value: "application/octet-stream"},
		{Name: "Content-Length", Value: strconv.FormatInt(info.Size(), 10)},
	}, nil)
	return body, err
}

var fileServers = []string{"file:http.ServeContent", "file:file_wrapper"}

// dialFile starts a server of a file of the given size and connects to it. The
// file is sparse: what is measured is the way from the page cache to the
// client, not the disk.
func dialFile(t testing.TB, name string, size int64) *client {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	return dial(t, startChild(t, name, fileEnv+"="+path).addr, "/")
}

// BenchmarkFile sends a file of 1 GiB over one connection: by http.ServeContent
// under a net/http server with timeouts, and by wsgi.file_wrapper under a
// server.Server. ratio is the median over the rounds.
func BenchmarkFile(b *testing.B) {
	const size = 1 << 30
	var clients []*client
	for _, name := range fileServers {
		c := dialFile(b, name, size)
		timeGet(b, c, size) // fills the page cache
		clients = append(clients, c)
	}
	rates := make([][]float64, len(clients))
	for b.Loop() {
		for i := range 8 {
			for _, k := range turn(len(clients), i) {
				rates[k] = append(rates[k], size/1e6/timeGet(b, clients[k], size).Seconds())
			}
		}
	}
	for k, name := range fileServers {
		b.Run(name, func(b *testing.B) {
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(measure.Median(rates[k]), "MB/s")
			b.ReportMetric(measure.Median(measure.Quotients(rates[k], rates[0])), "ratio")
		})
	}
}

// timeGet returns how long one answer takes, and checks its size.
func timeGet(t testing.TB, c *client, size int64) time.Duration {
	t.Helper()
	start := time.Now()
	got, err := c.get()
	if err != nil {
		t.Fatal(err)
	}
	if got != size {
		t.Fatalf("the body has %d bytes, expected %d", got, size)
	}
	return time.Since(start)
}

// TestFile checks that both sides of BenchmarkFile serve the file.
func TestFile(t *testing.T) {
	for _, name := range fileServers {
		t.Run(name, func(t *testing.T) {
			const size = 3<<20 + 1
			c := dialFile(t, name, size)
			timeGet(t, c, size)
			timeGet(t, c, size)
		})
	}
}
