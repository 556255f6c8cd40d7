package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// GroupQuery selects groups.
type GroupQuery struct {
	// Key limits the query to the groups with this key.
	Key *Key
	// Match, unless nil, selects among them.
	Match func(*Group) bool
	// SortKey returns what a group is sorted by, where the list is sorted.
	SortKey func(*Group) string
	// MatchMembers says that Match or SortKey looks at the group's members.
	MatchMembers bool
	// Members says that the groups are to be returned with their members.
	Members bool
}

// Group returns one group, with its members if they are asked for, or ErrNotFound.
func (d *Directory) Group(ctx context.Context, id string, members bool) (*Group, error) {
	obj, err := findShown(ctx, d, d.store.groups, id)
	if err != nil {
		return nil, err
	}
	return d.presentGroup(ctx, obj, members)
}

// lookAtGroups returns how a query looks at each group, nil if it does not.
func (d *Directory) lookAtGroups(ctx context.Context, q *GroupQuery) func(*v1alpha1.ScimGroup) (bool, string, error) {
	if q.Match == nil && q.SortKey == nil {
		return nil
	}
	return func(obj *v1alpha1.ScimGroup) (bool, string, error) {
		g, err := d.presentGroup(ctx, obj, q.MatchMembers)
		if err != nil {
			return false, "", err
		}
		selected, sortKey := look(g, q.Match, q.SortKey)
		return selected, sortKey, nil
	}
}

// CreateGroup stores a new group with its members and returns it. It returns a *UniquenessError if another group holds
// the displayName, and a *schema.Error that names a member that does not exist.
func (d *Directory) CreateGroup(ctx context.Context, g *Group) (*Group, error) {
	ctx, cancel := detached(ctx)
	defer cancel()
	s := d.store
	obj := &v1alpha1.ScimGroup{
		ObjectMeta: metav1.ObjectMeta{Namespace: d.key.namespace, Name: newID()},
		Spec:       d.groupSpec(g, nil),
	}
	p := d.policy()
	unique := s.groups.unique(p, obj)
	defer s.locks.lock(d.key, unique...)()
	if err := checkFree(ctx, d, s.groups, p, unique, obj.Name); err != nil {
		return nil, err
	}
	members := memberSet{}
	for _, m := range g.Members {
		members[m.Value] = true
	}
	groups, err := d.checkMembers(ctx, members)
	if err != nil {
		return nil, err
	}
	if len(members) > 0 {
		// The slices come first, so that the group appears with all its members at once.
		epoch, err := d.createEpoch(ctx, obj.Name, members, groups)
		if err != nil {
			return nil, err
		}
		obj.Spec.Membership = epoch
	}
	d.stamp(obj)
	if err := create(ctx, d, s.groups, p, obj); err != nil {
		d.tidy(ctx, "members of a group that was not created", obj.Name, func(ctx context.Context) error {
			return d.deleteEpoch(ctx, obj.Name, obj.Spec.Membership)
		})
		return nil, err
	}
	d.noteMembers(obj, nil, slices.Collect(maps.Keys(members)), obj)
	return d.presentGroup(ctx, obj, true)
}

// UpdateGroup stores what change makes of the group's attributes, makes the changes of its members in their order, and
// returns the group without members. change is called as by UpdateUser, with a group without members; members of its
// result do not count. Members to be added are checked before anything is written. It returns ErrNotFound, a
// *UniquenessError if another group holds the new displayName, or a *schema.Error that names a member that does not exist.
func (d *Directory) UpdateGroup(ctx context.Context, id string, change func(*Group) (*Group, error), members []MemberChange) (*Group, error) {
	ctx, cancel := detached(ctx)
	defer cancel()
	edit := foldChanges(members)
	var err error
	if edit.groups, err = d.checkMembers(ctx, edit.add); err != nil {
		// An id or a version that is wrong is the better answer.
		if obj, _, notFound := find(ctx, d, d.store.groups, id); notFound != nil {
			return nil, notFound
		} else if _, refused := change(new(d.groupOf(obj))); refused != nil {
			return nil, refused
		}
		return nil, err
	}
	obj, err := update(ctx, d, d.store.groups, &d.store.locks, id, func(old *v1alpha1.ScimGroup) (*v1alpha1.ScimGroup, error) {
		g, err := change(new(d.groupOf(old)))
		if err != nil {
			return nil, err
		}
		next := old.DeepCopy()
		next.Spec = d.groupSpec(g, old.Spec.Membership)
		return next, nil
	})
	if err != nil {
		return nil, err
	}
	if !edit.empty() {
		if obj, err = d.editMembers(ctx, obj, edit); err != nil {
			return nil, err
		}
	}
	return d.presentGroup(ctx, obj, false)
}

// DeleteGroup removes the group and its memberships for good after check has agreed to its latest state; check's error is
// returned as it is.
func (d *Directory) DeleteGroup(ctx context.Context, id string, check func(*Group) error) error {
	ctx, cancel := detached(ctx)
	defer cancel()
	obj, err := remove(ctx, d, d.store.groups, id, func(obj *v1alpha1.ScimGroup) error { return check(new(d.groupOf(obj))) })
	if err != nil {
		return err
	}
	d.read(func(ix *directoryIndex) {
		if e, complete := ix.membership(obj); complete {
			d.noteMembers(obj, e.ids(), nil, obj)
		}
	})
	d.tidy(ctx, "members of a deleted group", obj.Name, func(ctx context.Context) error {
		return d.deleteEpoch(ctx, obj.Name, obj.Spec.Membership)
	})
	return nil
}

// groupOf is the resource that an object holds, without its members.
func (d *Directory) groupOf(obj *v1alpha1.ScimGroup) Group {
	g := Group{
		ID:          obj.Name,
		ExternalID:  obj.Spec.ExternalID,
		DisplayName: obj.Spec.DisplayName,
		Extensions:  fromObject(obj.Spec.Extensions),
		Meta:        &Meta{ResourceType: "Group", Created: obj.CreationTimestamp.UTC(), LastModified: lastModified(obj)},
	}
	var generations int64
	d.read(func(ix *directoryIndex) {
		if e, ok := ix.membership(obj); ok {
			generations = e.generations
			g.Meta.LastModified = latest(g.Meta.LastModified, e.modified)
		}
	})
	// Members are changed in their slices, so these count for the version, too.
	g.Meta.Version = version(fmt.Sprintf("%d.%d", obj.Generation, generations))
	g.Schemas = withExtensions(coreGroup, g.Extensions)
	return g
}

var coreGroup = []string{schema.GroupURN}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (d *Directory) presentGroup(ctx context.Context, obj *v1alpha1.ScimGroup, members bool) (*Group, error) {
	g := d.groupOf(obj)
	if members {
		var err error
		if g.Members, err = d.membersOf(ctx, obj); err != nil {
			return nil, err
		}
	}
	return &g, nil
}

func (d *Directory) groupSpec(g *Group, membership *v1alpha1.GroupMembership) v1alpha1.ScimGroupSpec {
	return v1alpha1.ScimGroupSpec{
		DirectoryRef: v1alpha1.DirectoryReference{Name: d.key.name},
		ExternalID:   g.ExternalID,
		DisplayName:  g.DisplayName,
		Membership:   membership,
		Extensions:   toObject(g.Extensions),
	}
}

func equalGroups(a, b *v1alpha1.ScimGroup) bool {
	return a.Spec.ExternalID == b.Spec.ExternalID && a.Spec.DisplayName == b.Spec.DisplayName &&
		equalExtensions(a.Spec.Extensions, b.Spec.Extensions)
}
