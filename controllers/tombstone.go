package controllers

import (
	"time"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// tombstoneOverlap is how long a user and a tombstone of the same id may both exist: the SCIM server, which deletes or brings
// back the person, is between two writes. After that it died there.
const tombstoneOverlap = 10 * time.Minute

// decideTombstone says whether a tombstone has had its time, and if not, how long it has still. The directory is nil when it
// is gone, the user when nobody of that id exists.
func decideTombstone(t *v1alpha1.ScimTombstone, d *v1alpha1.ScimDirectory, u *v1alpha1.ScimUser, now time.Time,
) (over bool, left time.Duration) {
	if d == nil || deleting(d) {
		return true, 0
	}
	end := t.Spec.DeletionTime.Add(d.Spec.Users.WithDefaults().TombstoneTTL.Duration)
	if u != nil {
		both := t.CreationTimestamp.Time
		if u.CreationTimestamp.After(both) {
			both = u.CreationTimestamp.Time
		}
		end = both.Add(tombstoneOverlap)
	}
	return !now.Before(end), end.Sub(now)
}
