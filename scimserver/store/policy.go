package store

import "github.com/scim-operator/scim-operator/api/v1alpha1"

// policy is what a ScimDirectory says about its users and groups, with what it leaves out. It is shared, and never modified.
type policy struct {
	users  v1alpha1.UsersPolicy
	groups v1alpha1.GroupsPolicy
}

func policyOf(d *v1alpha1.ScimDirectory) *policy {
	return &policy{users: d.Spec.Users.WithDefaults(), groups: d.Spec.Groups.WithDefaults()}
}

// defaults are the policy of a directory that says nothing, or is gone.
var defaults = policyOf(&v1alpha1.ScimDirectory{})

// policy returns what the directory says now. An operation asks once, so that all its steps go by the same.
func (d *Directory) policy() (p *policy) {
	d.read(func(ix *directoryIndex) { p = ix.policy })
	return p
}
