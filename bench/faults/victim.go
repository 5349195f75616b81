//go:build linux

package main

import (
	"bufio"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

//go:embed faulty.py
var faulty string

// A victim is gowsgi serve with the application in a folder of its own.
type victim struct {
	cmd  *exec.Cmd
	dir  string
	addr string
	log  string // the file that it writes to
	load *load  // what it is under
}

func startVictim(gowsgi string, options ...string) (*victim, error) {
	dir, err := os.MkdirTemp("", "faults")
	if err != nil {
		return nil, err
	}
	v := &victim{dir: dir, log: filepath.Join(dir, "log")}
	if err := v.write(faulty); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(v.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	v.cmd = exec.Command(gowsgi, append([]string{"serve", "faulty:app", "--chdir", dir, "--listen", "127.0.0.1:0", "--workers", "2",
		"--env", "PYTHONDONTWRITEBYTECODE=1"}, options...)...)
	v.cmd.Stdout, v.cmd.Stderr = log, log
	if err := v.cmd.Start(); err != nil {
		return nil, err
	}
	address := regexp.MustCompile(`http://([0-9.]+:[0-9]+)`)
	for range 100 {
		text, _ := os.ReadFile(v.log)
		if m := address.FindSubmatch(text); m != nil {
			v.addr = string(m[1])
			return v, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	v.end()
	return nil, fmt.Errorf("gowsgi serve names no address within 10 s")
}

// write makes text the application's module.
func (v *victim) write(text string) error {
	return os.WriteFile(filepath.Join(v.dir, "faulty.py"), []byte(text), 0o666)
}

func (v *victim) signal(s syscall.Signal) { v.cmd.Process.Signal(s) }

// end has it drain, and removes its folder.
func (v *victim) end() {
	v.signal(syscall.SIGTERM)
	v.cmd.Wait()
	os.RemoveAll(v.dir)
}

// workers are the processes below the server that are alive.
func (v *victim) workers() (pids []int) {
	parents := map[int]bool{v.cmd.Process.Pid: true}
	entries, _ := filepath.Glob("/proc/[0-9]*/stat")
	for range 2 { // a worker's parent may be the process that forks
		for _, name := range entries {
			text, err := os.ReadFile(name)
			if err != nil {
				continue
			}
			_, after, _ := strings.Cut(string(text), ") ")
			fields := strings.Fields(after)
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			parent, _ := strconv.Atoi(fields[1])
			if parents[parent] && !parents[pid] && fields[0] != "Z" {
				parents[pid] = true
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// resident is the memory of a process, in MiB, now and at its most.
func resident(pid int) (now, most int) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0
	}
	defer file.Close()
	for s := bufio.NewScanner(file); s.Scan(); {
		fields := strings.Fields(s.Text())
		switch {
		case len(fields) < 2:
		case fields[0] == "VmRSS:":
			now, _ = strconv.Atoi(fields[1])
		case fields[0] == "VmHWM:":
			most, _ = strconv.Atoi(fields[1])
		}
	}
	return now >> 10, most >> 10
}
