package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

// version prints the version of the module that the command was built from.
func version(args []string, p process) error {
	if len(args) > 0 {
		return usagef("version takes no argument, not %q", args[0])
	}
	_, err := fmt.Fprintf(p.stdout, "gowsgi %s %s %s/%s\n", moduleVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// moduleVersion is a release or a pseudo-version, or "(devel)" where the build
// recorded neither, as in a test.
func moduleVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

func versionHelp(w io.Writer) {
	io.WriteString(w, "Usage: gowsgi version\n\nPrints the version of gowsgi, of the Go release that built it, and the platform.\n")
}
