package store

import (
	"slices"
	"strings"
	"sync"
)

// keyLock lets one writer at a time work on a name of a directory in this process. The write protocol is right without
// it; with it, writers of one process queue where they would otherwise refuse each other.
type keyLock struct {
	mu   sync.Mutex
	held map[nameKey]*heldKey
}

type nameKey struct {
	directory directoryKey
	key       Key
}

type heldKey struct {
	mu   sync.Mutex
	uses int
}

// lock waits for all the keys and returns the function that gives them back. A nil lock locks nothing.
func (l *keyLock) lock(directory directoryKey, keys ...Key) (unlock func()) {
	if l == nil {
		return func() {}
	}
	// Everybody takes keys in the same order, so nobody waits in a circle.
	slices.SortFunc(keys, func(a, b Key) int {
		if c := strings.Compare(a.Attribute, b.Attribute); c != 0 {
			return c
		}
		return strings.Compare(a.Value, b.Value)
	})
	keys = slices.Compact(keys)
	taken := make([]*heldKey, len(keys))
	for i, k := range keys {
		n := nameKey{directory, k}
		l.mu.Lock()
		if l.held[n] == nil {
			l.held[n] = &heldKey{}
		}
		taken[i] = l.held[n]
		taken[i].uses++
		l.mu.Unlock()
		taken[i].mu.Lock()
	}
	return func() {
		for i, k := range keys {
			taken[i].mu.Unlock()
			l.mu.Lock()
			if taken[i].uses--; taken[i].uses == 0 {
				delete(l.held, nameKey{directory, k})
			}
			l.mu.Unlock()
		}
	}
}
