package conditional

import (
	"strings"
	"testing"
	"time"
)

func TestEvaluate(t *testing.T) {
	const old, date, later = "Wed, 01 Jan 2025 00:00:00 GMT", "Thu, 02 Jan 2025 00:00:00 GMT", "Fri, 03 Jan 2025 00:00:00 GMT"
	modified, ok := ParseDate(date)
	if !ok {
		t.Fatal("the date is none")
	}
	tests := []struct {
		name     string
		headers  Headers
		etag     string
		modified time.Time
		want     Outcome
	}{
		{"none", Headers{}, `"a"`, modified, Proceed},
		{"the tag", Headers{NoneMatch: `"a"`}, `"a"`, modified, NotModified},
		{"in a list", Headers{NoneMatch: `"b" ,, W/"a"`}, `"a"`, modified, NotModified},
		{"not in a list", Headers{NoneMatch: `"b", "c"`}, `"a"`, modified, Proceed},
		{"behind a malformed tag", Headers{NoneMatch: `b, "a"`}, `"a"`, modified, Proceed},
		{"without a comma", Headers{NoneMatch: `"a" "b"`}, `"a"`, modified, Proceed},
		{"a comma in a tag", Headers{NoneMatch: `"x,y", "a"`}, `"a"`, modified, NotModified},
		{"whatever exists", Headers{NoneMatch: " * "}, "", time.Time{}, NotModified},
		{"no tag is no tag", Headers{NoneMatch: `""`}, "", modified, Proceed},
		{"the tag wins over the date", Headers{NoneMatch: `"b"`, ModifiedSince: date}, `"a"`, modified, Proceed},
		{"a malformed tag wins too", Headers{NoneMatch: `b`, ModifiedSince: date}, `"a"`, modified, Proceed},
		{"not modified since", Headers{ModifiedSince: date}, "", modified, NotModified},
		{"modified since", Headers{ModifiedSince: old}, "", modified, Proceed},
		{"since when is unknown", Headers{ModifiedSince: date}, "", time.Time{}, Proceed},
		{"no date", Headers{ModifiedSince: "yesterday"}, "", modified, Proceed},
		{"unmodified since no date", Headers{UnmodifiedSince: "yesterday"}, "", modified, Proceed},
		{"a date of old", Headers{ModifiedSince: "Thursday, 02-Jan-25 00:00:00 GMT"}, "", modified, NotModified},
		{"a date of older", Headers{ModifiedSince: "Thu Jan  2 00:00:00 2025"}, "", modified, NotModified},
		{"expected", Headers{Match: `"b", "a"`}, `"a"`, modified, Proceed},
		{"not expected", Headers{Match: `"b"`}, `"a"`, modified, Failed},
		{"expected weakly", Headers{Match: `W/"a"`}, `W/"a"`, modified, Failed},
		{"anything is expected", Headers{Match: "*"}, "", modified, Proceed},
		{"unmodified since", Headers{UnmodifiedSince: date}, "", modified, Proceed},
		{"not unmodified since", Headers{UnmodifiedSince: old}, "", modified, Failed},
		{"unmodified since when is unknown", Headers{UnmodifiedSince: old}, "", time.Time{}, Proceed},
		{"the expected tag wins over the date", Headers{Match: `"a"`, UnmodifiedSince: old}, `"a"`, modified, Proceed},
		{"expected, and there", Headers{Match: `"a"`, NoneMatch: `"a"`}, `"a"`, modified, NotModified},
		{"unmodified since, and not modified since", Headers{UnmodifiedSince: later, ModifiedSince: later}, "", modified, NotModified},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.headers.Evaluate(tt.etag, tt.modified); got != tt.want {
				t.Errorf("got %d, expected %d", got, tt.want)
			}
		})
	}
}

// FuzzTags checks that a list of tags matches exactly when one of the tags of the
// well-formed beginning does, and that what is made of a tag is found again.
func FuzzTags(f *testing.F) {
	for _, seed := range []string{`"a"`, `W/"a", "b"`, "*", `"a`, `,,"a"`, `"a""b"`, "W/", `"\"`, "\"\xff\""} {
		f.Add(seed, "a")
	}
	f.Fuzz(func(t *testing.T, list, opaque string) {
		tag, rest := CutETag(list)
		if tag+rest != list {
			t.Errorf("%q is split into %q and %q", list, tag, rest)
		}
		etag := `"` + opaque + `"`
		if found := inList(list, etag, Strongly); found && !inList(list, etag, weakly) {
			t.Errorf("%q matches %s strongly and not weakly", list, etag)
		} else if found && strings.Trim(list, " \t") != "*" && !strings.Contains(list, etag) {
			t.Errorf("%q matches %s", list, etag)
		}
		valid := opaque != "" && strings.IndexFunc(opaque, func(c rune) bool { return c <= 0x20 || c == 0x7F || c == '"' }) < 0
		if valid && (inList(`"x y", `+etag, etag, weakly) || !inList(`"other!", W/`+etag, etag, weakly) || inList("W/"+etag, etag, Strongly)) {
			t.Errorf("%s is not found, or too strongly", etag)
		}
		ParseDate(list)
	})
}
