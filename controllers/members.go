package controllers

import (
	"context"
	"slices"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// standingOf says whether a person, or a group, is a direct member of the group: the one slice that is the id's home knows.
func (k kube) standingOf(ctx context.Context, g *v1alpha1.ScimGroup, id string) (standing, error) {
	m := g.Spec.Membership
	if m == nil {
		return outside, nil
	}
	name := v1alpha1.SliceName(g.Name, m.Epoch, v1alpha1.HomeShard(id, m.Shards))
	home, err := find[v1alpha1.ScimMemberSlice](ctx, k, g.Namespace, name)
	switch {
	case err != nil:
		return unknown, err
	case home == nil:
		return unknown, nil
	case holds(home, id):
		return inside, nil
	default:
		return outside, nil
	}
}

// holds looks an id up in a slice, whose members should be sorted but need not be.
func holds(s *v1alpha1.ScimMemberSlice, id string) bool {
	if _, found := slices.BinarySearch(s.Spec.Members, id); found {
		return true
	}
	return !slices.IsSorted(s.Spec.Members) && slices.Contains(s.Spec.Members, id)
}

// slicesOf are the slices of the epoch that the group names. Until all are there, complete is false and nothing may be
// concluded from one that is missing.
func (k kube) slicesOf(ctx context.Context, g *v1alpha1.ScimGroup) (
	found []*v1alpha1.ScimMemberSlice, complete bool, err error,
) {
	m := g.Spec.Membership
	if m == nil {
		return nil, true, nil
	}
	complete = true
	for shard := range m.Shards {
		s, err := find[v1alpha1.ScimMemberSlice](ctx, k, g.Namespace, v1alpha1.SliceName(g.Name, m.Epoch, shard))
		if err != nil {
			return nil, false, err
		}
		if s == nil {
			complete = false
			continue
		}
		found = append(found, s)
	}
	return found, complete, nil
}

// countMembers adds up the members of slices.
func countMembers(parts []*v1alpha1.ScimMemberSlice) int32 {
	n := 0
	for _, s := range parts {
		n += len(s.Spec.Members)
	}
	return int32(n)
}

// changedMembers are the ids that are in one of the lists and not in the other.
func changedMembers(before, after []string) (gone, come []string) {
	had := make(map[string]bool, len(before))
	for _, id := range before {
		had[id] = true
	}
	for _, id := range after {
		if !had[id] {
			come = append(come, id)
		}
		delete(had, id)
	}
	for _, id := range before {
		if had[id] {
			gone = append(gone, id)
			delete(had, id)
		}
	}
	return gone, come
}
