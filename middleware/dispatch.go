package middleware

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Dispatch returns a middleware that gives each request to the application that
// the table has for its host and path; what the table has nothing for goes on
// to the next application. A key is a path, or a host and a path:
//
//	Dispatch(map[string]wsgi.Application{
//		"/":                   site,
//		"/shop":               shop,
//		"admin.example.org/":  admin,
//		"*.example.org/files": files, // one label or more in the place of *
//	})
//
// Paths are prefixes, and what is done for the application is the same, as for
// Mount. Among the prefixes of one host the longest wins. A host goes before a
// pattern with "*", a longer pattern before a shorter one, and every host before
// the keys that have none; when none of a host's prefixes fits, the less
// specific keys are tried. So nothing depends on an order.
//
// The host of a request is its Host header, or SERVER_NAME where it has none:
// without the port and a dot at the end, in any case of letters. A malformed
// Host is no host of the table. The table is copied. A malformed key, two keys
// that mean the same, and a nil application panic.
//
// It does nothing to status, headers or body.
//
// Security: Host is what the client says. A table of hosts is no protection of
// one site from the clients of another, and what goes on to the keys without a
// host may have any Host: put AllowedHosts outside.
func Dispatch(table map[string]wsgi.Application) wsgi.Middleware {
	d := newDispatcher(table)
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if prefix, app := d.find(environ); app != nil {
				return app.Call(moveDown(environ, prefix), start)
			}
			return next.Call(environ, start)
		})
	}
}

// dispatcher is the table of Dispatch.
type dispatcher struct {
	exact     map[string]*prefixes // by host
	wildcards []wildcard           // the longest first
	any       *prefixes            // for every host
}

type wildcard struct {
	suffix string // ".example.org"
	*prefixes
}

// prefixes are the applications of one host by their prefix.
type prefixes struct {
	apps    map[string]wsgi.Application
	longest int // length of the longest prefix
}

func newDispatcher(table map[string]wsgi.Application) *dispatcher {
	d := &dispatcher{exact: map[string]*prefixes{}, any: new(prefixes)}
	suffixes := map[string]*prefixes{}
	for key, app := range table {
		if app == nil {
			panic(fmt.Sprintf("middleware: Dispatch: the application for %q is nil", key))
		}
		slash := strings.IndexByte(key, '/')
		if slash < 0 {
			panic(fmt.Sprintf("middleware: Dispatch: the key %q has no slash, expected a path, or a host and a path such as %q", key, key+"/"))
		}
		to := d.any
		if slash > 0 {
			pattern, err := parseHostPattern(key[:slash])
			if err != nil {
				panic(fmt.Sprintf("middleware: Dispatch: in the key %q: %v", key, err))
			}
			hosts := d.exact
			if pattern[0] == '.' {
				hosts = suffixes
			}
			if to = hosts[pattern]; to == nil {
				to = new(prefixes)
				hosts[pattern] = to
			}
		}
		if !to.add(cleanPrefix("Dispatch", key[slash:]), app) {
			panic(fmt.Sprintf("middleware: Dispatch: another key means the same as %q", key))
		}
	}
	for suffix, p := range suffixes {
		d.wildcards = append(d.wildcards, wildcard{suffix, p})
	}
	slices.SortFunc(d.wildcards, func(a, b wildcard) int { return cmp.Compare(len(b.suffix), len(a.suffix)) })
	return d
}

func (p *prefixes) add(prefix string, app wsgi.Application) bool {
	if _, taken := p.apps[prefix]; taken {
		return false
	}
	if p.apps == nil {
		p.apps = map[string]wsgi.Application{}
	}
	p.apps[prefix] = app
	p.longest = max(p.longest, len(prefix))
	return true
}

// find returns the application for environ and its prefix, nil for none.
func (d *dispatcher) find(environ *wsgi.Environ) (prefix string, app wsgi.Application) {
	path := environ.Var("PATH_INFO")
	if len(d.exact)+len(d.wildcards) > 0 {
		if host, _, ok := requestHost(environ); ok {
			if p := d.exact[host]; p != nil {
				if prefix, app = p.find(path); app != nil {
					return prefix, app
				}
			}
			for _, w := range d.wildcards {
				if !underDomain(host, w.suffix) {
					continue
				}
				if prefix, app = w.find(path); app != nil {
					return prefix, app
				}
			}
		}
	}
	return d.any.find(path)
}

// find tries the segments of path from the right. No more of it is looked at
// than the longest prefix has, so a long path costs nothing.
func (p *prefixes) find(path string) (string, wsgi.Application) {
	if p.apps == nil {
		return "", nil
	}
	for n := min(len(path), p.longest); n > 0; n-- {
		if n < len(path) && path[n] != '/' {
			continue
		}
		if app := p.apps[path[:n]]; app != nil {
			return path[:n], app
		}
	}
	return "", p.apps[""]
}
