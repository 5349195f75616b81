package session

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"
)

// Session is what is remembered of a visitor: texts by key. It belongs to one
// request, and may be used by several goroutines of it. Its strings may hold any
// bytes.
//
// Changes count when start_response is called, and are refused with ErrLate after
// that.
type Session struct {
	r   *request
	now time.Time

	presented bool   // the request had a cookie
	secret    string // with a Store: the value of the cookie of an existing session
	stored    []byte // what the Store has
	fresh     bool   // nothing is kept of it yet

	content
	changes   changes
	dirty     bool
	renewed   bool
	destroyed bool
}

// begin makes s an empty session.
func (s *Session) begin() {
	now := s.now.Unix()
	s.content = content{created: now, touched: now, values: map[string]string{}}
	s.changes = changes{set: map[string]string{}, deleted: map[string]bool{}}
	s.fresh, s.dirty, s.renewed = true, false, false
	s.secret, s.stored = "", nil
}

// use makes s the session with the given content, if that is still valid.
func (s *Session) use(c content) bool {
	if !c.valid(s.r.settings, s.now) {
		return false
	}
	s.content, s.fresh = c, false
	// Written now and then only, so that not every request has a Set-Cookie.
	s.dirty = s.now.Sub(time.Unix(c.touched, 0)) > s.r.Idle/8
	return true
}

func (s *Session) fromCookie(value string) error {
	sealed, err := encoding.DecodeString(value)
	if err != nil {
		return &refusal{"it is not as it was sent"}
	}
	for i, key := range s.r.keys {
		text, ok := key.open(sealed)
		if !ok {
			continue
		}
		c, ok := decode(text)
		if !ok {
			return &refusal{"its content is of another version"}
		}
		if s.use(c) && i > 0 {
			s.dirty = true // for the first key
		}
		return nil
	}
	return &refusal{"it was changed, or encrypted with another key"}
}

func (s *Session) fromStore(value string) error {
	if raw, err := encoding.DecodeString(value); err != nil || len(raw) != sha256.Size {
		return &refusal{"it is no id of a session"}
	}
	data, err := s.r.Store.Load(s.r.environ.Context(), storeKey(value))
	if errors.Is(err, ErrNotFound) {
		return &refusal{"it names no session"} // and is not adopted
	}
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	c, ok := decode(data)
	if !ok {
		return &refusal{"its content is of another version"}
	}
	if s.use(c) {
		s.secret, s.stored = value, data
	}
	return nil
}

// storeKey returns the key by which the store knows a session. It tells nothing
// about the cookie.
func storeKey(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return encoding.EncodeToString(sum[:])
}

// Get returns the value of key, "" when there is none.
func (s *Session) Get(key string) string {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	return s.values[key]
}

// Lookup returns the value of key and whether there is one.
func (s *Session) Lookup(key string) (string, bool) {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	value, ok := s.values[key]
	return value, ok
}

// Set sets the value of key. When there is no room for it, nothing is changed
// and the error wraps ErrTooLarge.
func (s *Session) Set(key, value string) error {
	return s.change(func() {
		if old, ok := s.values[key]; ok && old == value {
			return
		}
		s.values[key] = value
		s.changes.set[key] = value
		delete(s.changes.deleted, key)
		s.dirty = true
	})
}

// Delete removes key.
func (s *Session) Delete(key string) error {
	return s.change(func() {
		if _, ok := s.values[key]; ok {
			delete(s.values, key)
			delete(s.changes.set, key)
			s.changes.deleted[key] = true
			s.dirty = true
		}
	})
}

// AddFlash adds a text that is to be shown once, by this request or a later one.
func (s *Session) AddFlash(text string) error {
	return s.change(func() {
		s.flashes = append(s.flashes, text)
		s.changes.flashes = append(s.changes.flashes, text)
		s.dirty = true
	})
}

// Flashes returns the texts that AddFlash has added, in order, and removes them.
func (s *Session) Flashes() (texts []string, err error) {
	err = s.change(func() {
		if texts = s.flashes; len(texts) > 0 {
			s.changes.taken += len(texts) - len(s.changes.flashes)
			s.flashes, s.changes.flashes, s.dirty = nil, nil, true
		}
	})
	return texts, err
}

// Renew makes sure that what the visitor was known by until now is of no use any
// more: with a Store the session gets a new id and the old one is forgotten. The
// values stay. It is owed at each login, and whenever rights change: whoever has
// planted or seen the old cookie would otherwise be logged in as well.
func (s *Session) Renew() error {
	return s.change(func() {
		s.created = s.now.Unix()
		s.renewed, s.dirty = true, true
	})
}

// Destroy forgets the session, as at a logout: in the Store and in the browser. A
// session that is changed after that is a new one.
func (s *Session) Destroy() error {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	if s.r.started {
		return ErrLate
	}
	if !s.destroyed && s.secret != "" {
		// At once: nothing that fails later may keep somebody logged in.
		if err := s.r.Store.Delete(s.r.environ.Context(), storeKey(s.secret)); err != nil {
			return fmt.Errorf("session: %w", err)
		}
	}
	s.destroyed = true
	s.begin()
	return nil
}
