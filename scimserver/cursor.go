package scimserver

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/scim-operator/scim-operator/scimserver/schema"
	"github.com/scim-operator/scim-operator/scimserver/store"
)

const (
	// cursorTimeout is for how long a cursor can be used (RFC 9865 §4).
	cursorTimeout = time.Hour
	// cursorSkew is by how much the clocks of two replicas may differ.
	cursorSkew = time.Minute

	maxCursor = 4 << 10 // bytes, more than the longest
)

// A cursor (RFC 9865) says all that is needed to go on with a list: for which list it was made, when, and the position of
// the last resource that was shown. No replica keeps anything for it, and what is created or deleted meanwhile moves
// nothing else.
//
// It is not authenticated, for there is nothing to gain by making one up: it names a place in a list that its bearer may
// read anyway, and holds nothing that the list does not show. All that is taken from it is checked, and a position
// where nothing is will do.

// newCursor returns the cursor that goes on behind a position of the list.
func newCursor(list string, at store.Position, now time.Time) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join([]string{
		list, strconv.FormatInt(now.Unix(), 10),
		at.ResourceType, strconv.FormatInt(at.Created.Unix(), 10), at.ID, at.SortKey,
	}, "\n")))
}

// parseCursor returns the position in a cursor for the list.
// It returns a *schema.Error of type invalidCursor or expiredCursor.
func parseCursor(list, text string, now time.Time) (*store.Position, error) {
	const fields = 6
	var parts []string
	if raw, err := base64.RawURLEncoding.Strict().DecodeString(text); err == nil && len(text) <= maxCursor {
		parts = strings.SplitN(string(raw), "\n", fields)
	}
	if len(parts) < fields {
		return nil, schema.Errorf(schema.InvalidCursor, "this is no cursor: begin with an empty one, and go on with the nextCursor of the answer")
	}
	issued, err := strconv.ParseInt(parts[1], 10, 64)
	created, otherErr := strconv.ParseInt(parts[3], 10, 64)
	at := &store.Position{ResourceType: parts[2], Created: time.Unix(created, 0), ID: parts[4], SortKey: parts[5]}
	age := now.Sub(time.Unix(issued, 0))
	switch {
	case err != nil, otherErr != nil, age < -cursorSkew, !plainID.MatchString(at.ID),
		at.ResourceType != schema.User.Name && at.ResourceType != schema.Group.Name:
		return nil, schema.Errorf(schema.InvalidCursor, "the cursor is damaged: begin again with an empty one")
	case parts[0] != list:
		return nil, schema.Errorf(schema.InvalidCursor, "the cursor belongs to another list: keep filter, sortBy and sortOrder as they were, or begin again with an empty one")
	case age > cursorTimeout:
		return nil, schema.Errorf(schema.ExpiredCursor, "the cursor is older than %d seconds: begin again with an empty one", int(cursorTimeout.Seconds()))
	}
	return at, nil
}

// fingerprint tells lists apart by what makes them.
func fingerprint(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		_, _ = h.Write([]byte(strconv.Quote(part)))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12])
}
