package scgi

import (
	"iter"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func example(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/scgi-" + name + ".bin")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func pairsOf(list ...string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for i := 0; i < len(list); i += 2 {
			if !yield(list[i], list[i+1]) {
				return
			}
		}
	}
}

var get = []string{
	"CONTENT_LENGTH", "0", "REQUEST_METHOD", "GET", "SCRIPT_NAME", "", "PATH_INFO", "/a", "QUERY_STRING", "q=1",
	"SERVER_NAME", "s", "SERVER_PORT", "80", "SERVER_PROTOCOL", "HTTP/1.1", "HTTP_HOST", "s",
}

func parse(head string) (list []string, err error) {
	err = Parse(head, func(name, value string) error {
		list = append(list, name, value)
		return nil
	})
	return list, err
}

func TestExamples(t *testing.T) {
	want := example(t, "get")
	got, err := Append(nil, pairsOf(get...))
	if diff := cmp.Diff(want, string(got)); diff != "" || err != nil {
		t.Errorf("encoded: %v (-want +got):\n%s", err, diff)
	}
	post := example(t, "post")
	n, err := HeadLen([]byte(post))
	if err != nil || post[n:] != "hello" {
		t.Fatalf("HeadLen is %d, %v, expected the body to follow", n, err)
	}
	list, err := parse(post[:n])
	all := append([]string{"CONTENT_LENGTH", "5", "SCGI", "1", "CONTENT_TYPE", "text/plain", "REQUEST_METHOD", "POST"}, get[4:]...)
	if diff := cmp.Diff(all, list); diff != "" || err != nil {
		t.Errorf("decoded: %v (-want +got):\n%s", err, diff)
	}
}

func TestHeadLen(t *testing.T) {
	tests := []struct {
		in   string
		want int // 0 for more, -1 for an error
	}{
		{"", 0}, {"1", 0}, {"12", 0}, {"1234567890", 0}, {"12:", 16}, {"0:", 3}, {"70000:", 70007},
		{":", -1}, {"a", -1}, {"1a", -1}, {"-1:", -1}, {"+1:", -1}, {" 1:", -1}, {"01:", -1}, {"00:", -1},
		{"12345678901", -1}, {"9999999999:", -1}, {"GET / HTTP/1.1\r\n", -1}, {"\x16\x03\x01", -1}, {"2147483648:", -1},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			got, err := HeadLen([]byte(tt.in))
			if err != nil {
				got = -1
			}
			if got != tt.want {
				t.Errorf("HeadLen(%q) is %d, %v, expected %d", tt.in, got, err, tt.want)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	const good = "CONTENT_LENGTH\x000\x00SCGI\x001\x00"
	for _, tt := range []struct{ name, block, end string }{
		{"no comma", good, ";"},
		{"no block", "", ","},
		{"no NUL at the end", "CONTENT_LENGTH\x000\x00SCGI\x001", ","},
		{"a name without value", good + "NAME\x00", ","},
		{"a name without NUL", good + "NAME", ","},
		{"CONTENT_LENGTH second", "SCGI\x001\x00CONTENT_LENGTH\x000\x00", ","},
		{"CONTENT_LENGTH empty", "CONTENT_LENGTH\x00\x00SCGI\x001\x00", ","},
		{"SCGI missing", "CONTENT_LENGTH\x000\x00A\x00b\x00", ","},
		{"SCGI other", "CONTENT_LENGTH\x000\x00SCGI\x002\x00", ","},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if list, err := parse("99:" + tt.block + tt.end); err == nil {
				t.Errorf("parsed %q, expected an error", list)
			}
		})
	}
	if _, err := parse("99:" + good + ","); err != nil {
		t.Errorf("the block that the others vary: %v", err)
	}
}

func TestAppendErrors(t *testing.T) {
	for _, list := range [][]string{
		{}, {"A", "b"}, {"CONTENT_LENGTH", ""}, {"CONTENT_LENGTH", "0", "", "v"},
		{"CONTENT_LENGTH", "0", "A\x00", "v"}, {"CONTENT_LENGTH", "0", "A", "v\x00w"},
	} {
		if b, err := Append(nil, pairsOf(list...)); err == nil {
			t.Errorf("%q became %q, expected an error", list, b)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(example(f, "get"))
	f.Add(example(f, "post"))
	f.Add("24:CONTENT_LENGTH\x000\x00SCGI\x001\x00,")
	f.Fuzz(func(t *testing.T, in string) {
		n, err := HeadLen([]byte(in))
		for i := range min(len(in), 16) { // the same answer for every part that is long enough
			if part, partErr := HeadLen([]byte(in[:i])); partErr != nil && err == nil || part > 0 && part != n {
				t.Fatalf("HeadLen(%q) is %d, %v, and for the whole it is %d, %v", in[:i], part, partErr, n, err)
			}
		}
		if err != nil || n == 0 || n > len(in) {
			return
		}
		list, err := parse(in[:n])
		if err != nil {
			return
		}
		var rest []string
		for i := 0; i < len(list); i += 2 {
			if list[i] == "" {
				return
			}
			if list[i] != "SCGI" {
				rest = append(rest, list[i:i+2]...)
			}
		}
		b, err := Append(nil, pairsOf(rest...))
		if err != nil {
			t.Fatalf("%q cannot be encoded: %v", rest, err)
		}
		if m, err := HeadLen(b); m != len(b) || err != nil {
			t.Fatalf("HeadLen(%q) is %d, %v, expected %d", b, m, err, len(b))
		}
		again, err := parse(string(b))
		if want := append(append(rest[:2:2], "SCGI", "1"), rest[2:]...); err != nil || !cmp.Equal(again, want) {
			t.Fatalf("%q became %q, %v", want, again, err)
		}
		if strings.Count(string(b), "\x00") != len(again) {
			t.Fatalf("%q has another number of NULs than names and values", b)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	head := example(b, "get")
	b.SetBytes(int64(len(head)))
	b.ReportAllocs()
	for b.Loop() {
		Parse(head, func(string, string) error { return nil })
	}
}
