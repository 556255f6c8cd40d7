package scimserver

import (
	"slices"

	"github.com/scim-operator/scim-operator/scimserver/patch"
	"github.com/scim-operator/scim-operator/scimserver/store"
)

const members = "members"

// splitOperations parts the operations on a group's members from those on the group itself, since members are stored in
// other objects. Order matters only among operations on the same attribute, and is kept.
func splitOperations(operations []patch.Operation) (onGroup, onMembers []patch.Operation) {
	for _, o := range operations {
		if o.Path.Attribute() == members {
			onMembers = append(onMembers, o)
		} else {
			onGroup = append(onGroup, o)
		}
	}
	return onGroup, onMembers
}

// memberChanges translates operations on members. All that identity providers commonly send needs no look at the members;
// any other operation is carried out on the present ones, and the difference is the change.
func (q *request) memberChanges(operations []patch.Operation) ([]store.MemberChange, error) {
	changes := make([]store.MemberChange, 0, len(operations))
	for _, o := range operations {
		change, ok := memberChange(o)
		if !ok {
			return q.memberDifference(operations)
		}
		changes = append(changes, change)
	}
	return changes, nil
}

// memberChange translates an operation that needs no look at the members.
func memberChange(o patch.Operation) (store.MemberChange, bool) {
	if o.Path.String() != members {
		return store.MemberChange{}, false
	}
	if o.Path.Filter() != nil {
		id, ok := soleID(o)
		return store.MemberChange{Op: store.RemoveMembers, IDs: []string{id}}, ok && o.Op == patch.Remove
	}
	switch {
	case o.Op == patch.Add:
		return store.MemberChange{Op: store.AddMembers, IDs: o.MemberIDs()}, true
	case o.Op == patch.Remove && o.Value != nil:
		return store.MemberChange{Op: store.RemoveMembers, IDs: o.MemberIDs()}, true
	default:
		return store.MemberChange{Op: store.ReplaceMembers, IDs: o.MemberIDs()}, true
	}
}

// soleID returns the id that a filter such as members[value eq "id"] selects, if that is all it says.
func soleID(o patch.Operation) (string, bool) {
	selected, ok := o.Path.Filter().Element()
	if !ok || len(selected) != 1 {
		return "", false
	}
	id, ok := selected["value"].(string)
	return id, ok
}

func (q *request) memberDifference(operations []patch.Operation) ([]store.MemberChange, error) {
	g, err := q.directory.Group(q.Context(), q.route.id, true)
	if err != nil {
		return nil, err
	}
	tree, err := store.Tree(g)
	if err != nil {
		return nil, err
	}
	if tree, err = patch.Apply(tree, operations); err != nil {
		return nil, err
	}
	after := patch.Operation{Value: tree[members]}.MemberIDs()
	before := memberIDs(g)
	return []store.MemberChange{
		{Op: store.RemoveMembers, IDs: without(before, after)},
		{Op: store.AddMembers, IDs: without(after, before)},
	}, nil
}

// without returns what is in ids and not in others.
func without(ids, others []string) []string {
	known := make(map[string]bool, len(others))
	for _, id := range others {
		known[id] = true
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return known[id] })
}
