package controllers

import (
	"cmp"
	"slices"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// maxDisplayName is how many characters of a display name a ScimUser holds.
const maxDisplayName = 1024

// mirrorDecision is what is to become of the mirrors of one member in one directory: users of origin App, which show a local
// member to the identity provider, or keep its names from being taken.
type mirrorDecision struct {
	// missing says that one is to be made.
	missing bool
	// keep is the one that is to be as the member is.
	keep *v1alpha1.ScimUser
	// reclaims is the one from which the member is provisioned: the SCIM server has taken a take-over back.
	reclaims *v1alpha1.ScimUser
	// superfluous are those to be deleted.
	superfluous []*v1alpha1.ScimUser
}

// decideMirror decides about the mirrors there are, given the member and the directory, of which either may be gone, and
// whether its names are taken there. Of two mirrors, which only a leader that was thought dead can have made, the older stays.
func decideMirror(m *v1alpha1.AppMembership, d *v1alpha1.ScimDirectory, taken bool, there []*v1alpha1.ScimUser) mirrorDecision {
	there = slices.DeleteFunc(slices.Clone(there), func(u *v1alpha1.ScimUser) bool { return deleting(u) })
	for _, u := range there {
		if m != nil && m.Spec.UserRef != nil && m.Spec.UserRef.Name == u.Name && (d == nil || !deleting(d)) {
			return mirrorDecision{reclaims: u}
		}
	}
	if !isLocal(m) || !mirrors(d) || taken {
		return mirrorDecision{superfluous: there}
	}
	if len(there) == 0 {
		return mirrorDecision{missing: true}
	}
	slices.SortFunc(there, func(a, b *v1alpha1.ScimUser) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	return mirrorDecision{keep: there[0], superfluous: there[1:]}
}

// isLocal says whether a member is there and belongs to nobody but the app.
func isLocal(m *v1alpha1.AppMembership) bool {
	return m != nil && !deleting(m) && m.Spec.UserRef == nil
}

// mirrors says whether a directory is there and has a mirror of each local member.
func mirrors(d *v1alpha1.ScimDirectory) bool {
	return d != nil && !deleting(d) && d.Spec.Users.Mirrored()
}

// mirrorSpec is a local member as a user of a directory.
func mirrorSpec(m *v1alpha1.AppMembership, directory string) v1alpha1.ScimUserSpec {
	person := &m.Spec.User
	spec := v1alpha1.ScimUserSpec{
		DirectoryRef: v1alpha1.DirectoryReference{Name: directory},
		Origin:       v1alpha1.OriginApp,
		MemberRef:    &v1alpha1.MemberReference{Name: m.Name},
		UserAttributes: v1alpha1.UserAttributes{
			UserName:    person.UserName,
			DisplayName: shortened(person.DisplayName, maxDisplayName),
			Active:      m.Spec.Active,
		},
	}
	if person.Email != "" {
		spec.Emails = []v1alpha1.MultiValue{{Value: person.Email, Primary: new(true)}}
	}
	return spec
}

// mirrorRoles are the roles that a local member has in the app, sorted.
func mirrorRoles(m *v1alpha1.AppMembership) []string {
	if !m.Spec.Active {
		return nil
	}
	return slices.Sorted(slices.Values(m.Spec.Roles))
}

// shortened are the first characters of a text, at most limit.
func shortened(s string, limit int) string {
	if characters := []rune(s); len(characters) > limit {
		return string(characters[:limit])
	}
	return s
}
