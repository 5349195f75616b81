package main

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/gowsgi/gowsgi/middleware/session"
)

// sessionSchema has a session in each row, for as long as it lasts: in milliseconds
// since 1970.
const sessionSchema = `
create table if not exists sessions (key text primary key, data blob not null, expires integer not null) without rowid;
create index if not exists sessions_by_end on sessions (expires);`

// Sessions is a session.Store in the database of the site, so that whoever has logged
// in stays so when the site is started anew. Each change is one statement, and so one
// step.
type Sessions struct{ db *sql.DB }

var _ session.Store = Sessions{}

// Sessions returns the store of the visitors' sessions.
func (s *Store) Sessions() Sessions { return Sessions{s.db} }

// Load implements session.Store.
func (s Sessions) Load(ctx context.Context, key string) (data []byte, err error) {
	err = s.db.QueryRowContext(ctx, "select data from sessions where key = ? and expires > ?", key, time.Now().UnixMilli()).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, session.ErrNotFound
	}
	return data, err
}

// Save implements session.Store.
func (s Sessions) Save(ctx context.Context, key string, old, data []byte, expires time.Time) error {
	now, until := time.Now().UnixMilli(), expires.UnixMilli()
	if old == nil {
		// There is room now and then for what has ended, and must not be in the way.
		if _, err := s.db.ExecContext(ctx, "delete from sessions where expires <= ?", now); err != nil {
			return err
		}
		return changed(s.db.ExecContext(ctx, "insert into sessions (key, data, expires) values (?, ?, ?) on conflict do nothing", key, data, until))
	}
	if until <= now {
		return changed(s.db.ExecContext(ctx, "delete from sessions where key = ? and data = ? and expires > ?", key, old, now))
	}
	return changed(s.db.ExecContext(ctx, "update sessions set data = ?, expires = ? where key = ? and data = ? and expires > ?", data, until, key, old, now))
}

// changed returns ErrConflict for a statement that has changed nothing.
func changed(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return session.ErrConflict
}

// Delete implements session.Store.
func (s Sessions) Delete(ctx context.Context, key string) error {
	_, err := s.db.ExecContext(ctx, "delete from sessions where key = ?", key)
	return err
}
