package middleware

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// logAtom appends its part of a line.
type logAtom func(line []byte, e *logEntry) []byte

// logAtoms are the atoms that have no argument, by Apache's letter.
var logAtoms = map[string]logAtom{
	"h": variableAtom("REMOTE_ADDR"),
	"a": variableAtom("REMOTE_ADDR"),
	"l": textAtom(func(*logEntry) string { return "" }),
	"u": textAtom(func(e *logEntry) string { return e.user }),
	"r": func(line []byte, e *logEntry) []byte { // the first line of the request
		line = append(appendEscaped(line, e.came.Var("REQUEST_METHOD")), ' ')
		line = append(appendEscaped(line, e.target()), ' ')
		return appendEscaped(line, e.came.Var("SERVER_PROTOCOL"))
	},
	"m": variableAtom("REQUEST_METHOD"),
	"U": textAtom((*logEntry).path),
	"H": variableAtom("SERVER_PROTOCOL"),
	"v": textAtom(func(e *logEntry) string { return e.Environ.Var("SERVER_NAME") }),
	"V": textAtom(func(e *logEntry) string { return e.Environ.Var("HTTP_HOST") }),
	"p": textAtom(func(e *logEntry) string { return e.Environ.Var("SERVER_PORT") }),
	"q": func(line []byte, e *logEntry) []byte {
		query := e.came.Var("QUERY_STRING")
		if query == "" {
			return line
		}
		return appendEscaped(append(line, '?'), query)
	},
	"s": func(line []byte, e *logEntry) []byte {
		if code := e.Code(); code > 0 {
			return strconv.AppendInt(line, int64(code), 10)
		}
		return append(line, '-')
	},
	"B": func(line []byte, e *logEntry) []byte { return strconv.AppendInt(line, e.Bytes, 10) },
	"b": func(line []byte, e *logEntry) []byte {
		if e.Bytes == 0 {
			return append(line, '-')
		}
		return strconv.AppendInt(line, e.Bytes, 10)
	},
	"T": takenAtom(time.Second),
	"D": takenAtom(time.Microsecond),
	"P": func(line []byte, _ *logEntry) []byte { return strconv.AppendInt(line, int64(os.Getpid()), 10) },
	"X": func(line []byte, e *logEntry) []byte {
		if e.Stopped || e.Err != nil {
			return append(line, 'X')
		}
		return append(line, '+')
	},
	"%": func(line []byte, _ *logEntry) []byte { return append(line, '%') },
}

const apacheTime = "[02/Jan/2006:15:04:05 -0700]"

// gunicornAtoms are those that gunicorn has another letter for, or alone.
var gunicornAtoms = map[string]logAtom{
	"f": headerAtom("Referer"),
	"a": headerAtom("User-Agent"),
	"q": variableAtom("QUERY_STRING"),
	"M": takenAtom(time.Millisecond),
	"L": func(line []byte, e *logEntry) []byte { return strconv.AppendFloat(line, e.taken.Seconds(), 'f', 6, 64) },
	"p": func(line []byte, _ *logEntry) []byte {
		return append(strconv.AppendInt(append(line, '<'), int64(os.Getpid()), 10), '>')
	},
}

func textAtom(text func(e *logEntry) string) logAtom {
	return func(line []byte, e *logEntry) []byte { return appendEscaped(line, text(e)) }
}

func variableAtom(key string) logAtom {
	return textAtom(func(e *logEntry) string { return e.came.Var(key) })
}

// timeAtom is the atom t of one log. Its lines are made one at a time, so it
// formats each second once.
func timeAtom() logAtom {
	var second int64
	var text []byte
	return func(line []byte, e *logEntry) []byte {
		if s := e.Began.Unix(); s != second || text == nil {
			second, text = s, e.Began.AppendFormat(text[:0], apacheTime)
		}
		return append(line, text...)
	}
}

func takenAtom(unit time.Duration) logAtom {
	return func(line []byte, e *logEntry) []byte { return strconv.AppendInt(line, int64(e.taken/unit), 10) }
}

func headerAtom(name string) logAtom {
	variable := headerVariable(name)
	switch variable {
	case "HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH": // which have other names (CGI-10)
		variable = variable[len("HTTP_"):]
	}
	return textAtom(func(e *logEntry) string { return e.Environ.Var(variable) })
}

// argumentAtom is an atom with an argument, such as {Referer}i.
func argumentAtom(argument, letter string) logAtom {
	if argument == "" {
		return nil
	}
	switch letter {
	case "i":
		return headerAtom(argument)
	case "o":
		return textAtom(func(e *logEntry) string { return strings.Join(e.Headers.Values(argument), ", ") })
	case "e":
		return textAtom(func(e *logEntry) string {
			value, _ := e.Environ.Get(argument).(string)
			return value
		})
	case "T":
		return map[string]logAtom{"s": takenAtom(time.Second), "ms": takenAtom(time.Millisecond), "us": takenAtom(time.Microsecond)}[argument]
	case "t":
		switch argument {
		case "sec":
			return func(line []byte, e *logEntry) []byte { return strconv.AppendInt(line, e.Began.Unix(), 10) }
		case "msec":
			return func(line []byte, e *logEntry) []byte { return strconv.AppendInt(line, e.Began.UnixMilli(), 10) }
		case "usec":
			return func(line []byte, e *logEntry) []byte { return strconv.AppendInt(line, e.Began.UnixMicro(), 10) }
		case "iso":
			return func(line []byte, e *logEntry) []byte { return e.Began.AppendFormat(line, time.RFC3339Nano) }
		}
	}
	return nil
}

// parseLogFormat compiles a format.
func parseLogFormat(format string) ([]logAtom, error) {
	if format == "" {
		format = CombinedLog
	}
	var atoms []logAtom
	for rest := format; rest != ""; {
		percent := strings.IndexByte(rest, '%')
		if percent != 0 {
			literal := rest
			if percent > 0 {
				literal = rest[:percent]
			}
			if strings.ContainsAny(literal, "\r\n") {
				return nil, logError("the format %q has a line end, expected one line", format)
			}
			atoms = append(atoms, func(line []byte, _ *logEntry) []byte { return append(line, literal...) })
			rest = rest[len(literal):]
			continue
		}
		atom, n := parseLogAtom(rest)
		if atom == nil {
			return nil, logError("the format %q has %q, expected an atom such as %%h or %%(h)s", format, rest[:min(n, len(rest))])
		}
		atoms = append(atoms, atom)
		rest = rest[n:]
	}
	return atoms, nil
}

// parseLogAtom returns the atom that s begins with and its length, or nil and
// how much of s is no atom.
func parseLogAtom(s string) (logAtom, int) {
	if strings.HasPrefix(s, "%(") {
		inside, _, closed := strings.Cut(s[2:], ")s")
		n := len("%()s") + len(inside)
		if !closed {
			return nil, n
		}
		if argument, letter, braces := cutBraces(inside); braces {
			return argumentAtom(argument, letter), n
		}
		if atom := gunicornAtoms[inside]; atom != nil {
			return atom, n
		}
		return plainAtom(inside), n
	}
	at := 1
	if strings.HasPrefix(s[at:], "{") {
		end := strings.IndexByte(s, '}')
		if end < 0 || end+1 >= len(s) {
			return nil, len(s)
		}
		argument, letter, _ := cutBraces(s[at : end+2])
		return argumentAtom(argument, letter), end + 2
	}
	if at < len(s) && (s[at] == '>' || s[at] == '<') { // the last and the first of internal redirects: there is one
		at++
	}
	if at >= len(s) {
		return nil, at
	}
	return plainAtom(s[at : at+1]), at + 1
}

// plainAtom is an atom without an argument, nil when there is none of that letter.
func plainAtom(letter string) logAtom {
	if letter == "t" {
		return timeAtom()
	}
	return logAtoms[letter]
}

func cutBraces(s string) (argument, letter string, ok bool) {
	if !strings.HasPrefix(s, "{") {
		return "", "", false
	}
	argument, letter, ok = strings.Cut(s[1:], "}")
	return argument, letter, ok
}
