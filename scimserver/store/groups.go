package store

import (
	"context"
	"errors"
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

// CreateGroup stores a new group with its members and returns it. Where the app has a role that is called so, the group is
// that role, under the id of the role's mirror. It returns a *UniquenessError if the displayName is reserved, or held by
// another group or by a role that is not to be taken over, and a *schema.Error that names a member that does not exist.
func (d *Directory) CreateGroup(ctx context.Context, g *Group) (*Group, error) {
	ctx, cancel := detached(ctx)
	defer cancel()
	p := d.policy()
	if p.reserves(g.DisplayName) {
		return nil, errReserved
	}
	obj := asPushed(&v1alpha1.ScimGroup{
		ObjectMeta: metav1.ObjectMeta{Namespace: d.key.namespace, Name: newID()},
		Spec:       v1alpha1.ScimGroupSpec{DirectoryRef: v1alpha1.DirectoryReference{Name: d.key.name}},
	}, g)
	defer d.store.locks.lock(d.key, d.store.groups.unique(p, obj)...)()
	made, err := d.createGroup(ctx, p, obj, g)
	if taken, ok := errors.AsType[*UniquenessError](err); ok {
		made, err = d.link(ctx, p, taken, g)
	}
	if err != nil {
		return nil, err
	}
	return d.presentGroup(ctx, made, true)
}

// createGroup stores a group that is none of the app's.
func (d *Directory) createGroup(ctx context.Context, p *policy, obj *v1alpha1.ScimGroup, g *Group) (*v1alpha1.ScimGroup, error) {
	s := d.store
	if err := checkFree(ctx, d, s.groups, p, s.groups.unique(p, obj), obj.Name); err != nil {
		return nil, err
	}
	members, groups, err := d.checkPushed(ctx, g)
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
	d.stamp(ctx, obj)
	made, err := create(ctx, d, s.groups, p, obj)
	if err != nil {
		d.tidy(ctx, "members of a group that was not created", obj.Name, func(ctx context.Context) error {
			return d.deleteEpoch(ctx, obj.Name, obj.Spec.Membership)
		})
		return nil, err
	}
	d.noteMembers(made, nil, slices.Collect(maps.Keys(members)), made)
	return made, nil
}

// UpdateGroup stores what change makes of the group's attributes, makes the changes of its members in their order, and
// returns the group without members. change is called as by UpdateUser, with a group without members; members of its
// result do not count. Members to be added are checked before anything is written. It returns ErrNotFound, a
// *UniquenessError if another group holds the new displayName, or a *schema.Error that names a member that does not exist.
//
// exact says that change agrees to certain versions only: then the members are changed only while the group and they are of
// the version that change has agreed to, and else change is asked again. That costs a rewrite of all members.
//
// A mirror is taken over by that, whatever changes: the group itself is written first. From then on the controllers, who
// commit on its resource version, rewrite its members no more, and no change of a member can get lost.
func (d *Directory) UpdateGroup(ctx context.Context, id string, change func(*Group) (*Group, error), members []MemberChange, exact bool) (*Group, error) {
	ctx, cancel := detached(ctx)
	defer cancel()
	edit := foldChanges(members)
	var err error
	if edit.groups, err = d.checkMembers(ctx, edit.add); err != nil {
		// An id or a version that is wrong is the better answer.
		if obj, notFound := findShown(ctx, d, d.store.groups, id); notFound != nil {
			return nil, notFound
		} else if _, refused := change(new(d.groupOf(obj))); refused != nil {
			return nil, refused
		}
		return nil, err
	}
	p := d.policy()
	for {
		var current Group
		obj, err := update(ctx, d, d.store.groups, &d.store.locks, id, func(old *v1alpha1.ScimGroup) (*v1alpha1.ScimGroup, error) {
			if hidden(p.groups.Importable, old) {
				return nil, ErrNotFound
			}
			current = d.groupOf(old)
			g, err := change(&current)
			if err != nil {
				return nil, err
			}
			next := asPushed(old, g)
			next.Spec.DisplayName, err = p.groupName(old, g.DisplayName)
			return next, err
		})
		if err != nil {
			return nil, d.takenByRole(p, err)
		}
		if exact {
			edit.only = &groupVersion{obj.Generation, current.slices}
		}
		if !edit.empty() {
			obj, err = d.editMembers(ctx, obj, edit)
		}
		if errors.Is(err, errOtherVersion) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return d.presentGroup(ctx, obj, false)
	}
}

// DeleteGroup removes the group and its memberships for good after check has agreed to its latest state; check's error is
// returned as it is. It returns ErrNotProvisioned for a mirror.
func (d *Directory) DeleteGroup(ctx context.Context, id string, check func(*Group) error) error {
	ctx, cancel := detached(ctx)
	defer cancel()
	p := d.policy()
	obj, err := remove(ctx, d, d.store.groups, id, func(obj *v1alpha1.ScimGroup) error {
		switch err := check(new(d.groupOf(obj))); {
		case hidden(p.groups.Importable, obj):
			return ErrNotFound
		case err != nil:
			return err
		case isMirror(obj):
			return ErrNotProvisioned
		default:
			return nil
		}
	})
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
	d.read(func(ix *directoryIndex) {
		if e, ok := ix.membership(obj); ok {
			g.slices = e.generations
			g.Meta.LastModified = latest(g.Meta.LastModified, e.modified)
		}
	})
	g.Meta.Version = groupVersion{obj.Generation, g.slices}.tag(obj)
	g.Schemas = withExtensions(coreGroup, g.Extensions)
	return g
}

// groupVersion is what a group's version is made of: members are changed in their slices, so these count, too.
type groupVersion struct {
	group  int64 // the generation
	slices int64 // the sum of their generations
}

func (v groupVersion) tag(obj *v1alpha1.ScimGroup) string {
	return version(obj, fmt.Sprintf("%d.%d", v.group, v.slices))
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

// asPushed is the object as it is when the identity provider has written the resource: its own, released to nobody. What
// SCIM does not show stays.
func asPushed(old *v1alpha1.ScimGroup, g *Group) *v1alpha1.ScimGroup {
	next := old.DeepCopy()
	next.Spec.ExternalID, next.Spec.DisplayName, next.Spec.Extensions = g.ExternalID, g.DisplayName, toObject(g.Extensions)
	if isMirror(next) {
		next.Spec.Origin = ""
	}
	delete(next.Annotations, v1alpha1.ReleaseAnnotation)
	return next
}

func equalGroups(a, b *v1alpha1.ScimGroup) bool {
	return a.Spec.ExternalID == b.Spec.ExternalID && a.Spec.DisplayName == b.Spec.DisplayName &&
		equalExtensions(a.Spec.Extensions, b.Spec.Extensions) && a.Spec.Origin == b.Spec.Origin &&
		a.Annotations[v1alpha1.ReleaseAnnotation] == b.Annotations[v1alpha1.ReleaseAnnotation]
}
