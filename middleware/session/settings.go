package session

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// settings is a Config in use.
type settings struct {
	Config
	now        func() time.Time
	keys       []*sealer
	attributes string // of Set-Cookie, without Max-Age
	room       int    // bytes of an encoded session
}

const (
	mostInStore  = 64 << 10
	mostInCookie = 4096 // of a whole Set-Cookie: what every browser keeps
)

func newSettings(config Config) *settings {
	c := &settings{Config: config, now: config.Now, room: mostInStore}
	if c.now == nil {
		c.now = time.Now
	}
	if (len(c.Keys) > 0) == (c.Store != nil) {
		panic("session: expected either Config.Keys or Config.Store to be set")
	}
	if c.Idle < 0 || c.Lifetime < 0 {
		panic(fmt.Sprintf("session: Config.Idle is %v and Config.Lifetime %v, expected no negative time", c.Idle, c.Lifetime))
	}
	if c.Idle == 0 {
		c.Idle = 24 * time.Hour
	}
	if c.Lifetime == 0 {
		c.Lifetime = 7 * 24 * time.Hour
	}
	c.checkCookie()
	if c.Store == nil {
		for i, key := range c.Keys {
			if len(key) < 32 {
				panic(fmt.Sprintf("session: Config.Keys[%d] has %d bytes, expected 32 random bytes or more", i, len(key)))
			}
			derived, err := hkdf.Key(sha256.New, key, nil, "gowsgi session "+c.Name, 32)
			if err != nil {
				panic("session: " + err.Error())
			}
			c.keys = append(c.keys, newSealer(derived))
		}
		// Each 3 bytes become 4 characters; Max-Age has up to 10 digits.
		letters := mostInCookie - len(c.Name) - len("=") - len(c.attributes) - len("; Max-Age=9999999999")
		if c.room = letters*3/4 - overhead; c.room < 256 {
			panic("session: Config.Name and Config.Domain leave no room for a session in a cookie")
		}
	}
	c.Keys = nil
	return c
}

// checkCookie completes what belongs to the cookie.
func (c *settings) checkCookie() {
	if c.Name == "" {
		c.Name = "__Host-session"
		if c.Insecure || c.Domain != "" {
			c.Name = "session"
		}
	}
	if (wsgi.Headers{{Name: "X-" + c.Name, Value: ""}}).Validate() != nil {
		panic(fmt.Sprintf("session: Config.Name is %q, expected a token", c.Name))
	}
	lower := strings.ToLower(c.Name)
	switch host := strings.HasPrefix(lower, "__host-"); {
	case host && (c.Insecure || c.Domain != ""):
		panic(fmt.Sprintf("session: Config.Name is %q, expected no such prefix with Insecure or Domain", c.Name))
	case strings.HasPrefix(lower, "__secure-") && c.Insecure:
		panic(fmt.Sprintf("session: Config.Name is %q, expected no such prefix with Insecure", c.Name))
	}
	c.attributes = "; Path=/; HttpOnly"
	if !c.Insecure {
		c.attributes += "; Secure"
	}
	switch c.SameSite {
	case "":
		c.attributes += "; SameSite=Lax"
	case "Lax", "Strict", "None":
		c.attributes += "; SameSite=" + c.SameSite
	default:
		panic(fmt.Sprintf("session: Config.SameSite is %q, expected Lax, Strict or None", c.SameSite))
	}
	if c.SameSite == "None" && c.Insecure {
		panic("session: Config.SameSite is None with Insecure, and browsers refuse such a cookie")
	}
	if c.Domain != "" {
		for _, b := range []byte(c.Domain) {
			if b != '.' && b != '-' && (b < '0' || b > '9') && (b|0x20 < 'a' || b|0x20 > 'z') {
				panic(fmt.Sprintf("session: Config.Domain is %q, expected the name of a domain", c.Domain))
			}
		}
		c.attributes += "; Domain=" + c.Domain
	}
}
