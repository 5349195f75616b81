package cgi

import (
	"errors"
	"net/url"
	"strings"
)

// settlePath sets SCRIPT_NAME and PATH_INFO. Web servers decode them, so that
// nothing is decoded here, but where they send neither (CGI-17).
//
// No two web servers agree on where one ends and the other begins. Their stock
// configurations send the whole path in the first (nginx and Apache over
// FastCGI), in the second (nginx over uwsgi), or send neither (nginx over
// SCGI), and from the variables alone that cannot be told from a division that
// is meant. So it takes the deployer's word for the mount.
func (v *Vars) settlePath(mount string) error {
	script, info := v.raw("SCRIPT_NAME"), v.raw("PATH_INFO")
	if script == "/" && (info == "" || info[0] == '/') {
		script = ""
		if info == "" {
			info = "/"
		}
	}
	if strings.HasSuffix(script, "/") && strings.HasPrefix(info, "/") {
		script = script[:len(script)-1] // Apache over uwsgi: "/app/" and "/"
	}
	if script == "" && info == "" && v.find("PATH_INFO") == nil && v.find("SCRIPT_NAME") == nil {
		var err error
		if info, err = v.wholePath(); err != nil {
			return err
		}
	}
	switch {
	case strings.IndexByte(script, 0) >= 0 || strings.IndexByte(info, 0) >= 0:
		return badRequest("the path contains a NUL")
	case script != "" && script[0] != '/':
		return badRequest("SCRIPT_NAME is %q, expected a path that begins with a slash", script)
	case info == "*" && v.method == "OPTIONS": // CGI-28
	case info != "" && info[0] != '/': // CGI-13
		return badRequest("PATH_INFO is %q, expected a path that begins with a slash", info)
	case mount != "":
		return v.remount(mount, script, info)
	}
	v.script, v.info = script, info
	return nil
}

// remount puts the path together and divides it at mount.
func (v *Vars) remount(mount, script, info string) error {
	whole := script + info
	if script != "" && info != "" && script == decoded(v.target()) {
		whole = script // Apache over SCGI with proxy-scgi-pathinfo sends the path twice
	}
	if mount == "/" {
		v.script, v.info = "", whole
		return nil
	}
	rest, ok := strings.CutPrefix(whole, mount)
	if !ok || rest != "" && rest[0] != '/' {
		return &Refusal{"404 Not Found", errors.New("the path is outside " + mount)} // AMB-34
	}
	v.script, v.info = mount, rest
	return nil
}

// wholePath is the path of a request that came without SCRIPT_NAME and
// PATH_INFO.
func (v *Vars) wholePath() (string, error) {
	if p := v.find("DOCUMENT_URI"); p != nil && p.value != "" {
		return p.value, nil
	}
	target := v.target()
	path, err := url.PathUnescape(target)
	if err != nil {
		return "", badRequest("REQUEST_URI has the path %q, which cannot be decoded", target)
	}
	return path, nil
}

// target is the path of REQUEST_URI as the client sent it, from a target in
// origin-form or absolute-form: Apache passes both on.
func (v *Vars) target() string {
	target, _, _ := strings.Cut(v.raw("REQUEST_URI"), "?")
	if target == "" || target[0] == '/' || target == "*" {
		return target
	}
	if _, rest, ok := strings.Cut(target, "://"); ok {
		if slash := strings.IndexByte(rest, '/'); slash >= 0 {
			return rest[slash:]
		}
		return "/"
	}
	return target
}

// decoded decodes a path, but for an encoded slash, which Apache keeps.
func decoded(path string) string {
	parts := strings.Split(strings.ReplaceAll(path, "%2f", "%2F"), "%2F")
	for i, part := range parts {
		text, err := url.PathUnescape(part)
		if err != nil {
			return ""
		}
		parts[i] = text
	}
	return strings.Join(parts, "%2F")
}
