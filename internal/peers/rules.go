package peers

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/wsgi"
)

// unkept is a row of doc/deploy/rules.md: rules that are not kept behind some
// front ends.
type unkept struct {
	fronts, rules string // patterns, with commas in between
	often         often  // which depends on what the front end reads at once
	remedy        string // the directive with which the rule is kept, "" for none
}

// often is how often a rule is broken.
type often int

const (
	always often = iota
	sometimes
	rarely
)

// howOften is what the reason of a row begins with.
func howOften(reason string) often {
	switch {
	case strings.HasPrefix(reason, "Sometimes"):
		return sometimes
	case strings.HasPrefix(reason, "Rarely"):
		return rarely
	}
	return always
}

// readUnkept reads the rows of the table that are about f.
func (f Front) readUnkept(t *testing.T) (list []unkept) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(Deploy, "rules.md"))
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(text), "\n") {
		cells := strings.Split(line, " | ")
		if !strings.HasPrefix(line, "| ") || len(cells) != 4 || strings.HasPrefix(line, "| Front end") {
			continue
		}
		for i := range cells {
			cells[i] = strings.Trim(strings.TrimSpace(strings.Trim(cells[i], "| ")), "`")
		}
		if cells[2] == "" {
			t.Errorf("rules.md:%d has no reason", i+1)
		}
		if u := (unkept{cells[0], cells[1], howOften(cells[2]), cells[3]}); matches(u.fronts, f.String()) {
			list = append(list, u)
		}
	}
	return list
}

// Conformance runs the probes for servers on an application behind the front
// end, which has it at the root of its paths. serve serves the application over
// the front end's protocol and returns the port, or with CGI the program that
// the front end is to run.
//
// What is broken must stand in doc/deploy/rules.md, and what stands there must
// be broken, sometimes or always as it says; with the directives that stand there
// it must be kept.
func (f Front) Conformance(t *testing.T, serve func(app wsgi.Application) (port int, program string)) {
	t.Helper()
	known := f.readUnkept(t)
	remedies := make(map[string][]string) // the rules that each makes kept
	var listed, now, others []string
	for _, rule := range conformance.Rules() {
		i := slices.IndexFunc(known, func(u unkept) bool { return matches(u.rules, rule.ID) })
		if i < 0 {
			others = append(others, rule.ID)
			continue
		}
		switch known[i].often {
		case always:
			listed = append(listed, rule.ID)
		case sometimes:
			now = append(now, rule.ID)
		}
		if remedy := known[i].remedy; remedy != "" {
			remedies[remedy] = append(remedies[remedy], rule.ID)
		}
	}
	f.check(t, "", conformance.Suite{Only: others, Patience: Patience}, serve, true)
	if len(listed) > 0 {
		f.check(t, "", conformance.Suite{Only: listed, Patience: 200 * time.Millisecond}, serve, false)
	}
	f.await(t, now, serve)
	for remedy, rules := range remedies {
		f.check(t, remedy, conformance.Suite{Only: rules, Patience: Patience}, serve, true)
	}
}

// check runs a suite, and expects each rule to be kept or to be broken.
func (f Front) check(t *testing.T, directive string, suite conformance.Suite, serve func(app wsgi.Application) (port int, program string), keep bool) {
	t.Helper()
	report := f.report(t, directive, suite, serve)
	if kept := report.Count(conformance.Pass); keep && kept == 0 {
		t.Error("no rule is kept")
	}
	for _, r := range report.Results {
		switch broken := r.Status == conformance.Fail || r.Status == conformance.Warn; {
		case broken && keep:
			t.Errorf("behind %s with %q %s is not kept, and rules.md has no such row: %s: %s", f, directive, r.ID, r.Status, r.Evidence)
		case !broken && !keep && slices.Contains(suite.Only, r.ID):
			t.Errorf("rules.md says that %s is not kept behind %s, expected it to be broken: %s %s", r.ID, f, r.Status, r.Evidence)
		}
	}
}

// report runs a suite.
func (f Front) report(t *testing.T, directive string, suite conformance.Suite, serve func(app wsgi.Application) (port int, program string)) conformance.Report {
	t.Helper()
	report, err := suite.CheckServer(t.Context(), func(app wsgi.Application) (network, addr string, err error) {
		port, program := serve(app)
		addr, _ = f.start(t, port, program, func(config string) string { return f.with(atRoot.Replace(config), directive) })
		return "tcp", addr, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// tries bounds how often a rule is tried that is said to be broken sometimes. The
// rarest of them was seen broken once in six tries.
const tries = 200

// await tries rules until each has been seen broken.
func (f Front) await(t *testing.T, rules []string, serve func(app wsgi.Application) (port int, program string)) {
	t.Helper()
	for i := 0; len(rules) > 0; i++ {
		if i == tries {
			t.Errorf("rules.md says that %q are not always kept behind %s, in %d tries they were", rules, f, tries)
			return
		}
		t.Run("again", func(t *testing.T) { // what a try has started ends with it
			for _, r := range f.report(t, "", conformance.Suite{Only: rules, Patience: 200 * time.Millisecond}, serve).Results {
				if r.Status == conformance.Fail || r.Status == conformance.Warn {
					rules = slices.DeleteFunc(slices.Clone(rules), func(id string) bool { return id == r.ID })
				}
			}
		})
	}
}

// atRoot makes of the configurations those of an application at the root of
// the site, as doc/deploy/README.md says.
var atRoot = strings.NewReplacer(
	"location /app {", "location / {",
	"ProxyPass /app fcgi://127.0.0.1:9000/app ", "ProxyPass / fcgi://127.0.0.1:9000/ ",
	"ProxyPass /app scgi://127.0.0.1:9000/app ", "ProxyPass / scgi://127.0.0.1:9000/ ",
	"ProxyPass /app uwsgi://", "ProxyPass / uwsgi://",
	"ProxyPass /app http://127.0.0.1:9000/app ", "ProxyPass / http://127.0.0.1:9000/ ",
	"<Location /app>", "<Location />",
	"use_backend app if { path /app } || { path_beg /app/ }", "default_backend app",
	"@app path /app /app/*", "@app path /*",
	"ScriptAlias /app /srv/www/app.cgi", "ScriptAlias / /srv/www/app.cgi/",
	"ScriptAlias /app /srv/www/app.fcgi", "ScriptAlias / /srv/www/app.fcgi/",
	`( "/app" => (( `, `( "/" => (( "fix-root-scriptname" => "enable", `,
	`( "/app" => "/srv/www/app.cgi" )`, `( "" => "/srv/www/app.cgi" )`,
	"$HTTP[\"url\"] =~ \"^/app(/|$)\" {\n    cgi.assign = ( \"\" => \"\" )\n}", `cgi.assign = ( "" => "" )`,
)

// with adds a directive for the application.
func (f Front) with(config, directive string) string {
	switch {
	case directive == "":
		return config
	case f.Server == "nginx":
		return strings.Replace(config, "location / {", "location / {\n"+directive, 1)
	case f.Server == "apache":
		return config + fmt.Sprintf("\nLoadModule env_module /usr/lib/apache2/modules/mod_env.so\n<Location />\n%s\n</Location>\n", directive)
	case f.Server == "haproxy":
		return strings.Replace(config, "backend app\n    ", "backend app\n    "+directive+"\n    ", 1)
	case f.Server == "caddy":
		return strings.Replace(config, "flush_interval -1\n", "flush_interval -1\n"+directive+"\n", 1)
	}
	return config + "\n" + directive + "\n"
}

// matches reports whether text is one of a list of patterns.
func matches(list, text string) bool {
	for pattern := range strings.SplitSeq(list, ", ") {
		if ok, err := path.Match(strings.ReplaceAll(pattern, "/", "\x01"), strings.ReplaceAll(text, "/", "\x01")); ok && err == nil {
			return true
		}
	}
	return false
}
