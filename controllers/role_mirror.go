package controllers

import (
	"cmp"
	"slices"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// scene is everything that decides how a directory shows one role to its identity provider.
type scene struct {
	// role is nil when it is gone, directory when it does not exist.
	role      *v1alpha1.AppRole
	directory *v1alpha1.ScimDirectory
	// groups are those of the directory that are linked to the role, or show it.
	groups []*v1alpha1.ScimGroup
	// namesakes are the directory's other groups of the role's name.
	namesakes []*v1alpha1.ScimGroup
	// instead names the role of the same name that is shown and this one is not.
	instead string
}

// showing is how a directory is to show a role: by the group keep, or a new one, and by no other.
type showing struct {
	keep  *v1alpha1.ScimGroup
	fresh bool
	drop  []*v1alpha1.ScimGroup
}

// decideShowing decides by which group a directory shows a role. Of two that do so, which only a race can leave, the older
// one stays.
func decideShowing(s scene) showing {
	var d showing
	for _, g := range s.groups {
		if isMirror(g) && !deleting(g) {
			d.drop = append(d.drop, g)
		}
	}
	if !isShown(s) {
		return d
	}
	if len(d.drop) == 0 {
		d.fresh = true
		return d
	}
	slices.SortFunc(d.drop, func(a, b *v1alpha1.ScimGroup) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	d.keep, d.drop = d.drop[0], d.drop[1:]
	return d
}

// isShown says whether a directory is to have a group that shows the role: not where a group is linked to it, or is it, and
// not under a name that another one has.
func isShown(s scene) bool {
	if s.role == nil || deleting(s.role) || s.directory == nil || deleting(s.directory) || !groupsAreRoles(s.directory) {
		return false
	}
	if madeIn, _ := madeFor(s.role); madeIn == s.directory.Name {
		return false
	}
	return s.instead == "" && len(s.namesakes) == 0 && !reserves(s.directory, calledInSpec(s.role)) &&
		!slices.ContainsFunc(s.groups, func(g *v1alpha1.ScimGroup) bool { return !isMirror(g) })
}

// firstCalled names the role that is shown instead of this one, among those that are called the same: the oldest, and of
// those the first by name. It is empty when it is this one.
func firstCalled(role *v1alpha1.AppRole, same []v1alpha1.AppRole) string {
	winner := role
	for i := range same {
		other := &same[i]
		if !deleting(other) && cmp.Or(other.CreationTimestamp.Compare(winner.CreationTimestamp.Time),
			cmp.Compare(other.Name, winner.Name)) < 0 {
			winner = other
		}
	}
	if winner.Name == role.Name {
		return ""
	}
	return winner.Name
}

// spread distributes sorted members over as few shards, a power of two, as leave no one with more than splitShard.
func spread(members []string) [][]string {
	for shards := int32(1); ; shards *= 2 {
		parts := make([][]string, shards)
		most := 0
		for _, id := range members {
			home := v1alpha1.HomeShard(id, shards)
			parts[home] = append(parts[home], id)
			most = max(most, len(parts[home]))
		}
		if most <= splitShard || shards == maxShards {
			return parts
		}
	}
}
