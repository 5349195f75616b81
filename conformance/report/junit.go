package report

import (
	"io"

	"github.com/gowsgi/gowsgi/conformance"
)

// JUnit writes reports.
func JUnit(w io.Writer, reports ...conformance.Report) error { return nil }
