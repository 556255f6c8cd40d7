package controllers

import (
	"slices"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// isMirror says whether a group only shows a role of the app, for the identity provider to link.
func isMirror(g *v1alpha1.ScimGroup) bool { return g.Spec.Origin == v1alpha1.OriginApp }

// groupsAreRoles says whether the groups of a directory are roles of the app.
func groupsAreRoles(d *v1alpha1.ScimDirectory) bool {
	return d.Spec.Groups.WithDefaults().Meaning == v1alpha1.GroupsAreRoles
}

// reserves says whether a directory keeps this name of a group for the app.
func reserves(d *v1alpha1.ScimDirectory, displayName string) bool {
	if len(d.Spec.Groups.Reserved) == 0 {
		return false
	}
	folded := schema.Fold(displayName)
	return slices.ContainsFunc(d.Spec.Groups.Reserved, func(name string) bool { return schema.Fold(name) == folded })
}

// linked says whether a group of the directory grants the role that its roleRef names.
func linked(g *v1alpha1.ScimGroup, d *v1alpha1.ScimDirectory) bool {
	return g.Spec.RoleRef != nil && !isMirror(g) && groupsAreRoles(d)
}

// madeFor names the group that a role was made for, and its directory; "" for a role that an administrator made. One whose
// grantedTo no longer names the group has become the administrator's.
func madeFor(role *v1alpha1.AppRole) (directory, group string) {
	group = role.Labels[v1alpha1.RoleOfGroupLabel]
	for _, s := range role.Spec.GrantedTo {
		if group != "" && s.Name == group {
			return s.Directory, group
		}
	}
	return "", ""
}
