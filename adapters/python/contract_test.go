package python_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/adapters/python"
)

// TestResponses has applications answer in every way there is.
func TestResponses(t *testing.T) {
	s := open(t, config(t))
	for _, test := range []struct {
		path   string
		status int
		body   string
		cut    bool
		log    string
	}{
		{"/hello", 200, "Hello, world!\n", false, ""},
		{"/generator", 200, "one two", false, ""},
		{"/lazy", 201, "late", false, ""},
		{"/writes", 200, "written returned", false, ""},
		{"/replaced", 503, "sorry", false, ""},
		{"/late_exc_info", 200, "begun ", true, "ValueError: the second half is missing"},
		{"/raw/twice", 500, "500 Internal Server Error\n", false, "start_response was called again"},
		{"/raw/twice_repaired", 418, "repaired", false, ""},
		{"/raises", 500, "500 Internal Server Error\n", false, `RuntimeError: the kettle is empty: €`},
		{"/raises_later", 200, "begun ", true, "RuntimeError: the kettle is empty"},
		{"/raw/exits", 500, "500 Internal Server Error\n", false, "SystemExit: 3"},
		{"/raw/never", 500, "500 Internal Server Error\n", false, "expected start_response to be called"},
		{"/raw/nothing", 500, "500 Internal Server Error\n", false, "returned None, expected an iterable"},
		{"/raw/text", 500, "500 Internal Server Error\n", false, "the body yielded 'text', a str, expected bytes"},
		{"/raw/bad_header", 500, "500 Internal Server Error\n", false, "hop-by-hop"},
		{"/raw/bad_header_repaired", 500, "repaired", false, ""},
		{"/raw/bad_value_repaired", 500, "repaired", false, ""},
		{"/long_header", 200, "x", false, ""},
		{"/long_head", 200, "", false, ""},
		{"/raw/too_long", 200, "abc", false, "LEN-01"},
		{"/raw/writes_too_long", 200, "abc", false, "the writer is told that the response is longer than the 3 bytes of its Content-Length"},
		{"/raw/too_short", 200, "abcdef", true, "LEN-04"},
		{"/exact", 200, "abcdef", false, ""},
		{"/file_like", 200, "like a file", false, ""},
		{"/file", 200, strings.Repeat("0123456789", 100000), false, ""},
		{"/raw/file", 200, strings.Repeat("0123456789", 100000), false, ""},
		{"/big", 200, strings.Repeat("0123456789", 100000), false, ""},
		{"/raw/big", 200, strings.Repeat("0123456789", 100000), false, ""},
		{"/raw/hints", 200, "hinted", false, ""},
	} {
		t.Run(test.path, func(t *testing.T) {
			// Twice: the worker remembers what it has asked.
			for range 2 {
				a := s.get(test.path)
				if a.status != test.status || a.body != test.body || (a.err != nil) != test.cut {
					t.Errorf("got %d, %.200q, %v, want %d, %.200q, cut %v", a.status, a.body, a.err, test.status, test.body, test.cut)
				}
			}
			if test.log != "" {
				s.log.wait(t, test.log)
			}
			if a := s.do("HEAD", test.path, nil); a.body != "" || a.err != nil && !test.cut {
				t.Errorf("HEAD: got %d, %q, %v, want no body", a.status, a.body, a.err)
			}
		})
	}
	if stats := s.pool.Stats(); stats.Restarts != 0 || stats.Workers != 1 {
		t.Errorf("the worker did not survive it: %+v", stats)
	}
}

// TestLengths: who knows the length of its body has it stated.
func TestLengths(t *testing.T) {
	s := open(t, config(t))
	for path, want := range map[string]string{
		"/raw/hello": "14", "/raw/big": "1000000", "/raw/file": "1000000", "/exact": "6", "/generator": "", "/file": "",
	} {
		if got := s.get(path).header.Get("Content-Length"); got != want {
			t.Errorf("%s: Content-Length is %q, want %q", path, got, want)
		}
	}
	// The head of a worker's first response is looked at before its body is there.
	if got := open(t, config(t)).get("/raw/big"); got.header.Get("Content-Length") != "1000000" || len(got.body) != 1000000 {
		t.Errorf("/raw/big first: Content-Length is %q with %d bytes", got.header.Get("Content-Length"), len(got.body))
	}
}

// TestSizes: a block of any size is as long as it was, and has a length, however
// it comes: on the board, behind a frame, on trays, or in parts.
func TestSizes(t *testing.T) {
	s := open(t, config(t))
	for _, edge := range []int{1, 4 << 10, 8 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 3 << 20} {
		for _, size := range []int{edge - 100, edge - 20, edge, edge + 1} {
			if size <= 0 {
				continue
			}
			a := s.get(fmt.Sprint("/raw/sized?", size))
			if want := fmt.Sprint(size); a.header.Get("Content-Length") != want || a.body != strings.Repeat("x", size) || a.err != nil {
				t.Errorf("%d bytes: got %d, Content-Length %q, %v", size, len(a.body), a.header.Get("Content-Length"), a.err)
			}
		}
	}
}

// TestReadAheadNone: a response is taken from the worker as it comes when there is
// no limit, and when there is one that no block keeps.
func TestReadAheadNone(t *testing.T) {
	for _, ahead := range []int{-1, 1} {
		c := config(t)
		c.ReadAhead = ahead
		s := open(t, c)
		for _, path := range []string{"/raw/big", "/raw/download?3", "/raw/file"} {
			want := 1000000
			if path == "/raw/download?3" {
				want = 3 << 20
			}
			if a := s.get(path); len(a.body) != want || a.err != nil {
				t.Errorf("ReadAhead %d: %s has %d bytes, %v; want %d", ahead, path, len(a.body), a.err, want)
			}
		}
	}
}

func TestEnviron(t *testing.T) {
	c := config(t)
	c.Threads = 2
	s := open(t, c)
	r, err := http.NewRequest("GET", s.url+"/environ?caf%C3%A9", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header["X-Latin"] = []string{"caf\xe9"}
	r.Header["X-Long"] = []string{strings.Repeat("z", 9000)} // more than a packet has room for
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, _ := io.ReadAll(response.Body)
	for _, want := range []string{
		"PATH_INFO='/environ'\n", "QUERY_STRING='caf%C3%A9'\n", "REQUEST_METHOD='GET'\n", "SCRIPT_NAME=''\n",
		"HTTP_X_LATIN='caf\xe9'\n", "wsgi.input_terminated=True\n", "wsgi.multiprocess=False\n",
		"wsgi.multithread=True\n", "wsgi.run_once=False\n", "wsgi.url_scheme='http'\n", "wsgi.version=(1, 0)\n",
		"HTTP_X_LONG='" + strings.Repeat("z", 9000) + "'\n",
	} {
		if !strings.Contains(string(content), want) {
			t.Errorf("the environ has no %q:\n%s", want, content)
		}
	}
}

// TestMultiprocess has one worker, and says that there are others.
func TestMultiprocess(t *testing.T) {
	c := config(t)
	c.Multiprocess = true
	if a := open(t, c).get("/environ"); !strings.Contains(string(a.body), "wsgi.multiprocess=True\n") {
		t.Errorf("the environ has not wsgi.multiprocess=True:\n%s", a.body)
	}
}

func TestInput(t *testing.T) {
	s := open(t, config(t))
	small := "first\nsecond\nthird\nlast"
	lines := `[b'first\n', b'se', b'con', b'd\n|third\n|last', b'', b'']`
	for range 2 {
		for _, test := range []struct {
			path, body, want string
			chunked          bool
		}{
			{"/echo", "small", "small", false},
			{"/echo", strings.Repeat("0123456789", 5000), strings.Repeat("0123456789", 5000), false},
			{"/echo", strings.Repeat("0123456789", 50000), strings.Repeat("0123456789", 50000), false},
			{"/raw/lines", small, lines, false},
			{"/raw/lines", small, lines, true},
			{"/iterates", "a\nb\n\nc", `[b'a\n', b'b\n', b'\n', b'c']`, false},
			{"/iterates", "a\nb\n\nc", `[b'a\n', b'b\n', b'\n', b'c']`, true},
			{"/iterates", "", `[]`, true},
			{"/raw/reads_all", strings.Repeat("x", 3<<20), fmt.Sprint(3 << 20), true},
			{"/counts", strings.Repeat("x", 3<<20), fmt.Sprint(3 << 20), false},
			{"/counts", strings.Repeat("x", 3<<20), fmt.Sprint(3 << 20), true},
		} {
			body := io.Reader(strings.NewReader(test.body))
			if test.chunked {
				body = io.MultiReader(body) // of which the length is not known
			}
			if a := s.do("POST", test.path, body); a.status != 200 || a.body != test.want || a.err != nil {
				t.Errorf("%s with %d bytes, chunked %v: got %d, %.300q, %v, want %.300q", test.path, len(test.body), test.chunked, a.status, a.body, a.err, test.want)
			}
		}
		s.pool.LoseWindows() // and once more, as where there is no memory for them
	}
}

// TestOver: what belongs to a request ends with it.
func TestOver(t *testing.T) {
	s := open(t, config(t))
	if a := s.do("POST", "/raw/keeps", io.MultiReader(strings.NewReader("a body"))); a.body != "kept" {
		t.Fatalf("got %+v", a)
	}
	s.want("/raw/calls_kept", 200, "write was called after the end of the request\n"+
		"start_response was called after the end of the request\n"+
		"wsgi.input was read after the end of the request\n"+
		"wsgi.early_hints was called after the end of the request")
}

// TestExpect: a client that waits to be asked for its body is asked by the
// application's reading, and by nothing else (EXP-03).
func TestExpect(t *testing.T) {
	s := open(t, config(t))
	for _, test := range []struct {
		path, want string
		asked      bool
	}{{"/raw/hello", "Hello, world!\n", false}, {"/echo", "body", true}} {
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n", test.path)
		r := bufio.NewReader(conn)
		first, err := r.ReadString('\n')
		if asked := first == "HTTP/1.1 100 Continue\r\n"; asked != test.asked || err != nil {
			t.Errorf("%s: the first line is %q, %v; want the client to be asked: %v", test.path, first, err, test.asked)
		}
		if test.asked {
			io.WriteString(conn, "body")
		}
		rest, _ := io.ReadAll(r)
		if !strings.Contains(string(rest), test.want) {
			t.Errorf("%s: got %q, want %q in it", test.path, rest, test.want)
		}
	}
}

// TestCutUpload: a body that breaks off while it is read raises.
func TestCutUpload(t *testing.T) {
	s := open(t, config(t))
	for _, test := range []struct{ head, body string }{
		{"Content-Length: 1000000\r\n", "only this"},
		{"Transfer-Encoding: chunked\r\n", "9\r\nonly this\r\n"},
	} {
		file := filepath.Join(t.TempDir(), "said")
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		said := func(want string) func() bool {
			return func() bool { text, _ := os.ReadFile(file); return strings.HasPrefix(string(text), want) }
		}
		fmt.Fprintf(c, "POST /raw/tells?%s HTTP/1.1\r\nHost: h\r\n%s\r\n%s", file, test.head, test.body)
		eventually(t, "the application reads", said("reads"))
		c.Close()
		eventually(t, "reading has raised", said("reads, raised"))
		if said("reads, raised nothing")() {
			t.Errorf("%q: a body that was cut was read as if it were whole", test.head)
		}
	}
	s.want("/hello", 200, "Hello, world!\n")
}

// TestSpool: a slow upload reaches no worker before it is whole.
func TestSpool(t *testing.T) {
	c := config(t)
	c.SpoolBody = 1 << 30
	s := open(t, c)
	r, w := io.Pipe()
	got := make(chan answer)
	request, err := http.NewRequest("POST", s.url+"/counts", r)
	if err != nil {
		t.Fatal(err)
	}
	request.ContentLength = 1 << 20
	go func() {
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			got <- answer{err: err}
			return
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		got <- answer{status: response.StatusCode, body: string(body), err: err}
	}()
	w.Write(make([]byte, 1<<19))
	s.want("/hello", 200, "Hello, world!\n") // of the only worker, which is not kept
	w.Write(make([]byte, 1<<19))
	w.Close()
	if a := <-got; a.body != fmt.Sprint(1<<20) {
		t.Errorf("got %+v, want all of the body", a)
	}
}

func TestClose(t *testing.T) {
	s := open(t, config(t))
	file := filepath.Join(t.TempDir(), "closed")
	if a := s.get("/closing?" + file); a.body != "ab" {
		t.Errorf("got %+v", a)
	}
	closed := func() string { text, _ := os.ReadFile(file); return string(text) }
	eventually(t, "the body is closed", func() bool { return closed() == "closed\n" })

	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "GET /endless?%s HTTP/1.1\r\nHost: h\r\n\r\n", file)
	bufio.NewReader(c).ReadString('x')
	c.Close() // in the middle
	eventually(t, "the endless body is closed", func() bool { return closed() == "closed\nclosed\n" })
	s.want("/hello", 200, "Hello, world!\n")
}

// TestDisconnected: an application that looks sees that its client has left.
func TestDisconnected(t *testing.T) {
	s := open(t, config(t))
	file := filepath.Join(t.TempDir(), "gone")
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "GET /raw/waits?%s HTTP/1.1\r\nHost: h\r\n\r\n", file)
	text := make([]byte, 1)
	for seen := ""; !strings.Contains(seen, "begun"); seen += string(text) {
		if _, err := io.ReadFull(c, text); err != nil {
			t.Fatal(err)
		}
	}
	c.Close()
	eventually(t, "the application has noticed", func() bool { _, err := os.Stat(file); return err == nil })
}

func TestErrors(t *testing.T) {
	s := open(t, config(t))
	s.want("/errors", 200, "")
	s.log.wait(t, "first €\nsecond\nthird\n")
	s.want("/raw/errors_of_a_thread", 200, "")
	s.log.wait(t, `msg="of a thread" worker=`)
	s.want("/prints", 200, "")
	s.log.wait(t, "msg=printed")
}

func TestEarlyHints(t *testing.T) {
	s := open(t, config(t))
	var link string
	r, err := http.NewRequest("GET", s.url+"/raw/hints", nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			link = header.Get("Link")
			return nil
		},
	})
	response, err := http.DefaultClient.Do(r.WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if link != "</style.css>; rel=preload" {
		t.Errorf("the hint was %q", link)
	}
}

// TestTargets names the application in each way.
func TestTargets(t *testing.T) {
	for _, app := range []string{"apps:hello", "testdata/apps.py:hello", `apps:make_app("hello", debug=True)`, "testdata/apps.py:make_app('hello')"} {
		t.Run(app, func(t *testing.T) {
			c := config(t)
			c.App = app
			if strings.HasPrefix(app, "apps") {
				c.Dir = "testdata"
			}
			open(t, c).want("/", 200, "Hello, world!\n")
		})
	}
}

// TestScriptFile names a file of mod_wsgi, and a module whose name ends like one.
func TestScriptFile(t *testing.T) {
	dir := t.TempDir()
	text := "def application(environ, start_response):\n    start_response('200 OK', [])\n    return [__name__.encode()]\n"
	if err := os.Mkdir(filepath.Join(dir, "shop"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"site.wsgi": text, "shop/__init__.py": text, "shop/wsgi.py": text,
		"shop.wsgi": "from shop import application\n", // as the file is named by most, after the package
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for app, module := range map[string]string{
		"./site.wsgi": "_wsgi_file_site", filepath.Join(dir, "site.wsgi:application"): "_wsgi_file_site", "./shop.wsgi": "shop",
		"shop.wsgi": "shop.wsgi", "shop.wsgi:application": "shop.wsgi", "shop/wsgi.py": "wsgi",
	} {
		t.Run(app, func(t *testing.T) {
			c := config(t)
			c.App, c.Dir = app, dir
			open(t, c).want("/", 200, module)
		})
	}
}

// TestCannotStart: the error says what to mend, and nothing is left.
func TestCannotStart(t *testing.T) {
	interpreter(t)
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("broken.py", "import nonesuch\n")
	write("empty.py", "application = 3\n")
	write("factory.py", "def make():\n    return lambda environ, start_response: []\n")
	write("syntax.py", "def (:\n")
	write("exits.py", "import os\nos._exit(9)\n")
	write("waits.py", "import time\ntime.sleep(60)\n")
	for _, test := range []struct {
		app, want string
		change    func(c *python.Config)
	}{
		{"broken:app", "ModuleNotFoundError: No module named 'nonesuch'", nil},
		{"missing:app", "ModuleNotFoundError: No module named 'missing'", nil},
		{"empty", "TypeError: empty is a int, which cannot be called", nil},
		{"empty:app", "AttributeError: module 'empty' has no attribute 'app'", nil},
		{"factory:make", "TypeError: make takes 0 arguments, expected an application, which takes environ and start_response; where it returns one, it is called by make()", nil},
		{"empty:app(", "SyntaxError", nil},
		{"syntax:app", "SyntaxError", nil},
		{"missing.py:app", "there is no such file", nil},
		{"exits:app", "a worker ended before it was ready: exit status 9", nil},
		{"waits:app", "a worker is not ready after 50ms", func(c *python.Config) { c.StartTimeout = 50e6 }},
		{"broken:app", "No module named 'nonesuch'", func(c *python.Config) { c.Preload = true }},
		{"exits:app", "a worker ended before it was ready: exit status 9", func(c *python.Config) { c.Preload = true }},
		{"", "expected module:callable", nil},
		{"empty:application", "no such user", func(c *python.Config) { c.User = "no such user" }},
		{"empty:application", "interpreter", func(c *python.Config) { c.Python = "no such python" }},
		{"empty:application", "no such file or directory", func(c *python.Config) { c.Dir = "no such folder" }},
		{"empty:application", "expected up to 1000", func(c *python.Config) { c.Processes = -1 }},
	} {
		t.Run(test.app, func(t *testing.T) {
			t.Parallel()
			c := config(t)
			c.App, c.Dir, c.Processes = test.app, dir, 2
			if test.change != nil {
				test.change(&c)
			}
			pool, err := python.Start(t.Context(), c)
			if err == nil {
				pool.Close()
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v, want %q", err, test.want)
			}
		})
	}
}
