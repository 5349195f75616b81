package report

import (
	"io"

	"github.com/gowsgi/gowsgi/conformance"
)

// JSON writes reports.
func JSON(w io.Writer, r conformance.Report) error { return nil }
