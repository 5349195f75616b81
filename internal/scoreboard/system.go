package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"
)

// system says on what everything runs, as far as it can matter to a server.
func system() string {
	name := runtime.GOOS
	if text, err := os.ReadFile("/etc/os-release"); err == nil {
		name = prettyName(string(text), name)
	}
	return name + ", " + runtime.GOOS + "/" + runtime.GOARCH + ", " + runtime.Version()
}

// prettyName returns what an os-release file calls the system.
func prettyName(release, otherwise string) string {
	for line := range strings.Lines(release) {
		value, ok := strings.CutPrefix(strings.TrimSpace(line), "PRETTY_NAME=")
		if !ok {
			continue
		}
		if unquoted, err := strconv.Unquote(value); err == nil {
			return unquoted
		}
		return value
	}
	return otherwise
}
