package session

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestXAES checks the cipher with a vector of its specification.
func TestXAES(t *testing.T) {
	s := newSealer(bytes.Repeat([]byte{1}, 32))
	nonce := []byte("ABCDEFGHIJKLMNOPQRSTUVWX")
	got := hex.EncodeToString(s.derived(nonce).Seal(nil, nonce[12:], []byte("XAES-256-GCM"), nil))
	if want := "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"; got != want {
		t.Errorf("got %s, expected %s", got, want)
	}
}

// TestForm checks that a cookie of an earlier program is still read: what changes its
// form logs everybody out.
func TestForm(t *testing.T) {
	const earlier = "Oqort8Amqg-T6AsnVOAdBysbX0QmHiWgNjCCsifZM8IYlTuYdrIY0DbnmQXRM01EX1bKKpd1d6vQJuxX_q04gI5P"
	sealed, err := encoding.DecodeString(earlier)
	if err != nil {
		t.Fatal(err)
	}
	text, ok := newSealer(bytes.Repeat([]byte{1}, 32)).open(sealed)
	if !ok {
		t.Fatal("the cookie is not opened")
	}
	got, ok := decode(text)
	want := content{created: 1e9, touched: 1e9 + 1, values: map[string]string{"user": "7"}, flashes: []string{"hello"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(content{})); !ok || diff != "" {
		t.Errorf("decoded %v (-want +got):\n%s", ok, diff)
	}
}

func TestValid(t *testing.T) {
	now := time.Unix(1e9, 0)
	s := &settings{Config: Config{Idle: 10 * time.Minute, Lifetime: time.Hour}}
	const minute = 60 // seconds
	for name, tt := range map[string]struct {
		created, touched int64 // before now
		want             bool
	}{
		"now":                              {0, 0, true},
		"used a while ago":                 {30 * minute, 9 * minute, true},
		"not used for too long":            {30 * minute, 10 * minute, false},
		"too old":                          {60 * minute, 0, false},
		"by a clock that is ahead":         {-minute, -minute, true},
		"by a clock that is far ahead":     {0, -minute - 1, false},
		"begun after it was used":          {0, minute, false},
		"that begins in the future, alone": {-1, 0, false},
	} {
		c := content{created: now.Unix() - tt.created, touched: now.Unix() - tt.touched}
		if got := c.valid(s, now); got != tt.want {
			t.Errorf("%s: got %v, expected %v", name, got, tt.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{version, 0, 0, 0, 0})
	f.Add(content{1, 2, map[string]string{"a": "b", "c\xff": ""}, []string{"x"}}.encode())
	f.Add([]byte{version, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, ok := decode(b)
		if !ok {
			return
		}
		again, ok := decode(c.encode())
		if diff := cmp.Diff(c, again, cmp.AllowUnexported(content{})); !ok || diff != "" {
			t.Errorf("again %v (-first +second):\n%s", ok, diff)
		}
	})
}

func FuzzCookie(f *testing.F) {
	for _, seed := range []string{"a=1", "s=1; s=2", `s="x"`, "s", "=;s==", "S=1", "%73=1", " s =1", "s=1;s=1", "s=\"", ";;"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		value, err := findCookie(header, "s")
		if value != "" && !strings.Contains(header, "s=") || len(value) > mostInCookie || err != nil && value != "" || strings.Contains(value, ";") {
			t.Errorf("%q: got %q, %v", header, value, err)
		}
		if got, err := findCookie("x=y; s=mine; "+strings.ReplaceAll(header, "s", ""), "s"); got != "mine" || err != nil {
			t.Errorf("%q: got %q, %v", header, got, err)
		}
	})
}

// FuzzOpen checks that nothing that was not sealed is opened.
func FuzzOpen(f *testing.F) {
	s := newSealer(bytes.Repeat([]byte{1}, 32))
	f.Add([]byte{}, 0, byte(1))
	f.Add([]byte("text"), 30, byte(0x80))
	f.Fuzz(func(t *testing.T, text []byte, at int, flip byte) {
		if _, ok := s.open(text); ok {
			t.Fatal("what nobody has sealed was opened")
		}
		sealed, _ := encoding.DecodeString(s.seal(text))
		if got, ok := s.open(sealed); !ok || !bytes.Equal(got, text) {
			t.Fatalf("got %q, %v", got, ok)
		}
		if flip == 0 || at < 0 {
			return
		}
		sealed[at%len(sealed)] ^= flip
		if _, ok := s.open(sealed); ok {
			t.Errorf("opened although byte %d was changed", at%len(sealed))
		}
	})
}
