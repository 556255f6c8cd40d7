package store

import "github.com/google/uuid"

// newID returns the id of a new resource: a UUID that begins with the time (RFC 9562 §5.7). Kubernetes keeps the time of
// creation to the second; what is created within one second is listed in the order of its ids, so that nobody who comes
// during an import moves others to another page.
func newID() string {
	return uuid.Must(uuid.NewV7()).String()
}

// isID reports whether a text has the form of an id that newID could have made.
func isID(text string) bool {
	return len(text) == 36 && uuid.Validate(text) == nil
}
