package middleware_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// Lines of a log are in local time. It is set before any server runs: a clock
// that a test before this one has left behind reads it too.
func init() { time.Local = time.UTC }

func TestAccessLogFormats(t *testing.T) {
	app := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		middleware.SetRemoteUser(environ.Clone(), "ada")
		environ.Set("REQUEST_METHOD", "PUT") // after the log has looked
		environ.Set("PATH_INFO", "/changed")
		if _, err := start("200 OK", headers("X-Out", "o1", "X-Out", "o2"), nil); err != nil {
			return nil, err
		}
		return slow(0, 500*time.Millisecond, "abc", "de").Call(environ, func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil })
	})
	pid := strconv.Itoa(os.Getpid())
	tests := []struct{ name, format, want string }{
		{"common", middleware.CommonLog, `192.0.2.7 - ada [01/Jan/2000:00:00:00 +0000] "GET /a%20b?c=d HTTP/1.1" 200 5`},
		{"combined by default", "", `192.0.2.7 - ada [01/Jan/2000:00:00:00 +0000] "GET /a%20b?c=d HTTP/1.1" 200 5 "https://from.example/" "agent \"7\""`},
		{"Apache", `%a %m %U %q %H %s %B %v %V %p %T %D %P %X %%`, "192.0.2.7 GET /a b ?c=d HTTP/1.1 200 5 127.0.0.1 host.example 80 1 1500000 " + pid + " + %"},
		{"Apache with arguments", `%{X-In}i %{X-Out}o %{X-None}o %{my.key}e %{ms}T %{s}T %{us}T %{sec}t %{msec}t %{usec}t %{iso}t`,
			"in o1, o2 - - 1500 1 1500000 946684800 946684800000 946684800000000 2000-01-01T00:00:00Z"},
		{"gunicorn", `%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"`,
			`192.0.2.7 - ada [01/Jan/2000:00:00:00 +0000] "GET /a%20b?c=d HTTP/1.1" 200 5 "https://from.example/" "agent \"7\""`},
		{"gunicorn, the others", `%(m)s %(U)s %(q)s %(H)s %(B)s %(T)s %(M)s %(D)s %(L)s %(p)s %({X-In}i)s %({Content-Type}i)s %({X-Out}o)s %({SERVER_NAME}e)s`,
			"GET /a b c=d HTTP/1.1 5 1 1500 1500000 1.500000 <" + pid + "> in a/b o1, o2 127.0.0.1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				m := middleware.AccessLog(middleware.AccessLogConfig{Format: tt.format, Output: &out})
				req := wsgitest.NewRequest("GET", "/a%20b?c=d").With("Host", "host.example").
					With("Referer", "https://from.example/").With("User-Agent", `agent "7"`).With("X-In", "in").With("Content-Type", "a/b")
				req.RemoteAddr = "192.0.2.7:99"
				wsgitest.Do(t, m(app), req)
				if diff := cmp.Diff(tt.want+"\n", out.String()); diff != "" {
					t.Errorf("line (-want +got):\n%s", diff)
				}
			})
		})
	}
	for _, bad := range []string{"%", "%Z", "%{a}", "%{a", "%{}i", "%{x}T", "%{x}t", "%(zz)s", "%(h", "%({a}x)s", "a\nb", "%>"} {
		panics(t, func() { middleware.AccessLog(middleware.AccessLogConfig{Format: bad}) }, "AccessLog", strconv.Quote(bad))
		if err := (middleware.AccessLogConfig{Format: bad}).Validate(); err == nil {
			t.Errorf("Validate accepts %q", bad)
		}
	}
}

// logged runs app once and returns its line in the format.
func logged(t *testing.T, format string, app wsgi.Application, req *wsgitest.Request) string {
	t.Helper()
	var out bytes.Buffer
	req.ExpectErrors = true
	wsgitest.Do(t, middleware.AccessLog(middleware.AccessLogConfig{Format: format, Output: &out})(app), req)
	if n := strings.Count(out.String(), "\n"); n != 1 {
		t.Errorf("%d lines, expected one: %q", n, out.String())
	}
	return strings.TrimSuffix(out.String(), "\n")
}

func TestAccessLogStatus(t *testing.T) {
	kinds := kinds(t)
	over, cancel := context.WithCancel(context.Background())
	cancel()
	tests := []struct {
		name string
		app  wsgi.Application
		req  *wsgitest.Request
		want string
	}{
		{"replaced", kinds["recovers"], &wsgitest.Request{}, "503 5 5 +"},
		{"late", late("404 Not Found", "no"), &wsgitest.Request{}, "404 2 2 +"},
		{"write", writes("ab", "c"), &wsgitest.Request{}, "200 3 3 +"},
		{"file", kinds["file"], &wsgitest.Request{}, "200 100000 100000 +"},
		{"Plack: logged before the body", streams(errApp, "ab"), &wsgitest.Request{}, "200 2 2 X"},
		{"Rack: nothing when the application raises", kinds["panics"], &wsgitest.Request{}, "500 - 0 X"},
		{"error", kinds["fails"], &wsgitest.Request{}, "500 - 0 X"},
		{"error before the first byte", streams(errApp), &wsgitest.Request{}, "500 - 0 X"},
		{"never started", wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return wsgi.Empty(), nil }), &wsgitest.Request{}, "500 - 0 +"},
		{"nothing is -", answer("200 OK", ""), &wsgitest.Request{}, "200 - 0 +"},
		{"HEAD", text("body"), &wsgitest.Request{Method: "HEAD"}, "200 - 0 +"},
		{"the client leaves", streams(nil, "ab", "cd", "ef"), &wsgitest.Request{LeaveAfter: 1}, "200 2 2 X"},
		{"gorilla: an interim response is not the one", wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if hint, ok := environ.Get("wsgi.early_hints").(func(wsgi.Headers) error); !ok || hint(headers("Link", "</style.css>")) != nil {
				t.Error("no interim response could be sent")
			}
			return text("ab").Call(environ, start)
		}), &wsgitest.Request{}, "200 2 2 +"},
		{"the client is gone before the head", breaks(context.Canceled), &wsgitest.Request{Context: over}, "- - 0 X"},
		{"the client is gone before", streams(context.Canceled), &wsgitest.Request{Context: over}, "- - 0 X"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := logged(t, "%s %b %B %X", tt.app, tt.req); got != tt.want {
				t.Errorf("got %q, expected %q", got, tt.want)
			}
		})
	}
}

// TestAccessLogEscape has each byte at each place of a value: those that need no escape
// are looked for eight at a time.
func TestAccessLogEscape(t *testing.T) {
	for place := range 10 {
		value := []byte("abcdefghij")
		for c := range 256 {
			value[place] = byte(c)
			escaped := string(byte(c))
			switch {
			case c == '"' || c == '\\':
				escaped = `\` + escaped
			case c < ' ' || c > '~':
				escaped = fmt.Sprintf(`\x%02x`, c)
			}
			want := "abcdefghij"[:place] + escaped + "abcdefghij"[place+1:]
			req := wsgitest.NewRequest("GET", "/")
			req.Extra = map[string]any{"HTTP_REFERER": string(value)}
			if got := logged(t, "%{Referer}i", text(""), req); got != want {
				t.Errorf("0x%02x at %d is logged as %s, expected %s", c, place, got, want)
			}
		}
	}
}

func TestAccessLogForgery(t *testing.T) {
	const format = `%h "%r" "%{User-Agent}i" %u %U %q`
	req := &wsgitest.Request{
		Target: "/a%0d%0ab%22c?x",
		Extra:  map[string]any{"HTTP_USER_AGENT": "a\"b\\c\x1b[31m\xe9", "REMOTE_USER": "eve\n1.2.3.4 - root", "REQUEST_URI": "/a\r\nforged"},
	}
	want := `192.0.2.1 "GET /a\x0d\x0aforged HTTP/1.1" "a\"b\\c\x1b[31m\xe9" eve\x0a1.2.3.4 - root /a\x0d\x0ab\"c ?x`
	if got := logged(t, format, text(""), req); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAccessLogRecords(t *testing.T) {
	var out bytes.Buffer
	c := middleware.AccessLogConfig{Logger: slog.New(slog.NewJSONHandler(&out, nil))}
	stack := middleware.Chain(middleware.RequestID(middleware.RequestIDConfig{}), middleware.AccessLog(c))
	req := wsgitest.NewRequest("GET", "/a?b").With("X-Request-ID", "id7").With("User-Agent", "agent \"7\"")
	wsgitest.Do(t, stack(text("hello")), req)
	req.ExpectErrors = true
	wsgitest.Do(t, stack(streams(errApp, "x")), req)
	var got []map[string]any
	for line := range strings.Lines(out.String()) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		if record["time"] == nil || record["duration"] == nil {
			t.Errorf("no time, or no duration: %s", line)
		}
		delete(record, "time")
		delete(record, "duration")
		got = append(got, record)
	}
	record := func(level string, bytes float64, more ...any) map[string]any {
		r := map[string]any{
			"level": level, "msg": "request", "remote": "192.0.2.1", "method": "GET", "target": "/a?b", "protocol": "HTTP/1.1",
			"status": 200.0, "bytes": bytes, "host": "127.0.0.1", "user_agent": `agent "7"`, "request_id": "id7",
		}
		for i := 0; i < len(more); i += 2 {
			r[more[i].(string)] = more[i+1]
		}
		return r
	}
	want := []map[string]any{record("INFO", 5), record("ERROR", 1, "error", errApp.Error())}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestAccessLog(t *testing.T) {
	var out bytes.Buffer
	m := middleware.AccessLog(middleware.AccessLogConfig{Output: &out, Skip: func(o *middleware.Observation) bool { return o.Status[:1] == "2" }})
	wsgitest.Do(t, m(text("")), &wsgitest.Request{})
	if out.Len() > 0 {
		t.Errorf("a request that is skipped is logged: %s", &out)
	}
	keeps(t, middleware.AccessLog(middleware.AccessLogConfig{Output: discard{}}))
}

// discard fails, which is nobody's affair but the log's.
type discard struct{}

func (discard) Write([]byte) (int, error) { return 0, errors.New("disk full") }
