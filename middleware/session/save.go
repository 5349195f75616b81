package session

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"
)

// changes is what the request has done to the content.
type changes struct {
	set     map[string]string
	deleted map[string]bool
	flashes []string // added
	taken   int      // of those that were there
}

// change makes a change, unless it comes late or would not fit.
func (s *Session) change(apply func()) error {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	if s.r.started {
		return ErrLate
	}
	content, dirty := s.content.clone(), s.dirty
	before := s.changes.clone()
	apply()
	if n := len(s.encode()); n > s.r.room {
		s.content, s.changes, s.dirty = content, before, dirty
		return fmt.Errorf("%w: %d bytes, expected at most %d", ErrTooLarge, n, s.r.room)
	}
	return nil
}

func (c changes) clone() changes {
	copied := changes{set: map[string]string{}, deleted: map[string]bool{}, flashes: slices.Clone(c.flashes), taken: c.taken}
	for key, value := range c.set {
		copied.set[key] = value
	}
	for key := range c.deleted {
		copied.deleted[key] = true
	}
	return copied
}

// again makes the changes of this request to what another one has written
// meanwhile.
func (c changes) again(to content) content {
	for key := range c.deleted {
		delete(to.values, key)
	}
	for key, value := range c.set {
		to.values[key] = value
	}
	to.flashes = append(slices.Clone(to.flashes[min(c.taken, len(to.flashes)):]), c.flashes...)
	return to
}

// finish keeps what has changed and returns the Set-Cookie for it, "" when there
// is none.
func (s *Session) finish() (header string, err error) {
	if !s.dirty {
		if s.destroyed && s.presented {
			header = s.r.clearCookie()
		}
		return header, nil
	}
	s.touched = s.now.Unix()
	value := ""
	switch {
	case s.r.Store == nil:
		value = s.r.keys[0].seal(s.encode())
	case s.fresh:
		value, err = s.create()
	case s.renewed:
		var ok bool
		if ok, err = s.replace(time.Time{}); ok {
			value, err = s.create()
		}
	default:
		var ok bool
		if ok, err = s.replace(s.expires(s.r.settings)); ok && s.r.Persistent {
			value = s.secret // for its Max-Age
		}
	}
	if err != nil {
		return "", fmt.Errorf("session: %w", err)
	}
	if value == "" {
		return "", nil
	}
	return s.r.setCookie(value, int64(s.expires(s.r.settings).Sub(s.now)/time.Second)), nil
}

// create keeps the session under a new id.
func (s *Session) create() (value string, err error) {
	var secret [sha256.Size]byte
	rand.Read(secret[:])
	value = encoding.EncodeToString(secret[:])
	return value, s.r.Store.Save(s.r.environ.Context(), storeKey(value), nil, s.encode(), s.expires(s.r.settings))
}

const mostConflicts = 20

// replace keeps a session that exists until expires, together with what other
// requests have made of it meanwhile. A time that is past forgets it. ok is false
// when it has ended meanwhile: then nothing brings it back, under no id.
func (s *Session) replace(expires time.Time) (ok bool, err error) {
	ctx, key := s.r.environ.Context(), storeKey(s.secret)
	for range mostConflicts {
		err = s.r.Store.Save(ctx, key, s.stored, s.encode(), expires)
		if !errors.Is(err, ErrConflict) {
			return err == nil, err
		}
		data, err := s.r.Store.Load(ctx, key)
		if errors.Is(err, ErrNotFound) {
			fmt.Fprintf(s.r.environ.Errors(), "session: changes are dropped: the session has ended meanwhile\n")
			return false, nil
		}
		if err != nil {
			return false, err
		}
		c, ok := decode(data)
		if !ok {
			return false, errors.New("the content is of another version")
		}
		if s.renewed {
			c.created = s.created
		}
		c.touched = max(c.touched, s.touched)
		s.content, s.stored = s.changes.again(c), data
		if len(s.encode()) > s.r.room {
			return false, ErrTooLarge
		}
	}
	return false, err
}
