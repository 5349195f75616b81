//go:build unix

package python_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/adapters/python"
)

// load asks for a path from several clients at once until it is ended. Each takes
// a breath between two requests: what is under test is what happens to requests,
// and not how long a worker takes to start on a machine that has no time for it.
type load struct {
	good, bad atomic.Int64
	stop      context.CancelFunc
	clients   sync.WaitGroup
	mu        sync.Mutex
	first     string // what was wrong with the first that failed
}

func (s *site) load(clients int, path string) *load {
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{stop: cancel}
	for range clients {
		l.clients.Go(func() {
			for ctx.Err() == nil {
				if a := s.get(path); a.status == 200 && a.err == nil {
					l.good.Add(1)
				} else {
					l.bad.Add(1)
					l.mu.Lock()
					if l.first == "" {
						l.first = fmt.Sprintf("%d %.100q %v", a.status, a.body, a.err)
					}
					l.mu.Unlock()
				}
				select {
				case <-ctx.Done():
				case <-time.After(breath):
				}
			}
		})
	}
	return l
}

const breath = 2 * time.Millisecond

// more waits until n more requests have been answered.
func (l *load) more(t testing.TB, n int64) {
	t.Helper()
	want := l.good.Load() + n
	eventually(t, fmt.Sprintf("%d more requests are answered", n), func() bool { return l.good.Load() >= want })
}

// end ends the load. No more than most requests may have failed.
func (l *load) end(t testing.TB, most int64) {
	t.Helper()
	l.stop()
	l.clients.Wait()
	t.Logf("%d requests answered, %d failed", l.good.Load(), l.bad.Load())
	if l.bad.Load() > most {
		t.Errorf("%d requests failed, want %d at the most; the first: %s", l.bad.Load(), most, l.first)
	}
}

// TestDeaths has workers end in the middle of a request while others are
// served. The request fails, and no other: those that wait are nobody's yet.
func TestDeaths(t *testing.T) {
	for _, preload := range []bool{false, true} {
		c := config(t)
		c.Processes, c.Preload = 2, preload
		s := open(t, c)
		for _, test := range []struct{ path, status string }{
			{"/raw/os_exit", "exit status 7"},
			{"/raw/segfault", ""},
			{"/raw/kills_itself", ""},
			{"/raw/dies_later", "exit status 7"},
		} {
			t.Run(fmt.Sprintf("%s, preload %v", test.path, preload), func(t *testing.T) {
				before := s.pool.Stats()
				l := s.load(4, "/raw/hello")
				l.more(t, 20)
				a := s.get(test.path)
				if test.path == "/raw/dies_later" && (a.status != 200 || a.body != "begun" || a.err == nil) ||
					test.path != "/raw/dies_later" && a.status != 502 {
					t.Errorf("got %d, %q, %v, want 502, or a response that is cut", a.status, a.body, a.err)
				}
				eventually(t, "the worker is replaced", func() bool {
					stats := s.pool.Stats()
					return stats.Workers == 2 && stats.Restarts == before.Restarts+1
				})
				l.more(t, 20)
				l.end(t, 0)
				if test.status != "" && !preload {
					s.log.wait(t, test.status)
				}
			})
		}
	}
}

// TestDiesAfterwards: a response that is whole stays so when its worker dies over
// what it does after it.
func TestDiesAfterwards(t *testing.T) {
	s := open(t, config(t))
	for n := range int64(4) {
		s.want("/raw/dies_when_closed", 200, "whole")
		eventually(t, "the worker is replaced", func() bool { stats := s.pool.Stats(); return stats.Workers == 1 && stats.Restarts == n+1 })
	}
	if failed := s.pool.Stats().Failed; failed != 0 {
		t.Errorf("%d requests failed, want none", failed)
	}
}

// TestDiesUnheard: the same, when nobody has come to read of the response by the
// time that its worker is found to be dead.
func TestDiesUnheard(t *testing.T) {
	s := open(t, config(t))
	s.want("/raw/exact", 200, "abcdef") // the head is known from then on, and all of the next response on the board
	release := sync.OnceFunc(s.pool.HoldReplies())
	t.Cleanup(release)
	got := make(chan answer, 1)
	go func() { got <- s.get("/raw/dies_when_closed") }()
	stacks := make([]byte, 1<<20)
	eventually(t, "who attends to the dead worker asks for its last words", func() bool {
		select {
		case a := <-got:
			t.Fatalf("got %d, %.100q, %v, before it was known what the worker had answered", a.status, a.body, a.err)
		default:
		}
		return strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "(*replies).settle")
	})
	release()
	if a := <-got; a.status != 200 || a.body != "whole" || a.err != nil {
		t.Errorf("got %d, %.100q, %v, want the response that the worker had left", a.status, a.body, a.err)
	}
	if failed := s.pool.Stats().Failed; failed != 0 {
		t.Errorf("%d requests failed, want none", failed)
	}
}

// TestKilled kills a worker from outside under load: what it has begun fails,
// which is one request for each lane.
func TestKilled(t *testing.T) {
	c := config(t)
	c.Processes = 2
	s := open(t, c)
	l := s.load(8, "/raw/hello")
	for range 3 {
		l.more(t, 50)
		before := s.pool.Stats().Restarts
		syscall.Kill(s.pool.Stats().PIDs[0], syscall.SIGKILL)
		eventually(t, "it is replaced", func() bool { stats := s.pool.Stats(); return stats.Restarts > before && stats.Workers == 2 })
	}
	l.more(t, 50)
	l.end(t, 3)
}

// TestTimeout: a loop without an end is told, shown and killed.
func TestTimeout(t *testing.T) {
	for _, threads := range []int{1, 3} {
		c := config(t)
		c.Processes, c.Threads, c.Timeout = 2, threads, 500*time.Millisecond
		s := open(t, c)
		l := s.load(2, "/raw/hello")
		if a := s.get("/raw/loops"); a.status != 504 {
			t.Errorf("got %+v, want 504", a)
		}
		s.log.wait(t, "a request takes too long", "in loops")
		eventually(t, "the worker is replaced", func() bool { stats := s.pool.Stats(); return stats.Restarts+stats.Recycled == 1 && stats.Workers == 2 })
		l.more(t, 10)
		l.end(t, 0)
	}
}

// TestSlowReader: a worker that waits for its client is not one that is silent.
func TestSlowReader(t *testing.T) {
	c := config(t)
	c.Timeout = time.Second
	s := open(t, c)
	response, err := http.Get(s.url + "/raw/download?64")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	time.Sleep(5 * c.Timeout / 2) // there is nothing to wait for: nothing is to happen
	if n, err := io.Copy(io.Discard, response.Body); n != 64<<20 || err != nil {
		t.Errorf("got %d bytes, %v, want all 64 MiB", n, err)
	}
	if stats := s.pool.Stats(); stats.Restarts != 0 || s.log.has("takes too long") {
		t.Errorf("%+v: the worker was taken for one that does not get on", stats)
	}
}

// TestMemory: a worker that grows is replaced once the next is there, and one
// that grows to twice the limit is killed.
func TestMemory(t *testing.T) {
	c := config(t)
	c.Processes, c.MaxMemory = 1, 100<<20
	s := open(t, c)
	first := s.get("/raw/pid").body
	s.want("/raw/hoards?110", 200, first)
	l := s.load(2, "/raw/hello")
	eventually(t, "it is replaced", func() bool { return s.pool.Stats().Recycled == 1 })
	l.end(t, 0)
	eventually(t, "another one answers", func() bool { return s.get("/raw/pid").body != first })
	// One that is looked at while it grows is only replaced.
	eventually(t, "one is killed", func() bool {
		s.get("/raw/hoards?300")
		return s.log.has("more than twice the memory")
	})
	eventually(t, "a new one answers", func() bool { return s.get("/raw/hello").status == 200 })
}

// TestMemoryBomb: a request that takes ever more memory has its worker killed
// long before the machine has none. It fails, and nothing of the load does.
func TestMemoryBomb(t *testing.T) {
	c := config(t)
	c.Processes, c.MaxMemory = 2, 100<<20
	s := open(t, c)
	l := s.load(4, "/raw/hello")
	l.more(t, 20)
	if a := s.get("/raw/bomb"); a.status != 502 {
		t.Errorf("got %+v, want 502", a)
	}
	s.log.wait(t, "more than twice the memory")
	eventually(t, "the worker is replaced", func() bool { stats := s.pool.Stats(); return stats.Workers == 2 && len(stats.PIDs) == 2 })
	l.more(t, 20)
	l.end(t, 0)
}

// TestMaxRequests replaces workers all the time, at the cost of no request.
func TestMaxRequests(t *testing.T) {
	for _, preload := range []bool{false, true} {
		c := config(t)
		c.Processes, c.Threads, c.MaxRequests, c.MaxRequestsJitter, c.Preload = 2, 2, 10, 3, preload
		s := open(t, c)
		l := s.load(4, "/raw/hello")
		eventually(t, "six workers are replaced", func() bool { return s.pool.Stats().Recycled >= 6 })
		l.end(t, 0)
		if stats := s.pool.Stats(); stats.Restarts != 0 {
			t.Errorf("%+v: workers ended that nobody had told to", stats)
		}
	}
}

// TestReloads reloads under load, at the cost of no request, and does not when
// the application has been broken.
func TestReloads(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "site_app.py"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	const app = "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'%s']\n"
	for _, preload := range []bool{false, true} {
		write(fmt.Sprintf(app, "0"))
		c := config(t)
		c.App, c.Dir, c.Processes, c.Preload = "site_app:app", dir, 2, preload
		c.Env = []string{"PYTHONDONTWRITEBYTECODE=1"}
		s := open(t, c)
		l := s.load(4, "/")
		for i := 1; i <= 3; i++ {
			write(fmt.Sprintf(app, strconv.Itoa(i)))
			if err := s.pool.Reload(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.want("/", 200, strconv.Itoa(i)) // of who asks from now on
		}
		write("raise RuntimeError('half a file')\n")
		if err := s.pool.Reload(t.Context()); err == nil || !strings.Contains(err.Error(), "RuntimeError: half a file") {
			t.Errorf("the error is %v, want the traceback", err)
		}
		s.want("/", 200, "3")
		l.end(t, 0)
		eventually(t, "the old workers have ended", func() bool { return len(s.pool.Stats().PIDs) == 2 })
	}
}

// TestCrashLoop: workers that cannot start are started ever more slowly, the log
// says what to mend, and once that is done they come back.
func TestCrashLoop(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "site_app.py"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	const app = "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'here']\n"
	write(app)
	c := config(t)
	c.App, c.Dir, c.Env = "site_app:app", dir, []string{"PYTHONDONTWRITEBYTECODE=1"}
	s := open(t, c)
	s.want("/", 200, "here")
	write("raise RuntimeError('half a file')\n")
	begin := time.Now()
	syscall.Kill(s.pool.Stats().PIDs[0], syscall.SIGKILL)
	s.log.wait(t, "the application cannot be imported", "RuntimeError: half a file", "workers end again and again")
	// Eight ends: the waits after the fourth to the seventh are 0.1, 0.2, 0.4 and 0.8 s.
	if took := time.Since(begin); took < 1500*time.Millisecond {
		t.Errorf("eight workers ended within %v, want 1.5 s to pass at the least", took)
	}
	write(app)
	eventually(t, "the application answers again", func() bool { return s.pool.Stats().Workers == 1 })
	s.want("/", 200, "here")
}

// TestFull answers what no worker can take.
func TestFull(t *testing.T) {
	c := config(t)
	c.QueueTimeout = 300 * time.Millisecond
	s := open(t, c)
	slow := make(chan answer)
	go func() { slow <- s.get("/raw/sleep?1.5") }()
	eventually(t, "the worker is busy", func() bool { return s.pool.Stats().Busy == 1 })
	a := s.get("/raw/hello")
	if a.status != 503 || a.header.Get("Retry-After") != "1" {
		t.Errorf("got %+v, want 503 with Retry-After", a)
	}
	if a := <-slow; a.body != "slept" {
		t.Errorf("the slow one got %+v", a)
	}
	eventually(t, "requests are taken again", func() bool { return s.get("/raw/hello").status == 200 })
}

// TestSlowClients: clients that send or take slowly keep no worker from those
// that do not.
func TestSlowClients(t *testing.T) {
	c := config(t)
	s := open(t, c)
	for range 100 {
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, "POST /raw/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nslowly")
		conn, err = net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, "GET /raw/big HTTP/1.1\r\nHost: h\r\n\r\n") // and takes nothing of it
	}
	for range 100 {
		s.want("/raw/hello", 200, "Hello, world!\n")
	}
}

// TestReadAhead: a client that takes nothing is served from a bounded buffer,
// behind which the worker waits.
func TestReadAhead(t *testing.T) {
	c := config(t)
	c.Processes = 2
	s := open(t, c)
	file := filepath.Join(t.TempDir(), "progress")
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /raw/progress?%s HTTP/1.1\r\nHost: h\r\n\r\n", file)
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	// As long as somebody else takes to be sent as much.
	if a := s.get("/raw/download?64"); len(a.body) != 64<<20 || a.err != nil {
		t.Errorf("another client got %d bytes, %v", len(a.body), a.err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	eventually(t, "the worker is done with it", func() bool { return s.pool.Stats().Busy == 0 })
	// 1 MiB of ours, and what the buffers of the sockets have taken.
	if n, err := strconv.Atoi(string(text)); err != nil || n > 40 {
		t.Errorf("the worker has come to MiB %q, want it to wait before it has come to 40", text)
	}
}

// TestVanishing has clients leave at every stage.
func TestVanishing(t *testing.T) {
	c := config(t)
	c.Processes, c.Threads = 1, 2
	s := open(t, c)
	file := filepath.Join(t.TempDir(), "closed")
	for _, text := range []string{
		"", "GET /raw/he", "GET /raw/hello HTTP/1.1\r\nHost: h\r\n\r\n", "GET /raw/sleep?0.01 HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /raw/big HTTP/1.1\r\nHost: h\r\n\r\n", "GET /raw/file HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /raw/endless?" + file + " HTTP/1.1\r\nHost: h\r\n\r\n",
		"POST /raw/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12",
		"POST /raw/counts HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n12",
		"POST /raw/counts HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n12",
		"POST /raw/counts HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n",
	} {
		for i := range 10 {
			conn, err := net.Dial("tcp", s.addr)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(conn, text)
			if i%2 == 0 { // some leave at once, others when the server is at it
				conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
				conn.Read(make([]byte, 1))
			}
			conn.Close()
		}
	}
	eventually(t, "no lane is busy", func() bool { stats := s.pool.Stats(); return stats.Busy == 0 && stats.Waiting == 0 })
	if stats := s.pool.Stats(); stats.Restarts != 0 || stats.Lanes != 2 {
		t.Errorf("%+v: workers ended", stats)
	}
	s.want("/raw/hello", 200, "Hello, world!\n")
}

// TestLargeBodies sends 1 GiB each way: neither side holds it. What counts is
// the most memory that each process had at any moment, Go's with the client in
// it.
func TestLargeBodies(t *testing.T) {
	if testing.Short() {
		t.Skip("2 GiB take a while")
	}
	s := open(t, config(t))
	worker := s.pool.Stats().PIDs[0]
	for _, test := range []struct {
		name string
		run  func() (int64, error)
	}{
		{"download", func() (int64, error) {
			response, err := http.Get(s.url + "/raw/download?1024")
			if err != nil {
				return 0, err
			}
			defer response.Body.Close()
			return io.Copy(io.Discard, response.Body)
		}},
		{"upload", func() (int64, error) {
			a := s.do("POST", "/raw/counts", io.LimitReader(zeros{}, 1<<30))
			if a.err != nil {
				return 0, a.err
			}
			return strconv.ParseInt(a.body, 10, 64)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			runtime.GC()
			ours, theirs := watchPeak(t, os.Getpid()), watchPeak(t, worker)
			if n, err := test.run(); n != 1<<30 || err != nil {
				t.Errorf("%d bytes went through, %v, want 1 GiB", n, err)
			}
			for name, grown := range map[string]int{"Go": ours(), "Python": theirs()} {
				t.Logf("%s had %d KiB more at its peak", name, grown)
				if grown > mostGrown {
					t.Errorf("%s had %d KiB more at its peak, want %d at the most", name, grown, mostGrown)
				}
			}
		})
	}
}

// mostGrown is how many KiB a transfer of any length may take: ReadAhead, 1 MiB,
// the buffers of the sockets and frames, and what the collector has not come to
// on a busy machine.
const mostGrown = 64 << 10

// watchPeak begins to note the most memory that a process has resident. The
// returned function says how many KiB that was beyond what it has now.
func watchPeak(t *testing.T, pid int) (grown func() int) {
	t.Helper()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0); err != nil {
		t.Fatal(err)
	}
	before := memory(t, pid, "VmRSS")
	return func() int { return memory(t, pid, "VmHWM") - before }
}

// memory is one of the sizes, in KiB, that the kernel states of a process.
func memory(t *testing.T, pid int, name string) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "\n"+name+":")
	n := 0
	if _, err := fmt.Sscan(rest, &n); err != nil || !found {
		t.Fatalf("the status of process %d has no %s: %v", pid, name, err)
	}
	return n
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestIsolation: a worker has no descriptor but its own, no secret, and is whom
// it is told to be, for good; and so is what it starts.
func TestIsolation(t *testing.T) {
	t.Setenv("DATABASE_PASSWORD", "secret")
	// One that this process might have of its own parent: it is not closed by exec.
	leak, err := syscall.Open("/dev/zero", syscall.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(leak)
	for _, preload := range []bool{false, true} {
		t.Run(fmt.Sprintf("preload %v", preload), func(t *testing.T) {
			c := config(t)
			// One worker: it is the one that has served all that is asked for.
			c.Processes, c.Preload, c.Env = 1, preload, []string{"GIVEN=1"}
			unprivileged := asNobody(t, &c)
			s := open(t, c)
			variables := s.get("/raw/variables").body
			if strings.Contains(variables, "DATABASE_PASSWORD") || !strings.Contains(variables, "GIVEN") || !strings.Contains(variables, "PATH") {
				t.Errorf("the worker sees %q", strings.Fields(variables))
			}
			// Standard ones, control, queue, board, replies, one lane, and the mappings of board and trays.
			s.get("/raw/big") // on trays, of which the other descriptor is closed again
			descriptors := strings.Split(s.get("/raw/descriptors").body, "\n")
			if len(descriptors) != 10 || strings.Contains(strings.Join(descriptors, "\n"), "/dev/zero") {
				t.Errorf("the worker has %q, want ten descriptors", descriptors)
			}
			// Standard ones, and that of the listing.
			if text := s.get("/raw/childs_descriptors").body; strings.Count(text, " -> ") != 4 {
				t.Errorf("a program that the worker starts has\n%swant four descriptors", text)
			}
			if unprivileged {
				s.want("/raw/whoami", 200, "(65534, 65534, 65534) (65534, 65534, 65534) [65534] stays")
			}
		})
	}
}

// asNobody has the workers of testdata/apps.py run without privileges, where
// there are some to give up, and reports whether it does.
func asNobody(t *testing.T, c *python.Config) bool {
	t.Helper()
	if os.Getuid() != 0 {
		return false
	}
	if !public(c.Python) {
		c.Python = "/usr/bin/python3" // root's own is nobody's
	}
	if !public(c.Python) {
		return false
	}
	c.User, c.Group = "nobody", "nogroup"
	// Nobody may read the folder of root's that this may be.
	c.Dir = t.TempDir()
	for dir := c.Dir; dir != "/" && dir != os.TempDir(); dir = filepath.Dir(dir) {
		os.Chmod(dir, 0o755)
	}
	text, err := os.ReadFile("testdata/apps.py")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.Dir, "apps.py"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	c.App = "apps:app"
	return true
}

// public reports whether everybody may run the program of that name.
func public(name string) bool {
	path, err := exec.LookPath(name)
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	for ; err == nil && path != "/"; path = filepath.Dir(path) {
		var info os.FileInfo
		if info, err = os.Stat(path); err == nil && info.Mode()&0o001 == 0 {
			return false
		}
	}
	return err == nil
}

// TestProcesses changes the number of workers.
func TestProcesses(t *testing.T) {
	s := open(t, config(t))
	l := s.load(2, "/raw/hello")
	for _, n := range []int{3, 1, 2} {
		s.pool.SetProcesses(n)
		eventually(t, "there are as many", func() bool { stats := s.pool.Stats(); return stats.Workers == n && len(stats.PIDs) == n })
	}
	l.end(t, 0)
}

// TestCloseDrains lets a request finish that is under way.
func TestCloseDrains(t *testing.T) {
	s := open(t, config(t))
	slow := make(chan answer)
	go func() { slow <- s.get("/raw/sleep?0.3") }()
	eventually(t, "the worker is busy", func() bool { return s.pool.Stats().Busy == 1 })
	if err := s.pool.Close(); err != nil {
		t.Error(err)
	}
	if a := <-slow; a.body != "slept" {
		t.Errorf("got %+v", a)
	}
	if a := s.get("/raw/hello"); a.status != 503 {
		t.Errorf("after Close: %+v, want 503", a)
	}
	if err := s.pool.Reload(t.Context()); err == nil {
		t.Error("Reload after Close succeeds")
	}
}

// TestShutdown kills a worker that is busy when its context ends, and not only at
// the end of GracefulTimeout.
func TestShutdown(t *testing.T) {
	c := config(t)
	c.Timeout, c.GracefulTimeout = -1, -1
	s := open(t, c)
	slow := make(chan answer)
	go func() { slow <- s.get("/raw/sleep?3600") }()
	eventually(t, "the worker is busy", func() bool { return s.pool.Stats().Busy == 1 })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.pool.Shutdown(ctx) }()
	eventually(t, "the pool takes no more", func() bool { return s.get("/raw/hello").status == 503 })
	cancel()
	const want = "python: workers that did not end in time were killed"
	if err := <-ended; err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
	if a := <-slow; a.status != 502 {
		t.Errorf("the request got %+v, want 502", a)
	}
	if err := s.pool.Close(); err == nil || err.Error() != want {
		t.Errorf("a second call gets %v, want what the first one got", err)
	}
}

// TestMisplaced: a worker that finds nothing on the board for an id, because its
// request was given up meanwhile, leaves it.
func TestMisplaced(t *testing.T) {
	s := open(t, config(t))
	s.want("/raw/called", 200, "1")
	for slot := range uint64(3) {
		s.pool.Misplace(1<<40 | slot)
	}
	s.want("/raw/called", 200, "2")
	eventually(t, "no lane is busy", func() bool { return s.pool.Stats().Busy == 0 })
	if stats := s.pool.Stats(); stats.Restarts != 0 || stats.Waiting != 0 {
		t.Errorf("%+v: want the worker to be the first one, and nobody to wait", stats)
	}
}

// TestManyLanes: all threads of all workers can be busy at once, however many
// there are.
func TestManyLanes(t *testing.T) {
	c := config(t)
	c.Processes, c.Threads = 3, 100
	s := open(t, c)
	file := filepath.Join(t.TempDir(), "gone")
	var conns []net.Conn
	for range c.Processes * c.Threads {
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conns = append(conns, conn)
		fmt.Fprintf(conn, "GET /raw/waits?%s HTTP/1.1\r\nHost: h\r\n\r\n", file)
	}
	eventually(t, "every lane is busy", func() bool { return s.pool.Stats().Busy == c.Processes*c.Threads })
	for _, conn := range conns {
		conn.Close()
	}
	eventually(t, "no lane is busy", func() bool { return s.pool.Stats().Busy == 0 })
}
