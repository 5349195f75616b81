package launch

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test binary play the server commands.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "fake" {
		fakes[os.Args[2]](fake{os.Args[3], os.Args[4], os.Args[5]})
		return
	}
	os.Exit(m.Run())
}

// fake is a server command that is none, or that is a bad one.
type fake struct{ addr, path, answer string }

// command returns the fake of that name as a command. What follows the
// placeholder of the address are its further arguments.
func command(t *testing.T, name, addr string, env ...string) Command {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Command{
		Args:         []string{self, "fake", name, addr, "{module}", "{app}"},
		Env:          append(env, "GORACE=atexit_sleep_ms=0", ownMark(t)),
		StartTimeout: patience,
		Grace:        patience,
	}
}

// asked is an application that answers the question; its fakes are told the
// question in place of the module and its callable.
func asked() served {
	q := newQuestion()
	return served{module: q.path, callable: q.answer, question: q}
}

// patience bounds what a test waits for. Nothing takes that long.
const patience = 20 * time.Second

func (f fake) listen() net.Listener {
	network := "tcp"
	if strings.HasPrefix(f.addr, "/") {
		network = "unix"
	}
	l, err := net.Listen(network, f.addr)
	if err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
	return l
}

// ServeHTTP answers the question.
func (f fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != f.path {
		http.Error(w, "what? "+r.URL.Path, http.StatusNotFound)
		return
	}
	w.Header().Set("Server", "fake/1.0")
	io.WriteString(w, f.answer)
}

// serve makes the fake a good server.
func (f fake) serve() { http.Serve(f.listen(), f) }

// accept hands each connection to handle.
func (f fake) accept(handle func(c net.Conn)) {
	l := f.listen()
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go handle(c)
	}
}

func forever() { select {} }

var fakes = map[string]func(f fake){
	"good": fake.serve,
	"prints megabytes": func(f fake) {
		for i := range 100_000 {
			fmt.Println("line", i, "of very many, \x1b[31mred\x1b[0m and \a loud")
		}
		f.serve()
	},
	"prints without end": func(f fake) {
		go f.serve()
		for {
			fmt.Print("and so on ")
		}
	},
	"late": func(f fake) {
		l := f.listen()
		time.Sleep(300 * time.Millisecond)
		ready := time.Now().Add(300 * time.Millisecond)
		http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if time.Now().Before(ready) {
				http.Error(w, "not yet", http.StatusServiceUnavailable)
				return
			}
			f.ServeHTTP(w, r)
		}))
	},
	"needs two tries": func(f fake) {
		path := os.Getenv("FAKE_TRIES")
		before, _ := os.ReadFile(path)
		os.WriteFile(path, append(before, f.addr+"\n"...), 0o600)
		if len(before) == 0 {
			fmt.Println("OSError: [Errno 98] Address already in use")
			os.Exit(1)
		}
		f.serve()
	},
	"always finds the port in use": func(f fake) {
		fmt.Println("OSError: [Errno 98] Address already in use")
		os.Exit(1)
	},
	"exits": func(f fake) {
		fmt.Println("no such module")
		os.Exit(7)
	},
	"exits with 0":  func(f fake) {},
	"never listens": func(f fake) { fmt.Println("thinking"); forever() },
	"never answers": func(f fake) { f.accept(func(net.Conn) {}) },
	"closes":        func(f fake) { f.accept(func(c net.Conn) { c.Close() }) },
	"garbage": func(f fake) {
		f.accept(func(c net.Conn) {
			c.Read(make([]byte, 1))
			io.WriteString(c, strings.Repeat("\x00garbage\xff", 10000))
			c.Close()
		})
	},
	"somebody else": func(f fake) { f.path = "/another"; f.serve() },
	"echoes": func(f fake) {
		http.Serve(f.listen(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintln(w, "you want", r.URL.Path)
		}))
	},
	"TLS": func(f fake) {
		s := httptest.NewUnstartedServer(f)
		s.StartTLS() // for its certificate
		(&http.Server{Handler: f, TLSConfig: s.TLS, ErrorLog: log.New(io.Discard, "", 0)}).ServeTLS(f.listen(), "", "")
	},
	"TLS alert": func(f fake) {
		f.accept(func(c net.Conn) {
			io.WriteString(c, "\x15\x03\x01\x00\x02\x02\x46")
			c.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, c)
			c.Close()
		})
	},
	"ignores SIGTERM": func(f fake) {
		signal.Ignore(syscall.SIGTERM)
		f.serve()
	},
	"dies when asked": func(f fake) {
		http.Serve(f.listen(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/die" {
				fmt.Println("giving up")
				os.Exit(9)
			}
			f.ServeHTTP(w, r)
		}))
	},
	"has a child": func(f fake) {
		child := exec.Command(os.Args[0], "fake", "stubborn", f.addr, "", "")
		child.Stdout = os.Stdout // holds the pipe of the output
		child.Start()
		f.serve()
	},
	"leaves a child and exits": func(f fake) {
		child := exec.Command(os.Args[0], "fake", "stubborn", f.addr, "", "")
		child.Stdout = os.Stdout
		child.Start()
	},
	"stubborn": func(f fake) {
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
		forever()
	},
}
