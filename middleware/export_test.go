package middleware

// StoreSize is how many keys a store of NewMemoryStore holds.
func StoreSize(s RateStore) int {
	m := s.(*memoryStore)
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.full)
}
