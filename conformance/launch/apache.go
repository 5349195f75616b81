package launch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// modWSGI is the finder of mod_wsgi in Apache httpd.
func modWSGI(ctx context.Context, _ string) (Command, string, error) {
	httpd, err := findApache()
	if err != nil {
		return Command{}, "", err
	}
	modules, err := apacheModules(ctx, httpd)
	if err != nil {
		return Command{}, "", err
	}
	c := Command{
		// -X keeps the server in one process, in the foreground: what would
		// be left of several if this process were killed, nobody would end.
		Args: []string{httpd, "-X", "-f", "{tmp}/httpd.conf", "-c", "Listen {addr}"},
		Dir:  "{tmp}",
		// It may hang while it takes Python down, and has nothing to lose.
		Grace: time.Second,
		prepare: func(tmp string, fill *strings.Replacer) error {
			config := fill.Replace(apacheConfig(modules, os.Geteuid() == 0))
			return os.WriteFile(filepath.Join(tmp, "httpd.conf"), []byte(config), 0o644)
		},
	}
	return c, "", nil
}

const installModWSGI = "install it: the packages apache2 and libapache2-mod-wsgi-py3 of Debian, or httpd and python3-mod_wsgi of Fedora"

// findApache returns the program, which is often not on the PATH of others
// than root.
func findApache() (string, error) {
	for _, name := range []string{"apache2", "httpd"} {
		for _, dir := range []string{"", "/usr/sbin", "/usr/local/sbin", "/usr/local/apache2/bin"} {
			if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
				return path, nil
			}
		}
	}
	return "", errors.New("expected the program apache2 or httpd, it is not there; " + installModWSGI)
}

// apacheModules returns the folder that has the modules, mod_wsgi among them.
func apacheModules(ctx context.Context, httpd string) (string, error) {
	dirs := []string{"/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/lib/httpd/modules", "/usr/local/apache2/modules"}
	out, _ := say(ctx, httpd, "-V") // it may complain of its configuration, and says this all the same
	for line := range strings.Lines(out) {
		if _, root, ok := strings.Cut(strings.TrimSpace(line), `HTTPD_ROOT="`); ok {
			dirs = append(dirs, filepath.Join(strings.TrimSuffix(root, `"`), "modules"))
		}
	}
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, "mod_wsgi.so")); err == nil {
			return dir, nil
		}
	}
	return "", fmt.Errorf("expected the module mod_wsgi.so in one of %s, it is not there; %s", strings.Join(dirs, ", "), installModWSGI)
}

// apacheConfig returns a configuration that serves the application at the root
// and nothing else. A module that is compiled in has no file to load.
func apacheConfig(modules string, root bool) string {
	var b strings.Builder
	for _, name := range []string{"mpm_event", "authz_core", "unixd", "wsgi"} {
		path := filepath.Join(modules, "mod_"+name+".so")
		if _, err := os.Stat(path); err == nil {
			fmt.Fprintf(&b, "LoadModule %s_module \"%s\"\n", name, path)
		}
	}
	if root { // who refuses to serve as root
		b.WriteString("User #65534\nGroup #65534\n")
	}
	b.WriteString(`ServerRoot "{tmp}"
DefaultRuntimeDir "{tmp}"
PidFile "{tmp}/httpd.pid"
ErrorLog /dev/stderr
ServerName {host}
WSGIPythonPath "{dir}"
WSGIScriptAlias / "{dir}/{module}.py"
WSGICallableObject {app}
<Directory "{dir}">
	Require all granted
</Directory>
`)
	return b.String()
}
