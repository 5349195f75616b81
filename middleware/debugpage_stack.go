package middleware

import (
	"bufio"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// frame is a call of a stack.
type frame struct {
	Function, File string
	Line           int
	Source         []sourceLine // around Line; none where there is no source
	Library        bool         // of Go, of this module or of another: seldom where the mistake is
	Open           bool         // shown at once
}

type sourceLine struct {
	Number int
	Text   string
	Here   bool
}

// mostFrames is how many calls of a stack are shown.
const mostFrames = 60

// parseStack reads a stack as debug.Stack writes it, from the panic on: what is
// above it is how the panic was caught.
func parseStack(stack []byte) (frames []frame) {
	lines := strings.Split(string(stack), "\n")
	if i := lastPanic(lines); i >= 0 {
		lines = lines[i+2:]
	} else if len(lines) > 0 {
		lines = lines[1:] // "goroutine 1 [running]:"
	}
	opened := false
	for i := 0; i+1 < len(lines) && len(frames) < mostFrames; i += 2 {
		where, ok := strings.CutPrefix(lines[i+1], "\t")
		if !ok {
			break
		}
		where, _, _ = strings.Cut(where, " +0x")
		colon := strings.LastIndexByte(where, ':')
		if colon < 0 {
			break
		}
		f := frame{Function: functionName(lines[i]), File: where[:colon]}
		f.Line, _ = strconv.Atoi(where[colon+1:])
		f.Library = isLibrary(f.File)
		f.Source = excerpt(f.File, f.Line)
		f.Open = !f.Library && !opened && len(f.Source) > 0
		opened = opened || f.Open
		frames = append(frames, f)
	}
	return frames
}

// lastPanic finds the call of panic that began it all, -1 when there is none:
// deferred functions that panic again, or pass a panic on, stand above it.
func lastPanic(lines []string) int {
	at := -1
	for i, line := range lines {
		if strings.HasPrefix(line, "panic(") && i+1 < len(lines) && strings.Contains(lines[i+1], "/runtime/panic.go:") {
			at = i
		}
	}
	return at
}

// functionName takes the arguments away, and the way to the package.
func functionName(call string) string {
	call = strings.TrimPrefix(call, "created by ")
	call, _, _ = strings.Cut(call, " in goroutine ")
	if i := strings.LastIndexByte(call, '('); i > 0 && !strings.HasSuffix(call[:i], ".") {
		call = call[:i]
	}
	return call[strings.LastIndexByte(call, '/')+1:]
}

// isLibrary reports whether a file belongs to Go, or to the module cache.
func isLibrary(file string) bool {
	if strings.HasPrefix(file, goSource()) || strings.Contains(file, "/pkg/mod/") {
		return true
	}
	inside, own := strings.CutPrefix(file, ownSource())
	folder, _, _ := strings.Cut(inside, "/")
	return own && !strings.HasSuffix(file, "_test.go") && slices.Contains([]string{"wsgi", "middleware", "server", "adapters"}, folder)
}

// ownSource is the folder of this module.
var ownSource = sync.OnceValue(func() string {
	_, file, _, _ := runtime.Caller(0)
	return strings.TrimSuffix(file, "middleware/debugpage_stack.go")
})

// goSource is the folder of the standard library, as the compiler knew it.
var goSource = sync.OnceValue(func() string {
	file, _ := runtime.FuncForPC(reflect.ValueOf(strings.Cut).Pointer()).FileLine(0)
	return strings.TrimSuffix(file, "strings/strings.go")
})

// excerpt returns the source around a line: of a Go file, for nothing else is
// what a stack may name.
func excerpt(name string, line int) (source []sourceLine) {
	const around = 5
	if filepath.Ext(name) != ".go" {
		return nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer file.Close()
	text := bufio.NewScanner(file)
	for n := 1; n <= line+around && text.Scan(); n++ {
		if n >= line-around {
			source = append(source, sourceLine{Number: n, Text: text.Text(), Here: n == line})
		}
	}
	return source
}
