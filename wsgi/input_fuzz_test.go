package wsgi_test

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/wsgi"
)

// FuzzInput runs random operations on an InputStream and on a position in the
// data, which is all that Python's io.BytesIO is.
func FuzzInput(f *testing.F) {
	f.Add("one\ntwo\n\nthree", []byte{0, 2, 1, 255, 0, 1, 2, 4, 3, 1, 0, 9}, byte(0))
	f.Add("\n\n\n", []byte{1, 0, 1, 1, 1, 2, 2, 1}, byte(1))
	f.Add(strings.Repeat("x", 5000)+"\ny", []byte{1, 200, 1, 255, 0, 3}, byte(2))
	f.Add("", []byte{0, 1, 1, 1, 2, 1, 3, 1}, byte(3))
	ways := []string{"at once", "byte by byte", "in halves", "end with the data"}

	f.Fuzz(func(t *testing.T, data string, operations []byte, way byte) {
		in := wsgi.NewInput(readers[ways[int(way)%len(ways)]](data))
		rest := data
		take := func(n int) (taken string) {
			taken, rest = rest[:n], rest[n:]
			return taken
		}
		takeLine := func(size int) string {
			n := strings.IndexByte(rest, '\n') + 1
			if n == 0 {
				n = len(rest)
			}
			if size >= 0 {
				n = min(n, size)
			}
			return take(n)
		}
		for len(operations) >= 2 {
			name, size := operations[0]%4, int(int8(operations[1]))
			operations = operations[2:]
			var op op
			var want []string
			switch name {
			case 0:
				op = read(size)
				if size < 0 {
					want = []string{take(len(rest))}
				} else {
					want = []string{take(min(size, len(rest)))}
				}
			case 1:
				op, want = readline(size), []string{takeLine(size)}
			case 2:
				op = readlines(size)
				for total := 0; rest != "" && (size <= 0 || total < size); {
					line := takeLine(-1)
					want = append(want, line)
					total += len(line)
				}
			case 3:
				op = next(size)
				for rest != "" && (size <= 0 || len(want) < size) {
					want = append(want, takeLine(-1))
				}
			}
			got, err := op(in)
			if err != nil || !slices.Equal(got, want) {
				t.Fatalf("operation %d(%d) = %q, %v; want %q", name, size, got, err, want)
			}
		}
		left, err := io.ReadAll(in)
		if err != nil || string(left) != rest {
			t.Fatalf("the rest = %q, %v; want %q", left, err, rest)
		}
	})
}
