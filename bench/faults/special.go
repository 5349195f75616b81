//go:build linux

package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"
)

// vanish has a client leave somewhere between the first byte of its request and
// the last of the answer.
func vanish(v *victim) string {
	conn, err := net.Dial("tcp", v.addr)
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	request := "POST /upload HTTP/1.1\r\nHost: faults.example\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 100000)
	if rand.N(2) == 0 {
		request = "GET /download?4 HTTP/1.1\r\nHost: faults.example\r\n\r\n"
	}
	sent := rand.N(len(request) + 1)
	io.WriteString(conn, request[:sent])
	if sent == len(request) || rand.N(2) == 0 {
		conn.SetReadDeadline(time.Now().Add(time.Duration(rand.N(20)) * time.Millisecond))
		io.CopyN(io.Discard, conn, rand.N(int64(4<<20)))
	}
	return ""
}

// gigabyte sends 1 GiB and takes 1 GiB, and tells by how much the memory of Go's
// process and of a worker has grown meanwhile.
func gigabyte(v *victim) string {
	pids := v.workers()
	server, _ := resident(v.cmd.Process.Pid)
	before := make(map[int]int)
	for _, pid := range pids {
		before[pid], _ = resident(pid)
	}
	const size = 1 << 30
	response, err := http.Post("http://"+v.addr+"/upload", "", io.LimitReader(zeros{}, size))
	if err != nil {
		return err.Error()
	}
	text, _ := io.ReadAll(response.Body)
	response.Body.Close()
	if string(text) != fmt.Sprint(size) {
		return fmt.Sprintf("the upload: %d %.100q", response.StatusCode, text)
	}
	if response, err = http.Get("http://" + v.addr + "/download?1024"); err != nil {
		return err.Error()
	}
	n, err := io.Copy(io.Discard, response.Body)
	response.Body.Close()
	if n != size || err != nil {
		return fmt.Sprintf("the download: %d bytes, %v", n, err)
	}
	grown := 0
	for _, pid := range pids {
		_, most := resident(pid)
		grown = max(grown, most-before[pid])
	}
	_, most := resident(v.cmd.Process.Pid)
	return fmt.Sprintf("%d MiB more at the most in Go, %d in a worker", most-server, grown)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// slowly has fast clients work by turns alone and beside 2,000 uploads that get
// a byte a second, and tells what rate they keep. The uploads are opened before
// the clock runs: what is asked is what they cost while they wait.
func slowly(v *victim) string {
	var rates [2][]float64
	const turn = 4 * time.Second
	for range 3 {
		for i, n := range []int{0, 2000} {
			conns := make([]net.Conn, n)
			for i := range conns {
				conn, err := net.Dial("tcp", v.addr)
				if err != nil {
					return err.Error()
				}
				io.WriteString(conn, "POST /upload HTTP/1.1\r\nHost: faults.example\r\nContent-Length: 60000\r\n\r\n")
				conns[i] = conn
			}
			good, begin := v.load.good.Load(), time.Now()
			for next := time.NewTicker(time.Second); time.Since(begin) < turn; {
				for _, conn := range conns {
					if _, err := conn.Write([]byte("x")); err != nil {
						next.Stop()
						return "a slow client: " + err.Error()
					}
				}
				select {
				case <-next.C:
				case <-time.After(turn - time.Since(begin)):
					next.Stop()
				}
			}
			rates[i] = append(rates[i], float64(v.load.good.Load()-good)/time.Since(begin).Seconds())
			for _, conn := range conns {
				conn.Close()
			}
		}
	}
	var ratios []float64
	for i, rate := range rates[0] {
		ratios = append(ratios, rates[1][i]/rate)
	}
	slices.Sort(ratios)
	return fmt.Sprintf("the fast keep %.2f of their rate (%.2f to %.2f)", ratios[1], ratios[0], ratios[2])
}

// replaced notes every worker that it sees, and counts them in the end.
func replaced() (does, after func(*victim) string) {
	seen := make(map[int]bool)
	does = func(v *victim) string {
		for _, pid := range v.workers() {
			seen[pid] = true
		}
		return ""
	}
	return does, func(*victim) string { return fmt.Sprintf("at least %d workers, one after the other", len(seen)) }
}

// orphans kills the server, and counts the workers that outlive it.
func orphans(v *victim) string {
	pids := v.workers()
	v.signal(syscall.SIGKILL)
	v.cmd.Wait()
	var left int
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if left = alive(pids); left == 0 {
			break
		}
	}
	return fmt.Sprintf("%d of %d workers left", left, len(pids))
}

func alive(pids []int) (n int) {
	for _, pid := range pids {
		if syscall.Kill(pid, 0) == nil {
			n++
		}
	}
	return n
}
