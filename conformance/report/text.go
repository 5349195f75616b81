package report

import (
	"io"

	"github.com/gowsgi/gowsgi/conformance"
)

// TextOptions says how Text writes. The zero value is fit for a file.
type TextOptions struct {
	// Color adds the colours of ANSI terminals. The caller decides, by
	// whether the output is a terminal and by the variable NO_COLOR.
	Color bool

	// Width is the number of columns to fill; 0 means 80.
	Width int

	// Verbose shows the whole evidence, and why rules were skipped.
	Verbose bool

	// Strict counts a broken SHOULD as a failure; see Failed.
	Strict bool
}

// Text writes r for a terminal.
func Text(w io.Writer, r conformance.Report, o TextOptions) error { return nil }
