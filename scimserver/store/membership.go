package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// How a group's members are changed by any number of writers, any of which may stop at any step.
//
// A group names one epoch of slices. Every slice of that epoch exists, so a slice that is missing means that the epoch
// has been replaced meanwhile. Adding and removing change the member's home slice under its resource version. All else is
// a rewrite: seal every slice of the epoch, which then takes no more changes; create all slices of a new epoch; name it in
// the group under the resource version read at the start, which is the commit; delete the old slices.

const (
	// maxShard is what one slice may hold; a slice beyond splitShard makes the group be spread over more.
	maxShard   = 1000
	splitShard = 500
	// meanShard is the mean a rewrite aims at, so that no shard passes splitShard by chance.
	meanShard = 250
	maxShards = 1024
	// manyMembers is the size of an edit from which one rewrite is cheaper than changing slice by slice.
	manyMembers = 1000
	// sealedTimeout is how long a writer waits for whoever sealed a slice to commit before it does the rewrite itself.
	sealedTimeout = time.Second
	// parallelSlices bounds the slices that one rewrite reads or writes at a time.
	parallelSlices = 8
)

var (
	// errStale: what the step was based on has been replaced; start again from the live group.
	errStale = errors.New("the group's epoch has been replaced")
	// errOtherVersion: the edit was meant for another version of the group, and has not been made.
	errOtherVersion = errors.New("the group has another version")
)

// editMembers changes a group's members and returns the group as it is then. It starts from the group given, which may be
// old, and reads live as soon as that does not hold.
func (d *Directory) editMembers(ctx context.Context, g *v1alpha1.ScimGroup, edit memberEdit) (*v1alpha1.ScimGroup, error) {
	// Writers of one process queue here rather than conflict at the API server.
	defer d.store.locks.lock(d.key, Key{"id", g.Name})()
	ctx, span := begin(ctx, "change members")
	defer span.End()
	live := false
	for {
		next, err := d.tryEdit(ctx, g, edit, live)
		if !errors.Is(err, errStale) {
			return next, err
		}
		if err := ctx.Err(); err != nil {
			return nil, ErrUnavailable
		}
		if g, err = fetch(ctx, d, d.store.groups, g.Name); err != nil {
			return nil, err
		}
		live = true
	}
}

// tryEdit makes one attempt. live says that the group has just been read from the API server.
func (d *Directory) tryEdit(ctx context.Context, g *v1alpha1.ScimGroup, edit memberEdit, live bool) (*v1alpha1.ScimGroup, error) {
	m := g.Spec.Membership
	switch {
	case m == nil && len(edit.add) == 0 && live:
		return g, nil // no members, and none to be added
	case m == nil && len(edit.add) == 0:
		return nil, errStale // to be confirmed live
	case m == nil, edit.only != nil, len(edit.groups) > 0 && !m.Nested, len(edit.add)+len(edit.remove) > manyMembers,
		edit.replace && m.Shards > 1:
		return d.rewrite(ctx, g.Name, edit)
	}
	grown := false
	for shard, part := range edit.homes(m.Shards) {
		s, err := d.editSlice(ctx, g, shard, part, live)
		if errors.Is(err, errSealed) {
			trace.SpanFromContext(ctx).AddEvent(eventSealed)
			if d.waitForNewEpoch(ctx, g) {
				return nil, errStale
			}
			return d.rewrite(ctx, g.Name, edit)
		}
		if errors.Is(err, errFull) {
			return d.rewrite(ctx, g.Name, edit)
		}
		if err != nil {
			return nil, err
		}
		grown = grown || (len(s.Spec.Members) > splitShard && m.Shards < maxShards)
	}
	if grown || d.sparse(g) {
		// The edit is done. Whether the resize succeeds is no concern of the caller's; the next edit tries again.
		if resized, err := d.rewrite(ctx, g.Name, memberEdit{}); err == nil {
			return resized, nil
		}
	}
	return g, nil
}

// sparse reports whether the group has far fewer members than its shards are made for.
func (d *Directory) sparse(g *v1alpha1.ScimGroup) (sparse bool) {
	d.read(func(ix *directoryIndex) {
		e, complete := ix.membership(g)
		sparse = complete && g.Spec.Membership.Shards > 1 && e.members*8 < int(g.Spec.Membership.Shards)*splitShard
	})
	return sparse
}

var (
	errSealed = errors.New("the slice is sealed")
	errFull   = errors.New("the slice is full")
)

// editSlice changes one slice under its resource version. It returns the slice as it is then; errSealed, errFull, or
// errStale when the slice is missing or when no change was found to be needed from a state that is not live.
func (d *Directory) editSlice(ctx context.Context, g *v1alpha1.ScimGroup, shard int32, edit memberEdit, live bool) (*v1alpha1.ScimMemberSlice, error) {
	key := client.ObjectKey{Namespace: g.Namespace, Name: v1alpha1.SliceName(g.Name, g.Spec.Membership.Epoch, shard)}
	var s *v1alpha1.ScimMemberSlice
	if !live {
		d.read(func(*directoryIndex) { s = d.store.slices.objects[key] })
	}
	for {
		fresh := s == nil
		if fresh {
			s = &v1alpha1.ScimMemberSlice{}
			if err := d.store.client.Get(ctx, key, s); apierrors.IsNotFound(err) {
				return nil, errStale
			} else if err != nil {
				return nil, fromAPI(err)
			}
		}
		if s.Spec.Sealed {
			return nil, errSealed
		}
		members := edit.apply(s.Spec.Members)
		if slices.Equal(members, s.Spec.Members) {
			// Read after the group was, and not sealed: at that instant the group still named this epoch, so there really is
			// nothing to change.
			if live && fresh {
				return s, nil
			}
			return nil, errStale
		}
		if len(members) > maxShard {
			return nil, errFull
		}
		next := s.DeepCopy()
		next.Spec.Members, next.Spec.Groups = members, edit.applyToGroups(s.Spec.Groups)
		d.stamp(ctx, next)
		err := d.store.client.Update(ctx, next)
		switch {
		case err == nil:
			d.noteMembers(g, s.Spec.Members, members, next)
			return next, d.store.slices.waitFor(ctx, next)
		case apierrors.IsConflict(err):
			trace.SpanFromContext(ctx).AddEvent(eventConflict)
			s = nil
		case apierrors.IsNotFound(err):
			return nil, errStale
		default:
			return nil, fromAPI(err)
		}
	}
}

// waitForNewEpoch reports whether the group came to name another epoch within a short time.
func (d *Directory) waitForNewEpoch(ctx context.Context, g *v1alpha1.ScimGroup) bool {
	ctx, cancel := context.WithTimeout(ctx, sealedTimeout)
	defer cancel()
	return d.store.index.wait(ctx, func() bool {
		now, ok := d.store.index.look(d.key).groups.byName[g.Name]
		return !ok || now.Spec.Membership == nil || now.Spec.Membership.Epoch != g.Spec.Membership.Epoch
	}) == nil
}

// rewrite moves all members, with the edit made, to a new epoch of the size they need. It returns errOtherVersion where the
// edit is not meant for what is there once all is sealed; then it moves them without.
func (d *Directory) rewrite(ctx context.Context, id string, edit memberEdit) (*v1alpha1.ScimGroup, error) {
	ctx, span := begin(ctx, "rewrite members")
	defer span.End()
	var refused error
	for {
		g, err := fetch(ctx, d, d.store.groups, id)
		if err != nil {
			return nil, err
		}
		if unchanged, err := d.unchanged(ctx, g, edit); err != nil || unchanged {
			return g, err
		}
		sealed, version, err := d.seal(ctx, g)
		if errors.Is(err, errStale) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if edit.only != nil && *edit.only != version {
			refused, edit = errOtherVersion, memberEdit{}
		}
		members := setOf(edit.apply(sealed.Members))
		groups := setOf(edit.applyToGroups(sealed.Groups))
		next, err := d.commit(ctx, g, g.DeepCopy(), sealed.Members, members, groups)
		if !errors.Is(err, errStale) {
			return next, cmp.Or(err, refused)
		}
	}
}

// commit stores what became of a group together with a new epoch of members, some of which are groups, and deletes the old
// epoch, which held those before. It returns errStale when somebody else has changed the group; then nothing is stored.
func (d *Directory) commit(ctx context.Context, old, next *v1alpha1.ScimGroup, before []string, members, groups memberSet) (_ *v1alpha1.ScimGroup, err error) {
	id := old.Name
	next.Spec.Membership = nil
	if len(members) > 0 {
		if next.Spec.Membership, err = d.createEpoch(ctx, id, members, groups); err != nil {
			return nil, err
		}
	}
	d.stamp(ctx, next)
	err = d.store.client.Update(ctx, next)
	switch {
	case err == nil:
		d.note(old, next)
		d.noteMembers(next, before, slices.Collect(maps.Keys(members)), next)
		d.tidy(ctx, "a replaced epoch", id, func(ctx context.Context) error { return d.deleteEpoch(ctx, id, old.Spec.Membership) })
		return next, d.store.groups.feed.waitFor(ctx, next)
	case apierrors.IsConflict(err), apierrors.IsNotFound(err):
		trace.SpanFromContext(ctx).AddEvent(eventConflict)
		// Refused for good: this epoch can never be committed, and is never tried again.
		d.tidy(ctx, "an epoch that was not committed", id, func(ctx context.Context) error { return d.deleteEpoch(ctx, id, next.Spec.Membership) })
		if ctx.Err() != nil {
			return nil, ErrUnavailable
		}
		return nil, errStale
	default:
		// It may have been committed, or may still be. The slices stay; the clean-up removes them if nobody names them.
		return nil, fromAPI(err)
	}
}

// unchanged reports whether the edit would leave a group of more than one slice as it is, so that nothing need be
// written: a full push is repeated often. Each slice is compared live with the index, so that the answer holds at the
// instant when the first of them was read.
func (d *Directory) unchanged(ctx context.Context, g *v1alpha1.ScimGroup, edit memberEdit) (bool, error) {
	if g.Spec.Membership == nil || edit.empty() {
		return false, nil
	}
	var shards []*v1alpha1.ScimMemberSlice
	var ids []string
	d.read(func(ix *directoryIndex) {
		if e, complete := ix.membership(g); complete {
			shards = slices.Collect(maps.Values(e.shards))
			ids = e.ids()
		}
	})
	slices.Sort(ids)
	if len(shards) == 0 || !slices.Equal(ids, edit.apply(ids)) {
		return false, nil
	}
	same := make([]bool, len(shards))
	err := inParallel(len(shards), func(i int) error {
		s := &v1alpha1.ScimMemberSlice{}
		err := d.store.client.Get(ctx, client.ObjectKeyFromObject(shards[i]), s)
		same[i] = err == nil && !s.Spec.Sealed && s.ResourceVersion == shards[i].ResourceVersion
		return client.IgnoreNotFound(err)
	})
	return !slices.Contains(same, false), fromAPI(err)
}

// seal seals every slice of the group's epoch and returns the members, and the groups among them, that they hold from then
// on, and the version that the group had before. It returns errStale when the group names another epoch meanwhile.
func (d *Directory) seal(ctx context.Context, g *v1alpha1.ScimGroup) (all v1alpha1.ScimMemberSliceSpec, was groupVersion, err error) {
	was.group = g.Generation
	if g.Spec.Membership == nil {
		return all, was, nil
	}
	parts := make([]v1alpha1.ScimMemberSlice, g.Spec.Membership.Shards)
	err = inParallel(len(parts), func(shard int) (err error) {
		parts[shard], err = d.sealSlice(ctx, g, int32(shard))
		return err
	})
	for _, part := range parts {
		all.Members = append(all.Members, part.Spec.Members...)
		all.Groups = append(all.Groups, part.Spec.Groups...)
		was.slices += part.Generation - 1 // the last change was the seal
	}
	return all, was, err
}

func (d *Directory) sealSlice(ctx context.Context, g *v1alpha1.ScimGroup, shard int32) (none v1alpha1.ScimMemberSlice, err error) {
	key := client.ObjectKey{Namespace: g.Namespace, Name: v1alpha1.SliceName(g.Name, g.Spec.Membership.Epoch, shard)}
	for {
		s := &v1alpha1.ScimMemberSlice{}
		if err := d.store.client.Get(ctx, key, s); apierrors.IsNotFound(err) {
			return none, d.missing(ctx, g)
		} else if err != nil {
			return none, fromAPI(err)
		}
		if s.Spec.Sealed {
			return *s, nil
		}
		s.Spec.Sealed = true
		if err := d.store.client.Update(ctx, s); apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
			continue
		} else if err != nil {
			return none, fromAPI(err)
		}
		return *s, nil
	}
}

// missing decides what a missing slice means. If the group names another epoch by now, the caller's view was old. If it
// still names this one, somebody has deleted the slice by hand: its members are gone, and the rewrite makes the group
// whole again.
func (d *Directory) missing(ctx context.Context, g *v1alpha1.ScimGroup) error {
	now, err := fetch(ctx, d, d.store.groups, g.Name)
	if err != nil {
		return err
	}
	if now.Spec.Membership == nil || now.Spec.Membership.Epoch != g.Spec.Membership.Epoch {
		return errStale
	}
	d.store.options.Log.Info("A slice of a group's members is missing; its members are lost", "namespace", g.Namespace,
		"directory", d.key.name, "group", g.Name, "epoch", g.Spec.Membership.Epoch)
	return nil
}

// liveMemberIDs reads the members from the API server.
func (d *Directory) liveMemberIDs(ctx context.Context, id string) ([]string, error) {
	for {
		g, err := fetch(ctx, d, d.store.groups, id)
		if err != nil || g.Spec.Membership == nil {
			return nil, err
		}
		parts := make([][]string, g.Spec.Membership.Shards)
		err = inParallel(len(parts), func(shard int) error {
			s := &v1alpha1.ScimMemberSlice{}
			err := d.store.client.Get(ctx, client.ObjectKey{Namespace: g.Namespace, Name: v1alpha1.SliceName(id, g.Spec.Membership.Epoch, int32(shard))}, s)
			if apierrors.IsNotFound(err) {
				return d.missing(ctx, g)
			}
			parts[shard] = s.Spec.Members
			return fromAPI(err)
		})
		if errors.Is(err, errStale) && ctx.Err() == nil {
			continue
		}
		return slices.Concat(parts...), err
	}
}

// createEpoch creates all slices of a new epoch with members, some of which are groups. On an error it deletes what it has
// created.
func (d *Directory) createEpoch(ctx context.Context, group string, members, groups memberSet) (*v1alpha1.GroupMembership, error) {
	m := &v1alpha1.GroupMembership{
		Epoch: strings.ToLower(rand.Text()[:8]), Shards: shardsFor(len(members)), Nested: len(groups) > 0,
	}
	parts := memberEdit{add: members, groups: groups}.homes(m.Shards)
	err := inParallel(int(m.Shards), func(shard int) error {
		part := parts[int32(shard)]
		s := &v1alpha1.ScimMemberSlice{
			ObjectMeta: metav1.ObjectMeta{Namespace: d.key.namespace, Name: v1alpha1.SliceName(group, m.Epoch, int32(shard))},
			Spec: v1alpha1.ScimMemberSliceSpec{
				DirectoryRef: v1alpha1.DirectoryReference{Name: d.key.name},
				Group:        group, Epoch: m.Epoch, Shard: int32(shard),
				Members: part.apply(nil), Groups: part.applyToGroups(nil),
			},
		}
		d.stamp(ctx, s)
		if err := d.store.client.Create(ctx, s); err != nil {
			return fromAPI(err)
		}
		// So that the group is never shown by this replica before its members are, nor with a version that lacks theirs.
		return d.store.slices.waitFor(ctx, s)
	})
	if err != nil {
		d.tidy(ctx, "an unfinished epoch", group, func(ctx context.Context) error { return d.deleteEpoch(ctx, group, m) })
		return nil, err
	}
	return m, nil
}

// deleteEpoch deletes the slices of an epoch that no group names, or will.
func (d *Directory) deleteEpoch(ctx context.Context, group string, m *v1alpha1.GroupMembership) error {
	if m == nil {
		return nil
	}
	return inParallel(int(m.Shards), func(shard int) error {
		s := &v1alpha1.ScimMemberSlice{ObjectMeta: metav1.ObjectMeta{Namespace: d.key.namespace, Name: v1alpha1.SliceName(group, m.Epoch, int32(shard))}}
		return client.IgnoreNotFound(d.store.client.Delete(ctx, s))
	})
}

// shardsFor is the number of shards for this many members, a power of two.
func shardsFor(members int) int32 {
	shards := int32(1)
	if members <= splitShard/2 {
		return shards
	}
	for int(shards)*meanShard < members && shards < maxShards {
		shards *= 2
	}
	return shards
}

// inParallel calls f with 0 to n-1, some at a time, and returns the first error.
func inParallel(n int, f func(int) error) error {
	var group errgroup.Group
	group.SetLimit(parallelSlices)
	for i := range n {
		group.Go(func() error { return f(i) })
	}
	return group.Wait()
}
