package main

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"errors"
	"time"

	_ "modernc.org/sqlite" // a driver without cgo
)

// Store keeps accounts, notes and files in an SQLite database. Every question for a
// note names the user who asks: nobody gets at what is another's.
type Store struct{ db *sql.DB }

// ErrNotFound is returned for what is not there, or is another user's.
var ErrNotFound = errors.New("notes: there is no such thing")

// ErrTaken is returned when a name is somebody's already.
var ErrTaken = errors.New("notes: the name is taken")

// No number is given out twice (autoincrement), also when what had it is gone: browsers
// keep files by it.
const schema = `
create table if not exists users (id integer primary key autoincrement, name text not null unique collate nocase, salt blob not null, hash blob not null);
create table if not exists notes (id integer primary key autoincrement, user integer not null references users on delete cascade,
	title text not null, text text not null, changed integer not null);
create index if not exists notes_of_user on notes (user, changed);
create table if not exists files (id integer primary key autoincrement, note integer not null references notes on delete cascade,
	name text not null, content blob not null);
create index if not exists files_of_note on files (note);`

// OpenStore opens the database, and makes it when there is none.
func OpenStore(name string) (*Store, error) {
	db, err := sql.Open("sqlite", "file:"+name+"?_pragma=foreign_keys(1)&_pragma=busy_timeout(5000)&_pragma=journal_mode(wal)")
	if err != nil {
		return nil, err
	}
	if _, err := db.Exec(schema + sessionSchema); err != nil {
		db.Close()
		return nil, err
	}
	return &Store{db}, nil
}

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }

// rounds of PBKDF2 are what OWASP advises for SHA-256.
const rounds = 600_000

func hash(password string, salt []byte) ([]byte, error) {
	return pbkdf2.Key(sha256.New, password, salt, rounds, 32)
}

// AddUser makes an account and returns its number.
func (s *Store) AddUser(ctx context.Context, name, password string) (int64, error) {
	salt := make([]byte, 16)
	rand.Read(salt)
	key, err := hash(password, salt)
	if err != nil {
		return 0, err
	}
	res, err := s.db.ExecContext(ctx, "insert into users (name, salt, hash) values (?, ?, ?) on conflict do nothing", name, salt, key)
	if err != nil {
		return 0, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return 0, errors.Join(err, ErrTaken)
	}
	return res.LastInsertId()
}

// Login returns the number of the account. It takes as long for a name that nobody
// has.
func (s *Store) Login(ctx context.Context, name, password string) (int64, error) {
	var id int64
	var salt, want []byte
	err := s.db.QueryRowContext(ctx, "select id, salt, hash from users where name = ?", name).Scan(&id, &salt, &want)
	unknown := errors.Is(err, sql.ErrNoRows)
	if err != nil && !unknown {
		return 0, err
	}
	if unknown {
		salt, want = make([]byte, 16), make([]byte, 32)
	}
	got, err := hash(password, salt)
	if err != nil {
		return 0, err
	}
	if subtle.ConstantTimeCompare(got, want) == 0 || unknown {
		return 0, ErrNotFound
	}
	return id, nil
}

// Note is one note.
type Note struct {
	ID          int64
	Title, Text string
	Changed     time.Time
	Files       []File
}

// File is a file of a note; Content is set by Store.File alone.
type File struct {
	ID      int64
	Name    string
	Size    int64
	Content []byte
}

// Notes returns the notes of a user in which search stands, the newest first.
func (s *Store) Notes(ctx context.Context, user int64, search string) (notes []Note, err error) {
	rows, err := s.db.QueryContext(ctx, `select id, title, text, changed from notes
		where user = ?1 and (?2 = '' or instr(lower(title || char(10) || text), lower(?2)) > 0) order by changed desc, id desc limit 200`, user, search)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var n Note
		var changed int64
		if err := rows.Scan(&n.ID, &n.Title, &n.Text, &changed); err != nil {
			return nil, err
		}
		n.Changed = time.Unix(changed, 0)
		notes = append(notes, n)
	}
	return notes, rows.Err()
}

// Note returns a note with the names of its files.
func (s *Store) Note(ctx context.Context, user, id int64) (n Note, err error) {
	var changed int64
	err = s.db.QueryRowContext(ctx, "select id, title, text, changed from notes where user = ? and id = ?", user, id).Scan(&n.ID, &n.Title, &n.Text, &changed)
	if err != nil {
		return n, found(err)
	}
	n.Changed = time.Unix(changed, 0)
	rows, err := s.db.QueryContext(ctx, "select id, name, length(content) from files where note = ? order by name, id", id)
	if err != nil {
		return n, err
	}
	defer rows.Close()
	for rows.Next() {
		var f File
		if err := rows.Scan(&f.ID, &f.Name, &f.Size); err != nil {
			return n, err
		}
		n.Files = append(n.Files, f)
	}
	return n, rows.Err()
}

func found(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// Save keeps a note, a new one when its ID is 0, together with new files, and returns
// its number.
func (s *Store) Save(ctx context.Context, user int64, n Note) (id int64, err error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback() // when it was not committed
	if n.ID == 0 {
		err = tx.QueryRowContext(ctx, "insert into notes (user, title, text, changed) values (?, ?, ?, ?) returning id", user, n.Title, n.Text, n.Changed.Unix()).Scan(&id)
	} else {
		err = tx.QueryRowContext(ctx, "update notes set title = ?, text = ?, changed = ? where id = ? and user = ? returning id", n.Title, n.Text, n.Changed.Unix(), n.ID, user).Scan(&id)
	}
	if err != nil {
		return 0, found(err)
	}
	for _, f := range n.Files {
		if _, err := tx.ExecContext(ctx, "insert into files (note, name, content) values (?, ?, ?)", id, f.Name, f.Content); err != nil {
			return 0, err
		}
	}
	return id, tx.Commit()
}

// Delete removes a note and its files.
func (s *Store) Delete(ctx context.Context, user, id int64) error {
	res, err := s.db.ExecContext(ctx, "delete from notes where user = ? and id = ?", user, id)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, ErrNotFound)
	}
	return nil
}

// File returns a file of a user's note.
func (s *Store) File(ctx context.Context, user, id int64) (f File, err error) {
	err = s.db.QueryRowContext(ctx, `select f.id, f.name, length(f.content), f.content from files f join notes n on n.id = f.note
		where n.user = ? and f.id = ?`, user, id).Scan(&f.ID, &f.Name, &f.Size, &f.Content)
	return f, found(err)
}
