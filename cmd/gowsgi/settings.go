package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
)

// readSettings sets options from the file of --config, which has one a line: its name
// without the dashes, or TARGET, then an equals sign, then the value. What is set
// already, whose names are given, stays as it is. It returns the TARGET, "" when
// there is none.
//
//	# what is behind a # is a comment
//	target = mysite.wsgi:application
//	workers = 4
//	bind = "127.0.0.1:8000"
//	raw_env = ["A=1", "B=2"]
func readSettings(path string, options []option, given []string) (target string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("--config: %w", err)
	}
	hint := ""
	if strings.HasSuffix(path, ".py") { // that of gunicorn, as it is
		hint = "; nothing in the file is run as Python"
	}
	lines := strings.SplitAfter(string(text), "\n")
	for number, more := 1, 0; len(lines) > 0; lines, number = lines[more:], number+more {
		line := lines[0]
		for more = 1; more < len(lines) && isOpenList(line); more++ {
			line += lines[more]
		}
		wrong := func(err error) error { return usagef("%s:%d: %v%s", path, number, err, hint) }
		name, values, ok, err := readSetting(line)
		if err != nil {
			return "", wrong(err)
		}
		if !ok {
			continue
		}
		if name == "target" || name == "wsgi-app" {
			target = strings.Join(values, ",")
			continue
		}
		name = cmp.Or(aliases[name], ofGunicorn[name], name)
		i := slices.IndexFunc(options, func(o option) bool { return o.name == name })
		switch {
		case i < 0:
			return "", wrong(unknownOption(name, options))
		case name == "config":
			return "", wrong(fmt.Errorf("a file cannot name another"))
		case slices.Contains(given, name):
			continue
		}
		for _, setting := range values {
			if err := options[i].value.set(setting); err != nil {
				return "", wrong(fmt.Errorf("%s is %q, %w", name, setting, err))
			}
		}
	}
	return target, nil
}

// ofGunicorn are names that options have in gunicorn's files only.
var ofGunicorn = map[string]string{
	"accesslog": "access-logfile", "access-log-format": "access-logformat", "errorlog": "log-file", "loglevel": "log-level",
	"pidfile": "pid", "preload-app": "preload", "raw-env": "env",
}

// readSetting reads a line. ok is false where there is nothing in it. Names may have
// underscores, and values quotes, as in the files of gunicorn; a list of them has a value
// for each.
func readSetting(line string) (name string, values []string, ok bool, err error) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return "", nil, false, nil
	}
	name, setting, found := strings.Cut(line, "=")
	name, setting = strings.TrimSpace(name), strings.TrimSpace(setting)
	if !found || name == "" || strings.ContainsAny(name, " \t([") {
		return "", nil, false, fmt.Errorf("expected NAME = VALUE, such as workers = 4, and not %q", line)
	}
	if items, rest, isList := readList(setting); isList {
		if rest = strings.TrimSpace(rest); rest != "" && rest[0] != '#' {
			return "", nil, false, fmt.Errorf("%s is a list that does not end, or has something other than quoted texts in it or behind it: %s", name, setting)
		}
		return optionName(name), items, true, nil
	}
	if quote := setting[:min(1, len(setting))]; quote == `"` || quote == "'" {
		inner, rest, closed := strings.Cut(setting[1:], quote)
		if rest = strings.TrimSpace(rest); !closed || rest != "" && rest[0] != '#' {
			return "", nil, false, fmt.Errorf("%s has a quote that does not end, or something behind it: %s", name, setting)
		}
		setting = inner
	} else if i := strings.Index(setting, " #"); i >= 0 {
		setting = strings.TrimSpace(setting[:i])
	} else if strings.HasPrefix(setting, "#") {
		setting = ""
	}
	return optionName(name), []string{setting}, true, nil
}

func optionName(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "-")) }
