package server

import (
	"net/http"
	"net/url"
	"strings"
)

// paths returns SCRIPT_NAME and PATH_INFO: the mount point and what follows,
// decoded once and otherwise as the client sent them (CGI-17, CGI-19). One
// after the other they are the path of the request (CGI-20).
func (x *exchange) paths() (script, info string) {
	path := x.r.URL.Path
	if path == "*" {
		return "", path // OPTIONS *, where net/http leaves it to us (CGI-28)
	}
	if mount := x.handler.server.ScriptName; mount != "" {
		return mount, path[len(mount):]
	}
	whole := stripped(x.r)
	script = strings.TrimRight(whole, "/") // no slash ends SCRIPT_NAME (CGI-14), and one begins PATH_INFO
	info = whole[len(script):] + path
	if info == "" && script == "" || info != "" && info[0] != '/' {
		info = "/" + info
	}
	return script, info
}

// underScript reports whether path is script or below it.
func underScript(path, script string) bool {
	return script == "" || strings.HasPrefix(path, script) &&
		(len(path) == len(script) || path[len(script)] == '/')
}

// stripped returns what a handler around ours, such as http.StripPrefix, took
// from the front of the path.
func stripped(r *http.Request) string {
	target, _, _ := strings.Cut(r.RequestURI, "?")
	if target == r.URL.Path || target == "" {
		return ""
	}
	if !strings.HasPrefix(target, "/") { // absolute-form
		_, rest, ok := strings.Cut(target, "://")
		if !ok {
			return ""
		}
		slash := strings.IndexByte(rest, '/')
		if slash < 0 {
			return ""
		}
		target = rest[slash:]
	}
	whole, err := url.PathUnescape(target)
	if err != nil {
		return ""
	}
	script, ok := strings.CutSuffix(whole, r.URL.Path)
	if !ok || strings.Trim(script, "/") == "" && strings.HasPrefix(r.URL.Path, "/") { // the path was cleaned
		return ""
	}
	return script
}
