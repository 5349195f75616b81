//go:build unix

package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// upgradable starts a server whose options are in a file, on a TCP and a Unix socket.
func upgradable(t *testing.T) (c *child, config, socket, pid string) {
	dir, err := os.MkdirTemp("", "gw") // the folder of a test may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	config, socket, pid = filepath.Join(dir, "conf"), filepath.Join(dir, "s"), filepath.Join(dir, "pid")
	settings := fmt.Sprintf("bind = 127.0.0.1:0\nbind = unix:%s\nadmin = 127.0.0.1:0\npid = %s\n", socket, pid)
	if err := os.WriteFile(config, []byte(settings), 0o666); err != nil {
		t.Fatal(err)
	}
	return start(t, nil, "--config", config), config, socket, pid
}

// TestUpgrade has another process take the place of a server, on all of its sockets,
// while it answers a request.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	c, config, socket, pid := upgradable(t)
	admin, base := c.admin(), c.url()
	c.wait(`listening address=unix:`)
	body := stream(t, base)
	text, err := os.ReadFile(config) // the next one is to be known by something
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, append(text, "name = second.example\n"...), 0o666); err != nil {
		t.Fatal(err)
	}
	unready, unserved := whileAsked(t, admin+"readyz"), whileAsked(t, base+"hello")
	c.signal(syscall.SIGUSR2)
	number := c.wait(`INFO  new process started pid=(\d+)$`)[1]
	second, err := strconv.Atoi(number)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Kill(second, syscall.SIGKILL) })
	c.wait(`INFO  stopping reason="process ` + number + ` has taken over"$`)
	if got := unready(); got != "" {
		t.Errorf("/readyz said %q, while one of the two was ready all the time", got)
	}
	if got := unserved(); got != "" {
		t.Errorf("a request got %q, while two processes served", got)
	}
	if line, err := body.ReadString('\n'); err != nil {
		t.Errorf("the response ends with %q, %v, want it to go on", line, err)
	}
	for body := body; ; {
		if _, err := body.ReadString('\n'); err != nil {
			break
		}
	}
	// cmd.Wait would wait for the standard output, which the second has too.
	if state, err := c.cmd.Process.Wait(); err != nil || !state.Success() {
		t.Errorf("the first process has ended with %v, %v", state, err)
	}
	for _, from := range []struct {
		client *http.Client
		url    string
	}{{http.DefaultClient, base}, {unixClient(t, socket), "http://name/"}} {
		if status, body := get(t, from.client, from.url); status != 200 || !strings.Contains(body, "second.example") {
			t.Errorf("%s: status %d, and not from the second process", from.url, status)
		}
	}
	answers(t, admin+"readyz", 200, "ready\n")
	if text, err := os.ReadFile(pid); string(text) != number+"\n" {
		t.Errorf("the file of --pid has %q, %v, want %s", text, err, number)
	}
	syscall.Kill(second, syscall.SIGTERM)
	for line := range c.lines { // until it has closed them
		c.said = append(c.said, line)
	}
	for _, name := range []string{socket, pid} {
		if _, err := os.Lstat(name); err == nil {
			t.Errorf("%s is left behind", name)
		}
	}
}

// TestFailedUpgrade goes on with the first process, and as often as it is asked for.
func TestFailedUpgrade(t *testing.T) {
	t.Parallel()
	c, config, socket, _ := upgradable(t)
	base := c.url()
	c.wait(`listening address=unix:`)
	before := `gowsgi: the process before listens on "http://127.0.0.1:0 http://unix:` + socket + ` --admin=127.0.0.1:0", and the options name `
	for text, want := range map[string]string{
		"workers = none\n":                          "gowsgi: .* workers is \"none\"",
		"bind = 127.0.0.1:0\nadmin = 127.0.0.1:0\n": before + `"http://127.0.0.1:0 --admin=127.0.0.1:0": that takes a restart`,
		// As many sockets as there are, one of which is not what it is taken for.
		"bind = 127.0.0.1:1\nbind = unix:" + socket + "\nadmin = 127.0.0.1:0\n": before + `"http://127.0.0.1:1 http://unix:` + socket + ` --admin=127.0.0.1:0": that takes a restart`,
		"bind = 127.0.0.1:0\nbind = unix:" + socket + "\nbind = 127.0.0.1:0\n":  before + `"http://127.0.0.1:0 http://unix:` + socket + ` http://127.0.0.1:0": that takes a restart`,
	} {
		if err := os.WriteFile(config, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		c.signal(syscall.SIGUSR2)
		c.wait(`INFO  new process started pid=`)
		c.wait(want)
		c.wait(`ERROR the new process does not serve; this one goes on error="exit status [12]"$`)
	}
	for client, url := range map[*http.Client]string{http.DefaultClient: base, unixClient(t, socket): "http://name/"} {
		if status, _ := get(t, client, url); status != 200 {
			t.Errorf("%s: status %d, want 200", url, status)
		}
	}
	c.stop()
	if _, err := os.Lstat(socket); err == nil {
		t.Error("the socket is left behind")
	}
}

// whileAsked asks a URL over one connection after the other until the returned function
// is called, which waits for twenty more answers and returns the first that was not 200.
func whileAsked(t *testing.T, url string) (until func() string) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	wrong, done, asked := make(chan string, 1), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(asked)
		for left := 20; left > 0; {
			select {
			case <-done:
				left--
			default:
			}
			said := ""
			if response, err := client.Get(url); err != nil {
				said = err.Error()
			} else {
				if response.StatusCode != 200 {
					text, _ := io.ReadAll(response.Body)
					said = response.Status + " " + string(text)
				}
				response.Body.Close()
			}
			if said != "" {
				select {
				case wrong <- said:
				default:
				}
			}
		}
	}()
	return func() string {
		close(done)
		<-asked
		select {
		case said := <-wrong:
			return said
		default:
			return ""
		}
	}
}
