package store

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// index is everything that the server reads, kept current by the feeds. One lock guards it all, so that a reader sees
// users, groups and slices as of one instant of this process.
type index struct {
	mu          sync.RWMutex
	directories map[directoryKey]*directoryIndex
	credentials credentials
	waiters     []waiter
}

type directoryKey struct{ namespace, name string }

// directoryIndex is one directory's part of the index.
type directoryIndex struct {
	users *table[*v1alpha1.ScimUser]
	// views are how pages show the users.
	views      map[*v1alpha1.ScimUser]*view
	groups     *table[*v1alpha1.ScimGroup]
	tombstones *table[*v1alpha1.ScimTombstone]
	// slices by name, grouped by group and epoch.
	epochs map[epochKey]*epoch
	// memberOf has for each member id the slices that hold it, of whatever epoch.
	memberOf map[string][]*v1alpha1.ScimMemberSlice
	declared declaration
	policy   *policy
}

type epochKey struct{ group, epoch string }

// epoch is what is known of one epoch of a group's members.
type epoch struct {
	shards map[int32]*v1alpha1.ScimMemberSlice
	// members and generations are sums over the shards.
	members     int
	generations int64
	modified    time.Time
}

func newIndex() *index {
	return &index{directories: map[directoryKey]*directoryIndex{}, credentials: newCredentials()}
}

// directory returns the part of one directory, empty if nothing of it has been seen.
func (ix *index) directory(key directoryKey) *directoryIndex {
	d, ok := ix.directories[key]
	if !ok {
		d = &directoryIndex{
			users:      newTable(userKeys),
			views:      map[*v1alpha1.ScimUser]*view{},
			groups:     newTable(groupKeys),
			tombstones: newTable(tombstoneKeys),
			epochs:     map[epochKey]*epoch{},
			memberOf:   map[string][]*v1alpha1.ScimMemberSlice{},
			policy:     defaults,
		}
		ix.directories[key] = d
	}
	return d
}

// look returns the part of one directory for reading; it never changes the index.
func (ix *index) look(key directoryKey) *directoryIndex {
	if d, ok := ix.directories[key]; ok {
		return d
	}
	return nothing
}

var nothing = &directoryIndex{
	users: newTable(userKeys), groups: newTable(groupKeys), tombstones: newTable(tombstoneKeys), policy: defaults,
}

func userKeys(u *v1alpha1.ScimUser) []Key {
	keys := make([]Key, 0, 4+len(u.Spec.Emails))
	keys = append(keys, Key{"userName", schema.Fold(u.Spec.UserName)}, identity(v1alpha1.IdentifierEmail, u))
	if u.Spec.ExternalID != "" {
		keys = append(keys, Key{"externalId", u.Spec.ExternalID})
	}
	for _, e := range u.Spec.Emails {
		if k := (Key{"emails.value", schema.Fold(e.Value)}); !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	return keys
}

func groupKeys(g *v1alpha1.ScimGroup) []Key {
	keys := []Key{{"displayName", schema.Fold(g.Spec.DisplayName)}}
	if g.Spec.ExternalID != "" {
		keys = append(keys, Key{"externalId", g.Spec.ExternalID})
	}
	return keys
}

func (d *directoryIndex) putUser(u *v1alpha1.ScimUser) {
	d.removeUser(u)
	d.users.put(u)
	d.views[u] = viewOf(u)
}

func (d *directoryIndex) removeUser(u *v1alpha1.ScimUser) {
	delete(d.views, d.users.byName[u.Name])
	d.users.remove(u.Name)
}

func (d *directoryIndex) putSlice(s *v1alpha1.ScimMemberSlice) {
	d.removeSlice(s)
	key := epochKey{s.Spec.Group, s.Spec.Epoch}
	e, ok := d.epochs[key]
	if !ok {
		e = &epoch{shards: map[int32]*v1alpha1.ScimMemberSlice{}}
		d.epochs[key] = e
	}
	e.shards[s.Spec.Shard] = s
	e.members += len(s.Spec.Members)
	e.generations += s.Generation
	if m := lastModified(s); m.After(e.modified) {
		e.modified = m
	}
	for _, id := range s.Spec.Members {
		d.memberOf[id] = append(d.memberOf[id], s)
	}
}

func (d *directoryIndex) removeSlice(s *v1alpha1.ScimMemberSlice) {
	key := epochKey{s.Spec.Group, s.Spec.Epoch}
	e, ok := d.epochs[key]
	if !ok {
		return
	}
	old, ok := e.shards[s.Spec.Shard]
	if !ok {
		return
	}
	delete(e.shards, s.Spec.Shard)
	e.members -= len(old.Spec.Members)
	e.generations -= old.Generation
	if len(e.shards) == 0 {
		delete(d.epochs, key)
	}
	for _, id := range old.Spec.Members {
		left := slices.DeleteFunc(d.memberOf[id], func(o *v1alpha1.ScimMemberSlice) bool { return o == old })
		if len(left) == 0 {
			delete(d.memberOf, id)
		} else {
			d.memberOf[id] = left
		}
	}
}

// membership returns the epoch that the group names. It is complete when all its slices are there; the feeds of groups
// and of slices are not ordered against each other, so that for a moment it may not be. A group without members has a
// complete, empty one.
func (d *directoryIndex) membership(g *v1alpha1.ScimGroup) (e *epoch, complete bool) {
	m := g.Spec.Membership
	if m == nil {
		return &epoch{}, true
	}
	e, ok := d.epochs[epochKey{g.Name, m.Epoch}]
	return e, ok && len(e.shards) == int(m.Shards)
}

// groupsOf returns the groups that have the user or group with this id as a direct member and are not hidden, in order of
// creation. It is incomplete while the epoch of one of them is.
func (d *directoryIndex) groupsOf(id string) (groups []*v1alpha1.ScimGroup, complete bool) {
	complete = true
	for _, s := range d.memberOf[id] {
		g, ok := d.groups.byName[s.Spec.Group]
		if !ok || hidden(d.policy.groups.Importable, g) {
			continue
		}
		if _, whole := d.membership(g); !whole {
			complete = false
		} else if g.Spec.Membership != nil && g.Spec.Membership.Epoch == s.Spec.Epoch {
			groups = append(groups, g)
		}
	}
	slices.SortFunc(groups, compareCreation)
	return groups, complete
}

// ancestry returns the groups that have the user or group with this id as a direct member, as groupsOf does, and those that
// have it only through other groups, nearest first, at most maxIndirect of them. Each group is visited once, so that cycles
// end. It is incomplete while a group on the way is.
func (d *directoryIndex) ancestry(id string, maxIndirect int) (direct, indirect []*v1alpha1.ScimGroup, complete bool) {
	direct, complete = d.groupsOf(id)
	if len(direct) == 0 {
		return nil, nil, complete
	}
	visited := map[string]bool{}
	for _, g := range direct {
		visited[g.Name] = true
	}
	for nearest := direct; len(nearest) > 0 && len(indirect) < maxIndirect; {
		var above []*v1alpha1.ScimGroup
		for _, g := range nearest {
			parents, whole := d.groupsOf(g.Name)
			complete = complete && whole
			for _, p := range parents {
				if !visited[p.Name] {
					visited[p.Name] = true
					above = append(above, p)
				}
			}
		}
		indirect = append(indirect, above...)
		nearest = above
	}
	return direct, indirect[:min(len(indirect), maxIndirect)], complete
}

// waiter is somebody who waits for the index to show something.
type waiter struct {
	shown func() bool
	done  chan struct{}
}

// wait returns when shown, which is called with the lock held, says that the index shows what is waited for; else
// ErrUnavailable when ctx ends.
func (ix *index) wait(ctx context.Context, shown func() bool) error {
	ix.mu.Lock()
	if shown() {
		ix.mu.Unlock()
		return nil
	}
	w := waiter{shown: shown, done: make(chan struct{})}
	ix.waiters = append(ix.waiters, w)
	ix.mu.Unlock()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		ix.mu.Lock()
		defer ix.mu.Unlock()
		ix.waiters = slices.DeleteFunc(ix.waiters, func(o waiter) bool { return o.done == w.done })
		return ErrUnavailable
	}
}

// change applies f under the lock and wakes those who waited for its result.
func (ix *index) change(f func()) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	f()
	ix.waiters = slices.DeleteFunc(ix.waiters, func(w waiter) bool {
		if !w.shown() {
			return false
		}
		close(w.done)
		return true
	})
}
