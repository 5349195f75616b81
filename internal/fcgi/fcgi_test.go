package fcgi

import (
	"bytes"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func example(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "fastcgi-"+name+".bin"))
	if err != nil {
		t.Fatal(err)
	}
	return b
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

// TestEncode compares with the worked examples of the reference page.
func TestEncode(t *testing.T) {
	must := func(b []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	request := func(flags uint8, body string, list ...string) []byte {
		b := AppendBegin(nil, 1, Responder, flags)
		b = must(AppendParams(b, 1, pairsOf(list...)))
		b = AppendStreamEnd(b, Params, 1)
		b = AppendStream(b, Stdin, 1, []byte(body))
		return AppendStreamEnd(b, Stdin, 1)
	}
	response := AppendStream(nil, Stdout, 1, []byte("Status: 200 OK\r\nContent-Type: text/plain\r\n\r\nok\n"))
	response = AppendStreamEnd(response, Stdout, 1)
	var values []byte
	for _, name := range []string{"FCGI_MAX_CONNS", "FCGI_MAX_REQS", "FCGI_MPXS_CONNS"} {
		values = AppendPair(values, name, "")
	}
	tests := []struct {
		name string
		got  []byte
	}{
		{"get", request(0, "", get...)},
		{"response", AppendEnd(response, 1, 0, RequestComplete)},
		{"get_values", AppendRecord(nil, GetValues, 0, values)},
		{"unknown_type", AppendUnknown(nil, 77)},
		{"abort", AppendAbort(nil, 1)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := example(t, tt.name)
			if diff := cmp.Diff(unpad(t, want), unpad(t, tt.got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for rest := tt.got; len(rest) > 0; {
				h, err := ParseHeader(rest)
				if err != nil {
					t.Fatal(err)
				}
				n := HeaderLen + int(h.Length) + int(h.Padding)
				if n%8 != 0 {
					t.Errorf("record %+v is not a multiple of eight", h)
				}
				rest = rest[n:]
			}
		})
	}
}

// record is one record, for comparing.
type record struct {
	Type    Type
	ID      uint16
	Content string
}

// unpad takes records apart; how they are padded is the sender's choice.
func unpad(t *testing.T, b []byte) (all []record) {
	for len(b) > 0 {
		h, err := ParseHeader(b)
		if err != nil {
			t.Fatal(err)
		}
		b = b[HeaderLen:]
		all = append(all, record{h.Type, h.ID, string(b[:h.Length])})
		b = b[int(h.Length)+int(h.Padding):]
	}
	return all
}

func TestDecode(t *testing.T) {
	var got []string
	for _, r := range unpad(t, example(t, "post")) {
		switch r.Type {
		case BeginRequest:
			role, flags, err := ParseBegin([]byte(r.Content))
			if role != Responder || flags != KeepConn || err != nil {
				t.Errorf("BEGIN_REQUEST: role %d, flags %d, error %v; expected %d, %d and none", role, flags, err, Responder, KeepConn)
			}
		case Params:
			for s := r.Content; s != ""; {
				name, value, rest, err := NextPair(s)
				if err != nil {
					t.Fatal(err)
				}
				got, s = append(got, name, value), rest
			}
		}
	}
	want := append([]string{"CONTENT_LENGTH", "5", "CONTENT_TYPE", "text/plain", "REQUEST_METHOD", "POST"}, get[2:]...)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParse(t *testing.T) {
	if _, err := ParseHeader([]byte{2, 1, 0, 1, 0, 0, 0, 0}); err == nil {
		t.Error("expected a record of version 2 to be refused")
	}
	h, err := ParseHeader([]byte{1, 5, 1, 2, 0xff, 0xfe, 0xfd, 0xaa})
	if diff := cmp.Diff(Header{Stdin, 0x102, 0xfffe, 0xfd}, h); diff != "" || err != nil {
		t.Errorf("header: %v (-want +got):\n%s", err, diff)
	}
	if _, _, err := ParseBegin(make([]byte, 7)); err == nil {
		t.Error("expected a BEGIN_REQUEST of 7 bytes to be refused")
	}
	if _, _, err := ParseEnd(make([]byte, 9)); err == nil {
		t.Error("expected an END_REQUEST of 9 bytes to be refused")
	}
	// PHP leaves other bytes in the reserved ones.
	if status, protocol, err := ParseEnd([]byte("\x00\x00\x01\x02\x00" + "1.1")); status != 0x102 || protocol != 0 || err != nil {
		t.Errorf("END_REQUEST: %d, %d, %v, expected 258, 0 and no error", status, protocol, err)
	}
}

func TestNextPair(t *testing.T) {
	long := strings.Repeat("v", 128)
	tests := []struct {
		name, in string
		want     []string // name, value, rest; nil for an error
	}{
		{"short", "\x01\x02abbrest", []string{"a", "bb", "rest"}},
		{"empty", "\x00\x00", []string{"", "", ""}},
		{"long value", "\x01\x80\x00\x00\x80a" + long, []string{"a", long, ""}},
		{"long form of a short length", "\x80\x00\x00\x01\x01ab", []string{"a", "b", ""}},
		{"only a name length", "\x01", nil},
		{"half a long length", "\x80\x00\x00", nil},
		{"half a second length", "\x01\x80\x00\x00", nil},
		{"name too long", "\x05\x00abc", nil},
		{"value too long", "\x01\x05abc", nil},
		{"both 2^31-1", "\xff\xff\xff\xff\xff\xff\xff\xffab", nil},
		{"sum wraps", "\xff\xff\xff\xff\x01ab", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name, value, rest, err := NextPair(tt.in)
			if (err != nil) != (tt.want == nil) {
				t.Fatalf("error %v, expected one: %t", err, tt.want == nil)
			}
			if err == nil {
				if diff := cmp.Diff(tt.want, []string{name, value, rest}); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
}

// TestAppendParams: uWSGI and PHP cannot read a pair that straddles records.
func TestAppendParams(t *testing.T) {
	var list []string
	for range 30 {
		list = append(list, "HTTP_X", strings.Repeat("v", 6000))
	}
	b, err := AppendParams(nil, 1, pairsOf(list...))
	if err != nil {
		t.Fatal(err)
	}
	records := unpad(t, b)
	if len(records) < 3 {
		t.Errorf("180 kB of variables are in %d records, expected at least 3", len(records))
	}
	n := 0
	for _, r := range records {
		for s := r.Content; s != ""; n++ {
			if _, _, s, err = NextPair(s); err != nil {
				t.Fatalf("a pair straddles two records: %v", err)
			}
		}
	}
	if n != 30 {
		t.Errorf("%d pairs, expected 30", n)
	}
	if _, err := AppendParams(nil, 1, pairsOf("A", strings.Repeat("v", MaxContent))); err == nil {
		t.Error("expected an error for a pair that does not fit into a record")
	}
	if b, err := AppendParams(nil, 1, pairsOf()); len(b) > 0 || err != nil {
		t.Errorf("no pairs are %q, %v, expected nothing", b, err)
	}
}

func TestAppendStream(t *testing.T) {
	content := bytes.Repeat([]byte("x"), 2*MaxContent+1)
	var sizes []int
	for _, r := range unpad(t, AppendStream(nil, Stdout, 7, content)) {
		sizes = append(sizes, len(r.Content))
	}
	if diff := cmp.Diff([]int{MaxContent, MaxContent, 1}, sizes); diff != "" {
		t.Errorf("sizes of records (-want +got):\n%s", diff)
	}
	if b := AppendStream(nil, Stdout, 7, nil); len(b) > 0 {
		t.Errorf("no content is %q, expected no record: an empty one ends the stream", b)
	}
}

func FuzzNextPair(f *testing.F) {
	f.Add("\x01\x02abbrest")
	f.Add("\xff\xff\xff\xff\xff\xff\xff\xffab")
	f.Add(string(example(f, "get")[24:152]))
	f.Fuzz(func(t *testing.T, in string) {
		var again []byte
		for s := in; s != ""; {
			name, value, rest, err := NextPair(s)
			if err != nil {
				return
			}
			if len(rest) >= len(s) {
				t.Fatalf("%q is not shorter than %q", rest, s)
			}
			if again = AppendPair(again, name, value); PairLen(name, value) > len(s)-len(rest) {
				t.Fatalf("%q takes %d bytes, expected no more than the %d that it came in", name, PairLen(name, value), len(s)-len(rest))
			}
			n, v, r, err := NextPair(string(AppendPair(nil, name, value)))
			if n != name || v != value || r != "" || err != nil {
				t.Fatalf("%q, %q became %q, %q, %q, %v", name, value, n, v, r, err)
			}
			s = rest
		}
	})
}

func BenchmarkPairs(b *testing.B) {
	block := string(example(b, "get")[24:152])
	b.SetBytes(int64(len(block)))
	b.ReportAllocs()
	for b.Loop() {
		for s := block; s != ""; {
			_, _, s, _ = NextPair(s)
		}
	}
}

func BenchmarkAppendRecord(b *testing.B) {
	content := make([]byte, 1000)
	var out []byte
	b.SetBytes(1000)
	b.ReportAllocs()
	for b.Loop() {
		out = AppendRecord(out[:0], Stdout, 1, content)
	}
}
