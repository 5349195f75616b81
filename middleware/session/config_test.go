package session_test

import (
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/middleware/session"
)

func TestConfigPanics(t *testing.T) {
	keys, store := [][]byte{key}, new(session.Memory)
	for _, tt := range []struct {
		config session.Config
		want   string
	}{
		{session.Config{}, "either Config.Keys or Config.Store"},
		{session.Config{Keys: keys, Store: store}, "either Config.Keys or Config.Store"},
		{session.Config{Keys: [][]byte{key, key[:31]}}, "Config.Keys[1] has 31 bytes"},
		{session.Config{Store: store, Name: "a b"}, `Config.Name is "a b"`},
		{session.Config{Store: store, Name: "a\r\n"}, "Config.Name is"},
		{session.Config{Store: store, Name: "__Host-x", Domain: "a.example"}, "no such prefix"},
		{session.Config{Store: store, Name: "__host-x", Insecure: true}, "no such prefix"},
		{session.Config{Store: store, Name: "__Secure-x", Insecure: true}, "no such prefix"},
		{session.Config{Store: store, SameSite: "lax"}, `Config.SameSite is "lax"`},
		{session.Config{Store: store, SameSite: "None", Insecure: true}, "Config.SameSite is None with Insecure"},
		{session.Config{Store: store, Domain: "a; Path=/x"}, "Config.Domain is"},
		{session.Config{Store: store, Idle: -1}, "no negative time"},
		{session.Config{Keys: keys, Name: strings.Repeat("a", 3900)}, "leave no room"},
	} {
		func() {
			defer func() {
				if got, _ := recover().(string); !strings.HasPrefix(got, "session: ") || !strings.Contains(got, tt.want) {
					t.Errorf("panic with %q, expected a text with %q", got, tt.want)
				}
			}()
			session.New(tt.config)
		}()
	}
}

func TestAttributes(t *testing.T) {
	for want, config := range map[string]session.Config{
		"session=ID; Path=/; HttpOnly; SameSite=Strict; Max-Age=86400":               {Insecure: true, SameSite: "Strict", Persistent: true},
		"session=ID; Path=/; HttpOnly; Secure; SameSite=None; Domain=shop.example":   {Domain: "shop.example", SameSite: "None"},
		"__Secure-id=ID; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=3600":       {Name: "__Secure-id", Persistent: true, Lifetime: time.Hour},
		"__Host-session=ID; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=1209600": {Persistent: true, Idle: 14 * 24 * time.Hour, Lifetime: 28 * 24 * time.Hour},
	} {
		config.Store = new(session.Memory)
		b := visit(t, config)
		set := b.get("/set?x").Headers.Get("Set-Cookie")
		if got := strings.Replace(set, b.cookie, "ID", 1); got != want {
			t.Errorf("got %q, expected %q", got, want)
		}
	}
}
