package uwsgi

import (
	"iter"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func example(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/uwsgi-" + name + ".bin")
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
	"REQUEST_METHOD", "GET", "SCRIPT_NAME", "", "PATH_INFO", "/a", "QUERY_STRING", "q=1",
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
	all := append([]string{"CONTENT_LENGTH", "5", "CONTENT_TYPE", "text/plain", "REQUEST_METHOD", "POST"}, get[2:]...)
	if diff := cmp.Diff(all, list); diff != "" || err != nil {
		t.Errorf("decoded: %v (-want +got):\n%s", err, diff)
	}
}

func TestHeadLen(t *testing.T) {
	tests := []struct {
		name, in string
		want     int // 0 for more, -1 for an error
	}{
		{"nothing", "", 0},
		{"part of the header", "\x00\x90\x00", 0},
		{"a request", "\x00\x90\x00\x00", 148},
		{"the most", "\x00\xff\xff\x00", 65539},
		{"modifier2 is not looked at", "\x00\x04\x00\x07", 8},
		{"PSGI", "\x05", -1},
		{"ping", "\x64\x00\x00\x00", -1},
		{"HTTP", "GET / HTTP/1.1\r\n", -1},
		{"TLS", "\x16\x03\x01", -1},
		{"no variables", "\x00\x00\x00\x00", -1},
		{"less than a variable", "\x00\x03\x00\x00", -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
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
	for name, block := range map[string]string{
		"empty name":         "\x00\x00\x01\x00v",
		"name too long":      "\x05\x00name",
		"value too long":     "\x01\x00n\x05\x00v",
		"no value":           "\x01\x00n",
		"half a value size":  "\x01\x00n\x01",
		"one stray byte":     "\x01\x00n\x01\x00v\x00",
		"three stray bytes":  "\x01\x00n\x01\x00v\x01\x00n",
		"the largest length": "\xff\xffn",
	} {
		t.Run(name, func(t *testing.T) {
			if list, err := parse("\x00\x00\x00\x00" + block); err == nil {
				t.Errorf("parsed %q, expected an error", list)
			}
		})
	}
}

func TestAppendErrors(t *testing.T) {
	for name, list := range map[string][]string{
		"empty name": {"", "v"},
		"too much":   {"A", strings.Repeat("v", 40000), "B", strings.Repeat("v", 25600)},
		"one value":  {"A", strings.Repeat("v", MaxBlock)},
	} {
		if b, err := Append([]byte("before"), pairsOf(list...)); err == nil || string(b) != "before" {
			t.Errorf("%s: became %d bytes, %v, expected an error and nothing appended", name, len(b), err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(example(f, "get"))
	f.Add(example(f, "post"))
	f.Fuzz(func(t *testing.T, in string) {
		n, err := HeadLen([]byte(in))
		if err != nil || n == 0 || n > len(in) {
			return
		}
		list, err := parse(in[:n])
		if err != nil {
			return
		}
		b, err := Append(nil, pairsOf(list...))
		if err != nil || string(b[HeaderLen:]) != in[HeaderLen:n] {
			t.Fatalf("%q was parsed and became %q, %v", in[:n], b, err)
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
