package static

import (
	"strings"
	"unicode/utf8"
)

// below returns the rest of path behind prefix: "", or a path that begins with
// a slash. Only whole segments count.
func below(path, prefix string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(path, prefix)
	return rest, ok && (rest == "" || rest[0] == '/')
}

// wellKnown is the folder of what is to be found at every site (RFC 8615). It is
// meant for the public, in spite of its dot.
const wellKnown = ".well-known"

// naming says which names a file may have.
type naming struct {
	dots    bool // those that begin with a dot
	windows bool // only those that Windows does not take for something else
}

// file returns the name in an fs.FS of what path asks for, and whether path ends
// in a slash and so asks for a folder. ok is false when it can be no file's.
func (n naming) file(path string) (name string, folder, ok bool) {
	if path == "" || path == "/" {
		return ".", path == "/", true
	}
	if path[0] != '/' || !utf8.ValidString(path) {
		return "", false, false
	}
	name, folder = strings.CutSuffix(path[1:], "/")
	rest := name
	if name == wellKnown || strings.HasPrefix(name, wellKnown+"/") {
		rest = strings.TrimPrefix(name[len(wellKnown):], "/")
		if rest == "" {
			return name, folder, true
		}
	}
	for segment := range strings.SplitSeq(rest, "/") {
		if !n.allows(segment) {
			return "", false, false
		}
	}
	return name, folder, true
}

// allows reports whether segment may be part of the path of a file.
func (n naming) allows(segment string) bool {
	switch {
	case segment == "", segment == ".", segment == "..", segment[0] == '.' && !n.dots:
		return false
	}
	for _, c := range []byte(segment) {
		if c < 0x20 || c == 0x7F || c == '\\' || c == '/' {
			return false
		}
	}
	return !n.windows || !oddOnWindows(segment)
}

// oddOnWindows reports whether Windows takes segment for something else than
// the name of a file: a device, an alternate stream, or another spelling of
// another name.
func oddOnWindows(segment string) bool {
	if strings.ContainsAny(segment, `<>:"|?*`) || strings.HasSuffix(segment, ".") || strings.HasSuffix(segment, " ") {
		return true
	}
	if i := strings.LastIndexByte(segment, '~'); i >= 0 && i+1 < len(segment) && '0' <= segment[i+1] && segment[i+1] <= '9' {
		return true // GIT~1 is .git
	}
	device, _, _ := strings.Cut(segment, ".")
	device = strings.ToUpper(strings.TrimRight(device, " "))
	switch device {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	for _, kind := range []string{"COM", "LPT"} {
		switch number, ok := strings.CutPrefix(device, kind); number {
		case "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³":
			if ok {
				return true
			}
		}
	}
	return false
}
