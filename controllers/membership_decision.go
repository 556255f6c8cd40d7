package controllers

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// person is everything that decides about one ScimUser's access.
type person struct {
	namespace, id string
	// user is nil when the person is gone.
	user *v1alpha1.ScimUser
	// directory is the user's, or, when the user is gone, the one of the own members. It is nil when it does not exist.
	directory *v1alpha1.ScimDirectory
	// primary names the directory in charge.
	primary string
	// conflict names the user of the directory that holds the same userName, or identifier, before this one.
	conflict string
	// heirWaits says that another user with this identifier, in the directory in charge, has yet to take the own member over.
	heirWaits bool
	// roles are the roles that the directory grants, with the person's standing in each of their groups.
	roles []grantingRole
	// own are the members that are provisioned from this user, free those of the same identifier that it may take.
	own, free []*v1alpha1.AppMembership
	// has are the roles that the operator granted to the member that the person has, sorted.
	has []string
}

// action is what is to be done about a person's access.
type action int

const (
	leave     action = iota // somebody else sees to it
	provision               // the member is to be as the decision says
	release                 // what the operator granted is to be taken away
)

// decision is what a person's access is to be, and how the user's status explains it.
type decision struct {
	action action
	// member is the AppMembership to provision; nil means to make one.
	member *v1alpha1.AppMembership
	active bool
	grants []v1alpha1.RoleGrant
	// kept is what the person keeps for now although it is to be taken away.
	kept keep
	// again says that a group could not be read yet.
	again bool
	ready readiness
}

// decideMembership decides about one person's access. A directory from a backup takes access away, and gives none.
func decideMembership(p person) decision {
	d := decideByDirectory(p)
	if d.action == provision && restored(p.directory) {
		return d.withoutGains(p)
	}
	return d
}

// decideByDirectory decides about one person's access by what the directory says.
func decideByDirectory(p person) decision {
	if p.user != nil && fromApp(p.user) {
		return decision{action: leave} // it shows a local member, who has access without it
	}
	if p.directory != nil && deleting(p.directory) {
		return decision{action: leave} // its finalizer decides what becomes of its people
	}
	gone := decision{action: release}
	if p.heirWaits {
		gone.action = leave // the heir takes the member over, so that the person never loses a role that both have
	}
	switch {
	case p.user == nil:
		return gone
	case p.directory == nil:
		gone.ready = readiness{progress: stalled, reason: v1alpha1.ReasonDirectoryNotFound,
			message: "ScimDirectory " + p.user.Spec.DirectoryRef.Name + " does not exist; create it, or delete this user"}
		return gone
	case p.conflict != "":
		gone.ready = readiness{progress: stalled, reason: v1alpha1.ReasonConflict,
			message: "ScimUser " + p.conflict + " of this directory has the same " + uniqueInWords(p.directory) +
				" and is not younger; " +
				"rename or delete one of them in the identity provider"}
		return gone
	case p.primary == "" && asks(p.directory):
		return decision{action: leave} // its election is under way, such as after a restore without status
	case p.directory.Name != p.primary:
		gone.ready = readiness{reason: v1alpha1.ReasonNotPrimary,
			message: "ScimDirectory " + p.directory.Name + " is not the primary one and grants nothing"}
		return gone
	}
	d := decision{action: provision, member: chooseMember(p), active: p.user.Spec.Active}
	if rejects(p.directory, d.member) {
		gone.ready = readiness{progress: stalled, reason: v1alpha1.ReasonLocalMemberExists,
			message: "AppMembership " + d.member.Name + " is a local member with the same " +
				string(p.directory.Spec.Users.WithDefaults().Identifier) + ", and users.existing of ScimDirectory " +
				p.directory.Name + " is Reject; delete that AppMembership or change its user, or set users.existing to Adopt"}
		return gone
	}
	if !d.active {
		d.ready = readiness{ready: true, reason: v1alpha1.ReasonDeactivated,
			message: "the identity provider deactivated this user"}
		return d
	}
	d.ready = readiness{ready: true, reason: v1alpha1.ReasonProvisioned, message: "the user is a member of the app"}
	for _, g := range decideGrants(p.roles) {
		d.again = d.again || g.held
		if _, had := slices.BinarySearch(p.has, g.Role); !g.held || had {
			d.grants = append(d.grants, g.RoleGrant)
		}
	}
	granted := len(d.grants)
	d.grants = fitting(d.grants, p.has, d.member)
	if withheld := granted - len(d.grants); withheld > 0 {
		d.ready = readiness{progress: stalled, reason: v1alpha1.ReasonTooManyRoles, message: fmt.Sprintf(
			"%d of the %d roles that the groups grant are withheld, because one AppMembership holds at most %d, with those "+
				"granted by others; grant fewer roles to the groups of this user", withheld, granted, v1alpha1.MaxRoles)}
	}
	return d
}

// fitting are the grants for which a member has room beside the roles that others granted to it: those of roles that it has
// before new ones, so that nobody loses one role to another. Without this the API server would refuse the whole member, and
// with it every role that is to be taken away.
func fitting(grants []v1alpha1.RoleGrant, has []string, m *v1alpha1.AppMembership) []v1alpha1.RoleGrant {
	if m == nil {
		m = &v1alpha1.AppMembership{}
	}
	granted := map[string]bool{}
	for _, g := range grants {
		granted[g.Role] = true
	}
	room, present := v1alpha1.MaxRoles, map[string]bool{}
	for _, role := range m.Spec.Roles {
		present[role] = true
		if _, ours := slices.BinarySearch(has, role); !ours && !granted[role] {
			room--
		}
	}
	if len(grants) <= room {
		return grants
	}
	var old, added []v1alpha1.RoleGrant
	for _, g := range grants {
		if present[g.Role] {
			old = append(old, g)
		} else {
			added = append(added, g)
		}
	}
	kept := append(old, added...)[:room]
	slices.SortFunc(kept, func(a, b v1alpha1.RoleGrant) int { return cmp.Compare(a.Role, b.Role) })
	return kept
}

// chooseMember picks the AppMembership that is, or becomes, the person's: the own one, else one that another directory
// provisioned, else a local one.
func chooseMember(p person) *v1alpha1.AppMembership {
	rank := func(m *v1alpha1.AppMembership) int {
		switch {
		case m.Spec.UserRef == nil:
			return 2
		case m.Name != p.id:
			return 1
		default:
			return 0
		}
	}
	better := func(a, b *v1alpha1.AppMembership) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Name, b.Name))
	}
	switch {
	case len(p.own) > 0:
		return slices.MinFunc(p.own, better)
	case len(p.free) > 0:
		return slices.MinFunc(p.free, better)
	default:
		return nil
	}
}

// uniqueInWords says what no two users of a directory may share.
func uniqueInWords(d *v1alpha1.ScimDirectory) string {
	if d.Spec.Users.Identifier == v1alpha1.IdentifierEmail {
		return "userName or e-mail address"
	}
	return "userName"
}

// roleNames are the roles of grants, in their order.
func roleNames(grants []v1alpha1.RoleGrant) []string {
	names := make([]string, 0, len(grants))
	for _, g := range grants {
		names = append(names, g.Role)
	}
	return names
}

// identityOf says who a user is to the app.
func identityOf(u *v1alpha1.ScimUser) v1alpha1.MemberIdentity {
	return v1alpha1.MemberIdentity{
		UserName: u.Spec.UserName, Email: u.Spec.PrimaryEmail(),
		DisplayName: u.Spec.DisplayName, ExternalID: u.Spec.ExternalID,
	}
}
