package store

import (
	"slices"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

var (
	errReserved = &UniquenessError{Attribute: "displayName", Detail: "this displayName is reserved by the app " +
		"(groups.reserved of the ScimDirectory): no group of the identity provider can be called so; choose another name"}
	errRole = &UniquenessError{Attribute: "displayName", Detail: "the app has a role of this displayName, which only a new " +
		"group takes over, and only where groups.existing of the ScimDirectory is Adopt; choose another name"}
	errRename = schema.Errorf(schema.Mutability, "displayName: the groups of this directory cannot be renamed "+
		"(groups.rename of the ScimDirectory is Reject); send the name that the group has")
)

// reserves says whether the app keeps the name for itself. Upper and lower case are the same.
func (p *policy) reserves(name string) bool {
	folded := schema.Fold(name)
	return slices.ContainsFunc(p.groups.Reserved, func(r string) bool { return schema.Fold(r) == folded })
}

// groupName decides what a group is called when the identity provider calls it sent. The same name in other case is no other
// name: it is stored where renames are, and refused nowhere.
func (p *policy) groupName(old *v1alpha1.ScimGroup, sent string) (string, error) {
	now := old.Spec.DisplayName
	renamed := schema.Fold(sent) != schema.Fold(now)
	switch {
	case (renamed || isMirror(old)) && p.reserves(sent):
		return now, errReserved
	case p.groups.Rename == v1alpha1.RenameAccept:
		return sent, nil
	case renamed && p.groups.Rename == v1alpha1.RenameReject:
		return now, errRename
	default:
		return now, nil
	}
}
