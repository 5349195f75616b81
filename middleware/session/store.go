package session

import (
	"bytes"
	"container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// Store keeps sessions on the server. Keys are texts of 43 letters, digits, "-"
// and "_"; data are some bytes, never none, at most 64 KiB. The methods may be
// called concurrently. They neither keep nor change what they are given, and what
// Load returns belongs to the caller.
type Store interface {
	// Load returns what is kept under key. Its error is ErrNotFound when nothing
	// is, or when it has expired.
	Load(ctx context.Context, key string) (data []byte, err error)

	// Save keeps data under key until expires, but only in the place of old; nil is
	// for a key that has nothing. When expires is past, the key is forgotten. When
	// something else, or nothing, is there, nothing changes and the error is
	// ErrConflict. The comparison and the change are one step: that keeps a request
	// that still runs from bringing back a session that was destroyed.
	Save(ctx context.Context, key string, old, data []byte, expires time.Time) error

	// Delete forgets key. A key that has nothing is no error.
	Delete(ctx context.Context, key string) error
}

// The errors that a Store returns, or wraps.
var (
	ErrNotFound = errors.New("session: there is no such session")
	ErrConflict = errors.New("session: the session was changed meanwhile")
)

// Memory is a Store in the memory of the process. The zero value is ready. It must
// not be copied once it is used.
//
// What does not fit any more is forgotten, that which was not used for the longest
// time first: a stranger who begins many sessions takes room only from
// sessions that nobody uses.
type Memory struct {
	// MaxBytes is the size of all sessions together, with 256 bytes for each of
	// them besides what it holds; 64 MiB when it is 0.
	MaxBytes int

	// Now is the clock, time.Now when it is nil.
	Now func() time.Time

	mu      sync.Mutex
	size    int
	entries map[string]*list.Element // of *entry
	order   list.List                // the one used last comes first
}

type entry struct {
	key     string
	data    []byte
	expires time.Time
}

func (e *entry) size() int { return len(e.data) + 256 }

// Load implements Store.
func (m *Memory) Load(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.find(key)
	if e == nil {
		return nil, ErrNotFound
	}
	return bytes.Clone(e.data), nil
}

// Save implements Store.
func (m *Memory) Save(_ context.Context, key string, old, data []byte, expires time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.find(key)
	if (e == nil) != (old == nil) || e != nil && !bytes.Equal(e.data, old) {
		return ErrConflict
	}
	m.remove(key)
	if !m.now().Before(expires) {
		return nil
	}
	e = &entry{key, bytes.Clone(data), expires}
	if m.entries == nil {
		m.entries = map[string]*list.Element{}
	}
	m.entries[key] = m.order.PushFront(e)
	m.size += e.size()
	most := m.MaxBytes
	if most == 0 {
		most = 64 << 20
	}
	for m.size > most {
		m.remove(m.order.Back().Value.(*entry).key)
	}
	return nil
}

// Delete implements Store.
func (m *Memory) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.remove(key)
	return nil
}

// Len returns how many sessions are kept, those that have expired and were not
// asked for since included.
func (m *Memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.entries)
}

// find returns what is kept under key; the caller holds the lock.
func (m *Memory) find(key string) *entry {
	element := m.entries[key]
	if element == nil {
		return nil
	}
	e := element.Value.(*entry)
	if !m.now().Before(e.expires) {
		m.remove(key)
		return nil
	}
	m.order.MoveToFront(element)
	return e
}

func (m *Memory) now() time.Time {
	if m.Now != nil {
		return m.Now()
	}
	return time.Now()
}

func (m *Memory) remove(key string) {
	if element := m.entries[key]; element != nil {
		m.size -= m.order.Remove(element).(*entry).size()
		delete(m.entries, key)
	}
}
