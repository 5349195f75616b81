package main

import (
	"os"
	"strconv"
)

const (
	unknownWidth = 80 // columns; what every terminal has
	leastWidth   = 40 // below it a table is no longer one
)

// terminalWidth returns the number of columns that p's output has: what
// COLUMNS says, or else the terminal, or else 80.
func terminalWidth(p process) int {
	text, _ := p.lookupEnv("COLUMNS")
	columns, err := strconv.Atoi(text)
	if file, ok := p.stdout.(*os.File); ok && (err != nil || columns <= 0) {
		columns = fileWidth(file)
	}
	if columns <= 0 {
		return unknownWidth
	}
	return max(columns, leastWidth)
}
