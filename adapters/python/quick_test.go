package python

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/server"
)

func TestQuick(t *testing.T) {
	for _, pre := range []bool{false, true} {
		p, err := Start(t.Context(), Config{App: "testdata/hello.py:app", Python: "/usr/bin/python3", Processes: 2, Preload: pre})
		if err != nil {
			t.Fatal(err)
		}
		s := httptest.NewServer(server.Handler(p))
		begin := time.Now()
		for range 1000 {
			r, err := http.Get(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			b, _ := io.ReadAll(r.Body)
			r.Body.Close()
			if string(b) != "Hello, world!\n" {
				t.Fatalf("%s %q", r.Status, b)
			}
		}
		fmt.Println(time.Since(begin)/1000, p.Stats())
		if err := p.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		r, _ := http.Get(s.URL)
		fmt.Println(r.Status, p.Stats())
		s.Close()
		fmt.Println(p.Close())
	}
}
