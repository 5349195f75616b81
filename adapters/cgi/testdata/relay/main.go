// Relay is a CGI program for tests. It passes what it gets to a socket, and what
// comes from there back: the suite's application is in the process of the test,
// where cgi's serve runs it as if it were here. Standard output comes in
// netstrings: an empty one says that it is closed, and another that the program has
// ended well.
//
// It is small, for a suite starts it some hundred times.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

var socket string // set by the linker

func main() {
	if err := relay(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func relay() error {
	c, err := net.Dial("unix", socket)
	if err != nil {
		return err
	}
	defer c.Close()
	block := strings.Join(os.Environ(), "\x00")
	if _, err := fmt.Fprintf(c, "%d:%s", len(block), block); err != nil {
		return err
	}
	go func() {
		io.Copy(c, os.Stdin)
		c.(*net.UnixConn).CloseWrite()
	}()
	in := bufio.NewReader(c)
	for closed := false; ; {
		var n int
		if _, err := fmt.Fscanf(in, "%d:", &n); err != nil {
			return fmt.Errorf("the program has been cut: %w", err)
		}
		if n == 0 && closed {
			return nil
		}
		if n == 0 {
			closed = true
			os.Stdout.Close()
			continue
		}
		if _, err := io.CopyN(os.Stdout, in, int64(n)); err != nil {
			return err
		}
	}
}
