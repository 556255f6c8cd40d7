package controllers

import (
	"cmp"
	"slices"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// maxGrantGroups bounds the groups that a status lists for one role.
const maxGrantGroups = 100

// selects says whether a selector names the group, while primary is the directory in charge.
func selects(s v1alpha1.GroupSelector, g *v1alpha1.ScimGroup, primary string) bool {
	directory := cmp.Or(s.Directory, primary)
	if directory == "" || g.Spec.DirectoryRef.Name != directory {
		return false
	}
	switch {
	case s.Name != "":
		return g.Name == s.Name
	case s.ExternalID != "":
		return g.Spec.ExternalID == s.ExternalID
	default:
		return schema.Fold(g.Spec.DisplayName) == schema.Fold(s.DisplayName)
	}
}

// rolesGrantedBy are the names of the roles that a group of a directory grants, sorted. A group of a directory that is not
// in charge grants none, nor does one that only shows a role.
func rolesGrantedBy(g *v1alpha1.ScimGroup, d *v1alpha1.ScimDirectory, roles []v1alpha1.AppRole, primary string) []string {
	if g.Spec.DirectoryRef.Name != primary || isMirror(g) {
		return nil
	}
	var names []string
	for i := range roles {
		named := slices.ContainsFunc(roles[i].Spec.GrantedTo, func(s v1alpha1.GroupSelector) bool {
			return selects(s, g, primary)
		})
		named = named || linked(g, d) && g.Spec.RoleRef.Name == roles[i].Name
		if named && !deleting(&roles[i]) {
			names = append(names, roles[i].Name)
		}
	}
	slices.Sort(names)
	return names
}

// standing is what is known of one person's place in one group.
type standing int

const (
	outside standing = iota
	inside
	unknown // the slice that would say so is not visible yet
)

// grantingRole is a role with the groups that grant it now, and the person's standing in each.
type grantingRole struct {
	name      string
	byDefault bool
	standings map[string]standing
}

// grant is one role that a person is to have; held says that it is to stay as it is, had or not had, because a group that
// may grant it cannot be read yet.
type grant struct {
	v1alpha1.RoleGrant
	held bool
}

// decideGrants are the roles of an active person of the directory in charge, sorted by name.
func decideGrants(roles []grantingRole) []grant {
	var grants []grant
	for _, r := range roles {
		var groups []string
		open := false
		for group, s := range r.standings {
			switch s {
			case inside:
				groups = append(groups, group)
			case unknown:
				open = true
			}
		}
		slices.Sort(groups)
		granted := r.byDefault || len(groups) > 0
		if granted || open {
			groups = groups[:min(len(groups), maxGrantGroups)]
			grants = append(grants, grant{v1alpha1.RoleGrant{Role: r.name, Groups: groups}, !granted})
		}
	}
	slices.SortFunc(grants, func(a, b grant) int { return cmp.Compare(a.Role, b.Role) })
	return grants
}
