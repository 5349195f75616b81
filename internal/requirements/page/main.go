// Command page writes the catalogue of requirements as a document to the file
// that its argument names. It is what go generate ./conformance runs.
package main

import (
	"fmt"
	"os"

	"github.com/gowsgi/gowsgi/internal/requirements"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: page FILE")
		os.Exit(2)
	}
	if err := os.WriteFile(os.Args[1], requirements.Page(), 0o666); err != nil {
		fmt.Fprintln(os.Stderr, "page:", err)
		os.Exit(1)
	}
}
