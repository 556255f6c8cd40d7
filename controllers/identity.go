package controllers

import (
	"context"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// identified is a person as a ScimUser or an AppMembership tells of them.
type identified interface {
	Identify(by v1alpha1.UserIdentifier) string
}

// memberKey is what the index of an identifier holds of AppMemberships.
func memberKey(who identified, by v1alpha1.UserIdentifier) string {
	return schema.Fold(who.Identify(by))
}

// userKey is what the index of an identifier holds of ScimUsers. No directory's name holds a slash.
func userKey(directory string, who identified, by v1alpha1.UserIdentifier) string {
	return directory + "/" + memberKey(who, by)
}

// uniqueBy are the identifiers that no two users of a directory may share.
func uniqueBy(p v1alpha1.UsersPolicy) []v1alpha1.UserIdentifier {
	if p.WithDefaults().Identifier == v1alpha1.IdentifierEmail {
		return []v1alpha1.UserIdentifier{v1alpha1.IdentifierUserName, v1alpha1.IdentifierEmail}
	}
	return []v1alpha1.UserIdentifier{v1alpha1.IdentifierUserName}
}

// sameToAll says whether two versions of a person are the same person under every policy.
func sameToAll(a, b identified) bool {
	return memberKey(a, v1alpha1.IdentifierUserName) == memberKey(b, v1alpha1.IdentifierUserName) &&
		memberKey(a, v1alpha1.IdentifierEmail) == memberKey(b, v1alpha1.IdentifierEmail)
}

// fromApp says whether a user stands for a local member, and so is nobody whom an identity provider provisioned.
func fromApp(u *v1alpha1.ScimUser) bool { return u.Spec.Origin == v1alpha1.OriginApp }

// stranger says whether a member was another person than the user, although they share an identifier: the identity provider
// tells them apart. An address may be given to a new person.
func stranger(m *v1alpha1.AppMembership, u *v1alpha1.ScimUser) bool {
	known := m.Spec.User.ExternalID
	return known != "" && u.Spec.ExternalID != "" && known != u.Spec.ExternalID
}

// mayTakeOver says whether a user of the directory in charge may take over a member of the same identifier: a local one, one
// of a directory that is not in charge, or one whose user is gone. Of these last, not a stranger's: what was granted by hand
// was granted to somebody else, and stays on record, inactive.
func mayTakeOver(u *v1alpha1.ScimUser, m *v1alpha1.AppMembership, itsUserGone bool) bool {
	switch {
	case m.Spec.UserRef == nil:
		return true
	case itsUserGone:
		return !stranger(m, u)
	default:
		return m.Spec.UserRef.Directory != u.Spec.DirectoryRef.Name
	}
}

// rejects says whether a directory's policy keeps its users from taking over a member, which may be none.
func rejects(d *v1alpha1.ScimDirectory, m *v1alpha1.AppMembership) bool {
	return m != nil && m.Spec.UserRef == nil && d.Spec.Users.Existing == v1alpha1.ExistingReject
}

// namesakes are the users that the identity provider of a directory provisioned and that share an identifier with a person.
func (k kube) namesakes(ctx context.Context, namespace, directory string, who identified, by v1alpha1.UserIdentifier,
) ([]*v1alpha1.ScimUser, error) {
	var list v1alpha1.ScimUserList
	if err := k.list(ctx, &list, namespace, string(by), userKey(directory, who, by)); err != nil {
		return nil, err
	}
	users := make([]*v1alpha1.ScimUser, 0, len(list.Items))
	for i := range list.Items {
		if u := &list.Items[i]; !fromApp(u) {
			users = append(users, u)
		}
	}
	return users, nil
}

// sharing are the users of a directory that share with a person what its policy says must be unique.
func (k kube) sharing(ctx context.Context, d *v1alpha1.ScimDirectory, who identified) ([]*v1alpha1.ScimUser, error) {
	var all []*v1alpha1.ScimUser
	for _, by := range uniqueBy(d.Spec.Users) {
		users, err := k.namesakes(ctx, d.Namespace, d.Name, who, by)
		if err != nil {
			return nil, err
		}
		all = append(all, users...)
	}
	return all, nil
}

// userConflict names the user of the directory that holds before u what must be unique in it.
func (k kube) userConflict(ctx context.Context, d *v1alpha1.ScimDirectory, u *v1alpha1.ScimUser) (string, error) {
	users, err := k.sharing(ctx, d, &u.Spec)
	return holderBefore(u, users), err
}

// freeMembers are the members that a user may take over, when d, the user's directory, is in charge: the local one that the
// identity provider found the user by, else those of the user's identifier.
func (k kube) freeMembers(ctx context.Context, d *v1alpha1.ScimDirectory, u *v1alpha1.ScimUser,
) ([]*v1alpha1.AppMembership, error) {
	if ref := u.Spec.MemberRef; ref != nil {
		m, err := find[v1alpha1.AppMembership](ctx, k, u.Namespace, ref.Name)
		if err != nil || isLocal(m) {
			return []*v1alpha1.AppMembership{m}, err
		}
	}
	by := d.Spec.Users.WithDefaults().Identifier
	same, err := k.membersBy(ctx, u.Namespace, string(by), memberKey(&u.Spec, by))
	if err != nil {
		return nil, err
	}
	var free []*v1alpha1.AppMembership
	for _, m := range same {
		gone := false
		if ref := m.Spec.UserRef; ref != nil {
			its, err := find[v1alpha1.ScimUser](ctx, k, m.Namespace, ref.Name)
			if err != nil {
				return nil, err
			}
			gone = its == nil || deleting(its)
		}
		if mayTakeOver(u, m, gone) {
			free = append(free, m)
		}
	}
	return free, nil
}

// heirs are the users of the directory in charge, by its identifier, to whom a person's member may go.
func (k kube) heirs(ctx context.Context, charge *v1alpha1.ScimDirectory, who identified) ([]*v1alpha1.ScimUser, error) {
	if charge == nil {
		return nil, nil
	}
	return k.namesakes(ctx, charge.Namespace, charge.Name, who, charge.Spec.Users.WithDefaults().Identifier)
}

// heirWaits says whether one of the heirs, other than the user id, has yet to become a member: it will take over the one of
// the user id.
func (k kube) heirWaits(ctx context.Context, charge *v1alpha1.ScimDirectory, heirs []*v1alpha1.ScimUser, id string,
) (bool, error) {
	for _, u := range heirs {
		if u.Name == id || deleting(u) {
			continue
		}
		if waits, err := k.willJoin(ctx, charge, u); err != nil || waits {
			return waits, err
		}
	}
	return false, nil
}

// willJoin says whether a user of the directory in charge has no member yet, and nothing to keep it from one.
func (k kube) willJoin(ctx context.Context, charge *v1alpha1.ScimDirectory, u *v1alpha1.ScimUser) (bool, error) {
	conflict, err := k.userConflict(ctx, charge, u)
	if err != nil || conflict != "" {
		return false, err
	}
	members, err := k.membersBy(ctx, u.Namespace, byUser, u.Name)
	if err != nil || len(members) > 0 {
		return false, err
	}
	free, err := k.freeMembers(ctx, charge, u)
	return !rejects(charge, chooseMember(person{id: u.Name, free: free})), err
}

// directoryInCharge is the directory whose users and groups grant access in a namespace, or nil.
func (k kube) directoryInCharge(ctx context.Context, namespace string) (*v1alpha1.ScimDirectory, error) {
	primary, err := k.primaryOf(ctx, namespace)
	if err != nil || primary == "" {
		return nil, err
	}
	return find[v1alpha1.ScimDirectory](ctx, k, namespace, primary)
}
