package store

import (
	"slices"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// identity is the key that says under a policy who a user is. That of email is indexed whatever the policy, so that another
// policy needs no other index.
func identity(by v1alpha1.UserIdentifier, u *v1alpha1.ScimUser) Key {
	return Key{string(by), schema.Fold(u.Spec.Identify(by))}
}

// uniqueOfUser are the userName, which RFC 7643 §4.1.1 has unique, and what identifies the person.
func uniqueOfUser(p *policy, u *v1alpha1.ScimUser) []Key {
	keys := []Key{{"userName", schema.Fold(u.Spec.UserName)}}
	if id := identity(p.users.Identifier, u); id != keys[0] {
		keys = append(keys, id)
	}
	return keys
}

func restoreUser(u, from *v1alpha1.ScimUser, whole bool, keys []Key) {
	if whole {
		from.Spec.DeepCopyInto(&u.Spec)
		return
	}
	for _, k := range keys {
		switch k.Attribute {
		case "userName":
			u.Spec.UserName = from.Spec.UserName
		case string(v1alpha1.IdentifierEmail):
			u.Spec.UserName, u.Spec.Emails = from.Spec.UserName, slices.Clone(from.Spec.Emails)
		}
	}
}
