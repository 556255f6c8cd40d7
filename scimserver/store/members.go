package store

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// MemberOp is what a MemberChange does.
type MemberOp int

const (
	// AddMembers adds those that are not members yet.
	AddMembers MemberOp = iota
	// RemoveMembers removes those that are members.
	RemoveMembers
	// ReplaceMembers makes the given ids the only members.
	ReplaceMembers
)

// MemberChange is one change of a group's members.
type MemberChange struct {
	Op  MemberOp
	IDs []string
}

type memberSet map[string]bool

func setOf(ids []string) memberSet {
	set := make(memberSet, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return set
}

// memberEdit is what a sequence of changes comes to: all members, or none if replace is set, less remove, plus add. An id
// is in one of the two at most.
type memberEdit struct {
	replace     bool
	add, remove memberSet
	// groups are those of add that are groups.
	groups memberSet
	// only, unless nil, is the version of the group that the edit is meant for.
	only *groupVersion
}

func foldChanges(changes []MemberChange) memberEdit {
	e := memberEdit{add: memberSet{}, remove: memberSet{}}
	for _, c := range changes {
		if c.Op == ReplaceMembers {
			e = memberEdit{replace: true, add: memberSet{}, remove: memberSet{}}
		}
		for _, id := range c.IDs {
			if c.Op == RemoveMembers {
				delete(e.add, id)
				e.remove[id] = true
			} else {
				delete(e.remove, id)
				e.add[id] = true
			}
		}
	}
	return e
}

// empty reports whether the edit changes nothing whatever the members are.
func (e memberEdit) empty() bool { return !e.replace && len(e.add) == 0 && len(e.remove) == 0 }

// apply returns the members after the edit, sorted.
func (e memberEdit) apply(members []string) []string {
	next := memberSet{}
	maps.Copy(next, e.add)
	if !e.replace {
		for _, id := range members {
			if !e.remove[id] {
				next[id] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(next))
}

// applyToGroups returns those of the members after the edit that are groups, sorted, given those before.
func (e memberEdit) applyToGroups(groups []string) []string {
	return memberEdit{replace: e.replace, add: e.groups, remove: e.remove}.apply(groups)
}

// homes splits the edit by the shards whose members it touches.
func (e memberEdit) homes(shards int32) map[int32]memberEdit {
	parts := map[int32]memberEdit{}
	part := func(shard int32) memberEdit {
		p, ok := parts[shard]
		if !ok {
			p = memberEdit{replace: e.replace, add: memberSet{}, remove: memberSet{}, groups: memberSet{}}
			parts[shard] = p
		}
		return p
	}
	for id := range e.add {
		part(v1alpha1.HomeShard(id, shards)).add[id] = true
	}
	for id := range e.remove {
		part(v1alpha1.HomeShard(id, shards)).remove[id] = true
	}
	for id := range e.groups {
		part(v1alpha1.HomeShard(id, shards)).groups[id] = true
	}
	if e.replace {
		for shard := range shards {
			part(shard)
		}
	}
	return parts
}

// checkMembers returns those of the ids that are groups, or a *schema.Error that names an id that is neither a user nor a
// group of the directory.
func (d *Directory) checkMembers(ctx context.Context, ids memberSet) (groups memberSet, err error) {
	groups = memberSet{}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		_, err := findShown(ctx, d, d.store.users, id)
		if errors.Is(err, ErrNotFound) {
			_, err = findShown(ctx, d, d.store.groups, id)
			groups[id] = true
		}
		if errors.Is(err, ErrNotFound) {
			return nil, schema.Errorf(schema.InvalidValue, "members: this directory has no user or group with the id %q", id)
		}
		if err != nil {
			return nil, err
		}
	}
	return groups, nil
}

// checkPushed returns the members that a group is pushed with, and those of them that are groups, as checkMembers does.
func (d *Directory) checkPushed(ctx context.Context, g *Group) (members, groups memberSet, err error) {
	members = memberSet{}
	for _, m := range g.Members {
		members[m.Value] = true
	}
	groups, err = d.checkMembers(ctx, members)
	return members, groups, err
}

// membersOf are the group's members as SCIM shows them. Those that no longer exist or are hidden are left out.
func (d *Directory) membersOf(ctx context.Context, g *v1alpha1.ScimGroup) ([]Member, error) {
	ids, err := d.memberIDs(ctx, g)
	if err != nil {
		return nil, err
	}
	members := make([]Member, 0, len(ids))
	d.read(func(ix *directoryIndex) {
		for _, id := range ids {
			if u, ok := shown(ix, d.store.users, id); ok {
				display := u.Spec.DisplayName
				if display == "" {
					display = u.Spec.UserName
				}
				members = append(members, Member{Value: id, Type: "User", Display: display})
			} else if g, ok := shown(ix, d.store.groups, id); ok {
				members = append(members, Member{Value: id, Type: "Group", Display: g.Spec.DisplayName})
			}
		}
	})
	return members, nil
}

// memberIDs are the ids that the slices of the group's epoch hold: from the index once it shows all of them, else live.
func (d *Directory) memberIDs(ctx context.Context, g *v1alpha1.ScimGroup) ([]string, error) {
	var ids []string
	look := func() bool {
		// The index may already show a later state of the group than the one given.
		if known, ok := d.store.index.look(d.key).groups.byName[g.Name]; ok {
			g = known
		}
		e, complete := d.store.index.look(d.key).membership(g)
		if !complete {
			return false
		}
		ids = e.ids()
		return true
	}
	var complete bool
	d.read(func(*directoryIndex) { complete = look() })
	if complete {
		return ids, nil
	}
	waiting, cancel := context.WithTimeout(ctx, completeTimeout)
	defer cancel()
	if d.store.index.wait(waiting, look) == nil {
		return ids, nil
	}
	return d.liveMemberIDs(ctx, g.Name)
}

// ids are the members of all shards, in order of the shards.
func (e *epoch) ids() []string {
	ids := make([]string, 0, e.members)
	for shard := range int32(len(e.shards)) {
		ids = append(ids, e.shards[shard].Spec.Members...)
	}
	return ids
}

// groupsWithMember are the groups that have the id as a direct member, in order of creation.
func (d *Directory) groupsWithMember(ctx context.Context, id string) []*v1alpha1.ScimGroup {
	direct, _ := d.ancestry(ctx, id, 0)
	return direct
}
