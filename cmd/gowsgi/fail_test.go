//go:build unix

package main

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCannotServe makes calls that are understood and fail: each is answered
// with one line and status 1.
func TestCannotServe(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("not a certificate"), 0o666); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "missing")
	for _, test := range []struct {
		name    string
		environ []string
		args    []string
		want    string
	}{
		{"port in use", nil, []string{"--listen", taken.Addr().String()},
			"listen tcp " + taken.Addr().String() + ": address already in use; stop what listens there, or choose another address by --listen"},
		{"one of two in use", nil, []string{"--listen", "unix:" + missing, "--listen", taken.Addr().String()},
			"listen tcp " + taken.Addr().String() + ": address already in use"},
		{"descriptor that is closed", nil, []string{"--listen", "scgi://fd:99"}, "descriptor 99 is not a listening socket: "},
		{"no program", nil, []string{"--listen", "127.0.0.1:0", "cgi:" + missing},
			"TARGET is \"cgi:" + missing + "\", expected a program that can be run: stat " + missing + ": no such file or directory"},
		{"program that is none", nil, []string{"--listen", "127.0.0.1:0", "cgi:" + file},
			"TARGET is \"cgi:" + file + "\", expected a program that can be run: permission denied"},
		{"no folder of files", nil, []string{"--listen", "127.0.0.1:0", "dir:" + missing}, "open " + missing + ": no such file or directory"},
		{"no such folder", nil, []string{"--listen", "unix:" + missing + "/s"},
			"listen unix " + missing + "/s: no such file or directory"},
		{"file is no socket", nil, []string{"--listen", "unix:" + file}, "listen unix " + file + ": file exists and is not a socket"},
		{"no address of this machine", nil, []string{"--listen", "192.0.2.1:0"},
			"listen tcp 192.0.2.1:0: cannot assign requested address"},
		{"no certificate", nil, []string{"--tls-cert", missing, "--tls-key", file},
			"certificate " + missing + ", key " + file + ": open " + missing + ": no such file or directory"},
		{"broken certificate", nil, []string{"--tls-cert", file, "--tls-key", file},
			"certificate " + file + ", key " + file + ": tls: failed to find any PEM data in certificate input"},
		{"no folder for the demo", []string{"TMPDIR=" + missing}, []string{"--listen", "127.0.0.1:0"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, lines := start(t, test.environ, test.args...).exit()
			if status != exitFailure || len(lines) != 1 || !strings.HasPrefix(lines[0], "gowsgi: "+test.want) {
				t.Errorf("status %d after %q, want 1 and one line of %q", status, lines, test.want)
			}
			if _, err := os.Stat(missing); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the socket is left behind: %v", err)
			}
		})
	}
}
