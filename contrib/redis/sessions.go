// Package redis keeps in a Redis server what several processes of a site share:
// the sessions of package session, and the counts of middleware.RateLimit.
//
// It has the name of the client that it uses, so one of the two is renamed where
// both are imported:
//
//	import (
//		shared "github.com/gowsgi/gowsgi/contrib/redis"
//		"github.com/redis/go-redis/v9"
//	)
package redis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gowsgi/gowsgi/middleware/session"
)

// Sessions is a session.Store in a Redis server, version 2.6 or later. It may be
// used concurrently.
//
// Redis forgets a session when it has expired. What a session does to status, headers
// and body of a response is for package session to say; a store does nothing to them.
//
// Security: whoever reads the server
// reads the sessions, but finds no cookies there; whoever writes to it can log in as
// anybody. Sessions need a server, or a database of one, that evicts nothing.
type Sessions struct {
	client redis.Scripter
	prefix string
}

// NewSessions returns a store that keeps sessions by client, under keys that begin
// with prefix, such as "shop:session:". The client stays the caller's, to close when
// no request needs it any more.
func NewSessions(client redis.UniversalClient, prefix string) *Sessions {
	if client == nil {
		panic("redis: NewSessions: the client is nil")
	}
	return &Sessions{client, prefix}
}

var _ session.Store = (*Sessions)(nil)

// Each operation is a script, which Redis runs as one step. The arguments of save
// are whether there is an old value, that, the new one, and milliseconds to live.
var (
	load = redis.NewScript(`return redis.call('GET', KEYS[1])`)
	save = redis.NewScript(`
local present = redis.call('GET', KEYS[1])
if ARGV[1] == '0' then
  if present then return 0 end
elseif present ~= ARGV[2] then
  return 0
end
if tonumber(ARGV[4]) <= 0 then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
end
return 1`)
	forget = redis.NewScript(`return redis.call('DEL', KEYS[1])`)
)

// Load implements session.Store.
func (s *Sessions) Load(ctx context.Context, key string) ([]byte, error) {
	data, err := load.Run(ctx, s.client, s.keys(key)).Text()
	if errors.Is(err, redis.Nil) {
		return nil, session.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("redis: loading a session: %w", err)
	}
	return []byte(data), nil
}

// Save implements session.Store. The time is told to Redis as a time to live, so
// that its clock need not agree.
func (s *Sessions) Save(ctx context.Context, key string, old, data []byte, expires time.Time) error {
	had := "0"
	if old != nil {
		had = "1"
	}
	done, err := save.Run(ctx, s.client, s.keys(key), had, string(old), string(data), max(0, time.Until(expires).Milliseconds())).Int()
	if err != nil {
		return fmt.Errorf("redis: saving a session: %w", err)
	}
	if done == 0 {
		return session.ErrConflict
	}
	return nil
}

// Delete implements session.Store.
func (s *Sessions) Delete(ctx context.Context, key string) error {
	if err := forget.Run(ctx, s.client, s.keys(key)).Err(); err != nil {
		return fmt.Errorf("redis: deleting a session: %w", err)
	}
	return nil
}

func (s *Sessions) keys(key string) []string { return []string{s.prefix + key} }
