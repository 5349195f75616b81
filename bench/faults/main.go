//go:build linux

// Command faults has gowsgi serve run a Python application under load, does to it
// what happens on a bad day, and says how many requests failed.
//
//	go run ./faults [-seconds N] [-only REGEXP] [-gowsgi PATH]
//
// The load is sixteen connections that ask one request after the other. Requests
// that bring a fault about are counted apart from it: what they are answered is
// in the last column. Linux only.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

var (
	seconds = flag.Int("seconds", 10, "how long each fault is repeated under load")
	only    = flag.String("only", ".", "the faults to run, a regular expression")
	command = flag.String("gowsgi", "", "the command; built from this clone by default")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

func run() error {
	which, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	gowsgi := *command
	if gowsgi == "" {
		dir, err := os.MkdirTemp("", "faults")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		gowsgi = filepath.Join(dir, "gowsgi")
		build := exec.Command("go", "build", "-o", gowsgi, "github.com/gowsgi/gowsgi/cmd/gowsgi")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return err
		}
	}
	fmt.Println("| What happens | times | requests | failed | besides |\n|---|---|---|---|---|")
	for _, f := range faults() {
		if which.MatchString(f.name) {
			if err := f.run(gowsgi); err != nil {
				return fmt.Errorf("%s: %w", f.name, err)
			}
		}
	}
	return nil
}

// A fault is something that happens again and again.
type fault struct {
	name    string
	options []string // of serve
	every   time.Duration
	once    bool                 // and not again
	does    func(*victim) string // once; what came of it, if that is to be told
	after   func(*victim) string // when the load has ended
}

func (f fault) run(gowsgi string) error {
	v, err := startVictim(gowsgi, f.options...)
	if err != nil {
		return err
	}
	defer v.end()
	l := startLoad(v.addr, 16)
	v.load = l
	var (
		times   int
		answers = map[string]int{}
		end     = time.After(time.Duration(*seconds) * time.Second)
		next    = time.NewTicker(f.every)
	)
	defer next.Stop()
	for more := true; more; {
		select {
		case <-next.C:
			if f.does != nil && (times == 0 || !f.once) {
				times++
				if answer := f.does(v); answer != "" {
					answers[answer]++
				}
			}
		case <-end:
			more = false
		}
	}
	l.end()
	var besides []string
	for answer, n := range answers {
		besides = append(besides, fmt.Sprintf("%d × %s", n, answer))
	}
	slices.Sort(besides)
	if f.after != nil {
		besides = append(besides, f.after(v))
	}
	if l.first != "" {
		besides = append(besides, "the first that failed: "+l.first)
	}
	fmt.Printf("| %s | %d | %d | %d | %s |\n", f.name, times, l.good.Load()+l.bad.Load(), l.bad.Load(), strings.Join(besides, "; "))
	return nil
}

// ask brings a fault about by a request of its own.
func ask(target string) func(*victim) string {
	return func(v *victim) string {
		c, err := dial(v.addr)
		if err != nil {
			return err.Error()
		}
		defer c.Close()
		status, _, _, err := c.get(target)
		if err != nil {
			return err.Error()
		}
		return fmt.Sprint(status)
	}
}

func faults() []fault {
	does, after := replaced()
	return []fault{
		{name: "nothing", every: time.Second},
		{name: "kill -9 of a worker", every: 500 * time.Millisecond, does: func(v *victim) string {
			if pids := v.workers(); len(pids) > 0 {
				syscall.Kill(pids[0], syscall.SIGKILL)
			}
			return ""
		}},
		{name: "a segmentation fault in C", every: 500 * time.Millisecond, does: ask("/segfault")},
		{name: "os._exit in a request", every: 500 * time.Millisecond, does: ask("/exit")},
		{name: "a loop without an end, `--timeout 1`", options: []string{"--timeout", "1"}, every: time.Second, does: ask("/loop")},
		{name: "a memory bomb, `--max-memory 100MiB`", options: []string{"--max-memory", "100MiB"}, every: 2 * time.Second, does: ask("/bomb")},
		{name: "SIGHUP, and an exception at import", every: time.Second, does: func(v *victim) string {
			if err := v.write("raise RuntimeError('half a file')\n"); err != nil {
				return err.Error()
			}
			v.signal(syscall.SIGHUP)
			return ""
		}, after: logged("was not reloaded", "refusals")},
		{name: "SIGHUP", every: time.Second, does: func(v *victim) string { v.signal(syscall.SIGHUP); return "" }, after: logged("reloaded", "reloads")},
		{name: "SIGHUP, `--preload`", options: []string{"--preload"}, every: time.Second,
			does: func(v *victim) string { v.signal(syscall.SIGHUP); return "" }, after: logged("reloaded", "reloads")},
		{name: "`--max-requests 10`", options: []string{"--max-requests", "10"}, every: 50 * time.Millisecond, does: does, after: after},
		{name: "clients that leave, at every stage", every: 5 * time.Millisecond, does: vanish},
		{name: "1 GiB up and 1 GiB down", every: time.Second, once: true, does: gigabyte},
		{name: "2,000 clients that send a byte a second", every: time.Second, once: true, does: slowly},
		{name: "SIGKILL of serve", options: []string{"--workers", "4"}, every: time.Hour, after: orphans},
	}
}

// logged counts the lines of the log that have text in them.
func logged(text, what string) func(*victim) string {
	return func(v *victim) string {
		log, _ := os.ReadFile(v.log)
		return fmt.Sprintf("%d %s", strings.Count(string(log), text), what)
	}
}
