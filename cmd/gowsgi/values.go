package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/gowsgi/gowsgi/middleware"
)

// The kinds of values that an option may have. An error of theirs continues
// the sentence `--option is "x", `.

func text(p *string) value {
	return value{set: func(s string) error {
		*p = s
		return nil
	}}
}

func boolean(p *bool) value {
	return value{isBool: true, set: func(s string) error {
		b, err := strconv.ParseBool(s)
		if err != nil {
			return errors.New("expected true or false")
		}
		*p = b
		return nil
	}}
}

// duration may be a bare number of seconds, as with gunicorn and uWSGI.
func duration(p *time.Duration) value {
	return value{set: func(s string) error {
		d, err := time.ParseDuration(s)
		if n, notNumber := strconv.ParseUint(s, 10, 30); notNumber == nil {
			d, err = time.Duration(n)*time.Second, nil
		}
		if err != nil || d < 0 {
			return errors.New("expected a duration such as 30, 30s or 5m, or 0 for no limit")
		}
		*p = d
		return nil
	}}
}

// size is a number of bytes.
type size int64

var units = []struct {
	name  string
	bytes size
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1},
}

func byteSize(p *size) value {
	return value{set: func(s string) error {
		number, unit := s, size(1)
		for _, u := range units {
			if digits, ok := strings.CutSuffix(s, u.name); ok {
				number, unit = strings.TrimSpace(digits), u.bytes
				break
			}
		}
		n, err := strconv.ParseUint(number, 10, 63)
		if err != nil || n > uint64(1<<62/unit) {
			return errors.New("expected a size such as 65536, 64KiB or 1GiB, or 0 for no limit")
		}
		*p = size(n) * unit
		return nil
	}}
}

// octal is a number of permissions.
func octal(p *int) value {
	return value{set: func(s string) error {
		n, err := strconv.ParseUint(strings.TrimPrefix(s, "0o"), 8, 16)
		if err != nil || n > 0o777 {
			return errors.New("expected permissions in octal, such as 007")
		}
		*p = int(n)
		return nil
	}}
}

func choice(p *string, choices ...string) value {
	return value{set: func(s string) error {
		for _, c := range choices {
			if s == c {
				*p = s
				return nil
			}
		}
		return fmt.Errorf("expected %s", strings.Join(choices, " or "))
	}}
}

func level(p *slog.Level) value {
	return value{set: func(s string) error {
		switch s {
		case "debug", "info", "warn", "error":
		case "warning": // of Python
			s = "warn"
		case "critical":
			s = "error"
		default:
			return errors.New("expected debug, info, warn or error")
		}
		return p.UnmarshalText([]byte(s))
	}}
}

// mount is a SCRIPT_NAME, "/" for the root.
func mount(p *string) value {
	return value{set: func(s string) error {
		if s != "" && s != "/" && (s[0] != '/' || s[len(s)-1] == '/') {
			return errors.New("expected a path that begins with a slash and does not end in one")
		}
		*p = s
		return nil
	}}
}

func list(add func(s string) error) value { return value{isList: true, set: add} }

func (c *config) addListen(s string) error {
	a, err := parseAddress(s)
	if err == nil {
		c.listen = append(c.listen, a)
	}
	return err
}

func (c *config) setAccessFormat(s string) error {
	switch s {
	case "combined":
		s = middleware.CombinedLog
	case "common":
		s = middleware.CommonLog
	}
	c.accessFormat = s
	return middleware.AccessLogConfig{Format: s}.Validate()
}

func (c *config) setAdmin(s string) error {
	a, err := parseAddress(s)
	if err == nil && a.scheme != "http" {
		err = errors.New("expected HOST:PORT, :PORT or unix:PATH: it speaks HTTP")
	}
	c.adminAddress = a
	return err
}

func (c *config) addPeer(s string) error {
	prefix, err := network(s)
	if err == nil {
		c.peers = append(c.peers, prefix)
	}
	return err
}

// addProxies takes a list, as gunicorn does in this option.
func (c *config) addProxies(s string) error {
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item == "*" {
			c.anyProxy = true
			continue
		}
		prefix, err := network(item)
		if err != nil {
			return err
		}
		c.proxies = append(c.proxies, prefix)
	}
	return nil
}

func network(s string) (netip.Prefix, error) {
	if prefix, err := netip.ParsePrefix(s); err == nil {
		return prefix, nil
	}
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, errors.New("expected an address or a network such as 10.0.0.0/8")
	}
	return netip.PrefixFrom(addr, addr.BitLen()), nil
}

func (c *config) addEnviron(s string) error {
	key, val, ok := strings.Cut(s, "=")
	if !ok || key == "" {
		return errors.New("expected KEY=VALUE")
	}
	c.environ[key] = val
	return nil
}

func (c *config) addPassEnv(s string) error {
	c.passEnv = append(c.passEnv, s)
	return nil
}
