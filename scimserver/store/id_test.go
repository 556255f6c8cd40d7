package store

import "testing"

func TestIDsSortAsTheyAreMade(t *testing.T) {
	previous := ""
	for range 10_000 {
		id := newID()
		if id <= previous {
			t.Fatalf("%s was made after %s", id, previous)
		}
		previous = id
	}
}
