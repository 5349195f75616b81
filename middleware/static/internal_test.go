package static

import (
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// Windows reads these as a device, a stream, or another name than they spell.
func TestWindowsNames(t *testing.T) {
	odd := []string{
		"CON", "con", "Con.txt", "NUL", "nul.tar.gz", "AUX.js", "PRN", "COM1", "com9.log", "LPT1", "COM¹", "LPT³.x", "CONIN$", "CONOUT$", "NUL .txt", "COM0",
		"index.html::$DATA", "a:b", "C:", "a.txt.", "a.txt ", "a..", "GIT~1", "PROGRA~1", "a<b", "a|b", `a"b`, "a?b", "a*b",
	}
	plain := []string{"console", "CON1", "COM", "COM10", "nully.txt", "auxiliary.js", "a.b.c", "lpt", "~user", "back~", "a~b", "ü", "a b", "com¹x"}
	for _, name := range odd {
		if (naming{windows: true}).allows(name) {
			t.Errorf("%q may be a file on Windows", name)
		}
		if !(naming{}).allows(name) {
			t.Errorf("%q may be no file elsewhere", name)
		}
	}
	for _, name := range plain {
		if !(naming{windows: true}).allows(name) {
			t.Errorf("%q may be no file on Windows", name)
		}
	}
	for _, path := range []string{"/NUL", "/a/con.txt/b", "/a.txt::$DATA", "/GIT~1/config", "/a./b"} {
		if name, _, ok := (naming{windows: true}).file(path); ok {
			t.Errorf("%s is the file %s on Windows", path, name)
		}
	}
}

// A file that was changed a moment ago may change once more without a trace.
func TestSettled(t *testing.T) {
	changed := time.Unix(1e9, 5e8)
	files := fstest.MapFS{"a": {ModTime: changed}}
	info, err := files.Stat("a")
	if err != nil {
		t.Fatal(err)
	}
	for age, want := range map[time.Duration]struct{ strong, dated bool }{
		-1:            {false, false}, // by the clock of another machine
		0:             {false, true},
		unsettled - 1: {false, true},
		unsettled:     {true, true},
	} {
		s := &site{Config: Config{Files: files}, now: func() time.Time { return changed.Add(age) }}
		v, err := s.validators("a", "", info)
		if err != nil || v.strong != want.strong || strings.HasPrefix(v.etag, "W/") == want.strong || v.modified.IsZero() == want.dated {
			t.Errorf("after %v: got %+v, %v, expected %+v", age, v, err, want)
		}
	}
}

// swapping has a folder where there was a file a moment ago.
type swapping struct{ fstest.MapFS }

func (s swapping) Open(string) (fs.File, error) { return s.MapFS.Open("folder") }

func TestSwapped(t *testing.T) {
	files := swapping{fstest.MapFS{"a.txt": {Data: []byte("a")}, "folder/b": {}}}
	next := plain("404 Not Found", "it is for the next one\n")
	res := wsgitest.Do(t, New(Config{Files: files})(next), wsgitest.NewRequest("GET", "/a.txt"))
	if res.Text() != "it is for the next one\n" {
		t.Errorf("got %s %q", res.Status, res.Text())
	}
}

func TestContentTypes(t *testing.T) {
	s := &site{Config: Config{Types: map[string]string{".md": "text/x-md", ".svg": "text/plain"}}}
	for name, want := range map[string]string{
		"a.css": "text/css; charset=utf-8", "PHOTO.JPG": "image/jpeg", "a.tar.gz": "application/gzip", "b/a.Md": "text/x-md", "a.svg": "text/plain",
		"README": unknownType, "a.html.bak": unknownType, "a.": unknownType, ".html": "text/html; charset=utf-8", "a.html/b": unknownType,
	} {
		if got := s.contentType(name); got != want {
			t.Errorf("%s is %s, expected %s", name, got, want)
		}
	}
}

// FuzzPath checks that whatever a path is, the name is one that an fs.FS takes,
// and none that is hidden.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{"", "/", "/a", "/a/", "/../a", "/.git", "/a//b", "/a\\b", "/a\x00", "/\xff", "/CON", "/a/./b", "a"} {
		f.Add(seed, false, false)
		f.Add(seed, true, true)
		f.Add(seed, true, false)
	}
	f.Fuzz(func(t *testing.T, path string, dots, windows bool) {
		name, folder, ok := naming{dots, windows}.file(path)
		if !ok {
			return
		}
		if path != "" && name != "." && "/"+name != strings.TrimSuffix(path, "/") || folder != strings.HasSuffix(path, "/") {
			t.Errorf("%q is the name %q, folder %v", path, name, folder)
		}
		if name == "." {
			return
		}
		for segment := range strings.SplitSeq(name, "/") {
			if segment == "" || segment == "." || segment == ".." || !dots && segment[0] == '.' || strings.ContainsAny(segment, "\\\x00\r\n") {
				t.Errorf("%q is the name %q with the segment %q", path, name, segment)
			}
		}
	})
}

// FuzzRange checks that parts are inside of the file, do not overlap, and are
// never more than it.
func FuzzRange(f *testing.F) {
	for _, seed := range []string{"bytes=0-9", "bytes=-5", "bytes=5-", "bytes=0-1,3-4,-2", "bytes=9-0", "lines=1-2", "bytes=99999999999999999999-", "bytes=,", "bytes=0-,0-", "bytes=-0"} {
		f.Add(seed, int64(1000))
	}
	f.Add("bytes=0-9223372036854775807", int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		spans, ok := parseRange(header, size)
		if !ok && spans != nil || len(spans) > mostRanges {
			t.Fatalf("%q of %d: %v, %v", header, size, spans, ok)
		}
		total := int64(0)
		for i, s := range spans {
			if s.start < 0 || s.length <= 0 || s.start > size-s.length {
				t.Errorf("%q of %d: %v is not inside", header, size, s)
			}
			total += s.length
			for _, other := range spans[:i] {
				if s.start < other.end() && other.start < s.end() {
					t.Errorf("%q of %d: %v overlaps %v", header, size, s, other)
				}
			}
		}
		if total > size || total < 0 {
			t.Errorf("%q of %d: %d bytes in all", header, size, total)
		}
	})
}

// Nothing follows a part of a file that turned out to be too short: it would be
// taken for a piece of that part.
func TestShortPart(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString("0123456789"); err != nil {
		t.Fatal(err)
	}
	for name, iterate := range map[string]func(*parts, func([]byte, error) bool){
		"blocks": func(b *parts, yield func([]byte, error) bool) { b.Blocks(yield) },
		"files": func(b *parts, yield func([]byte, error) bool) {
			b.StreamFiles(yield, func(file *os.File, n int64) (int64, error) {
				return io.Copy(io.Discard, io.LimitReader(file, n))
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			body := newParts(file, file, []span{{2, 4}, {5, 20}, {0, 1}}, &wsgi.Headers{}, 1000)
			heads, failed := 0, error(nil)
			iterate(body, func(block []byte, err error) bool {
				if failed != nil {
					t.Errorf("after the error came %q, %v", block, err)
				}
				if failed = err; strings.Contains(string(block), "Content-Range") {
					heads++
				}
				return err == nil
			})
			if heads != 2 || !errors.Is(failed, io.ErrUnexpectedEOF) {
				t.Errorf("%d parts were begun, and the error is %v", heads, failed)
			}
		})
	}
}

// FuzzAcceptEncoding checks that only what is offered is chosen, once, and
// nothing that is refused.
func FuzzAcceptEncoding(f *testing.F) {
	for _, seed := range []string{"gzip", "gzip;q=0", "*;q=0.5, br", "identity;q=0, *", "gzip;q=1.000,br;q=0.001", "x-gzip", ";q=1", "gzip;q=", ",,"} {
		f.Add(seed)
	}
	offered := []string{"br", "gzip"}
	f.Fuzz(func(t *testing.T, header string) {
		seen := map[string]bool{}
		for _, coding := range negotiate(header, offered) {
			if coding != "br" && coding != "gzip" || seen[coding] {
				t.Errorf("%q: chose %q", header, coding)
			}
			seen[coding] = true
			if !strings.Contains(strings.ToLower(header), coding) && !strings.Contains(header, "*") {
				t.Errorf("%q: chose %q, which is not in it", header, coding)
			}
			for _, got := range negotiate(header+","+coding+";q=0", offered) {
				if got == coding {
					t.Errorf("%q: chose %q although it is refused", header, coding)
				}
			}
		}
	})
}
