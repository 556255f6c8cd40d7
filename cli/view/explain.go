package view

import (
	"context"
	"slices"
	"strings"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// Explanation says which roles a person has and has not, and why.
type Explanation struct {
	UserName    string       `json:"userName"`
	DisplayName string       `json:"displayName,omitempty"`
	ID          string       `json:"id,omitempty"`
	Directory   string       `json:"directory,omitempty"`
	Active      bool         `json:"active"`
	Reason      string       `json:"reason"`
	Message     string       `json:"message"`
	Roles       []RoleReason `json:"roles"`

	Kind string `json:"-"` // of the object with this id
}

// RoleReason says why a person has a role, or has it not.
type RoleReason struct {
	Role    string   `json:"role"`
	Has     bool     `json:"has"`
	Because []string `json:"because"`
}

// Explain explains the roles of a person of whom there is a user, a member, or both.
func (a *Access) Explain(ctx context.Context, u *v1alpha1.ScimUser, m *v1alpha1.AppMembership) (*Explanation, error) {
	e := &Explanation{Roles: []RoleReason{}, Kind: KindMembership}
	if m != nil {
		e.UserName, e.DisplayName, e.ID, e.Active = m.Spec.User.UserName, m.Spec.User.DisplayName, m.Name, m.Spec.Active
		e.Directory = m.Status.ManagedBy
		e.Reason, e.Message = Reason(m.Status.Conditions), Message(m.Status.Conditions)
	}
	if u != nil {
		e.Kind = KindUser
		e.UserName, e.DisplayName, e.ID, e.Directory = u.Spec.UserName, FullName(u), u.Name, u.Spec.DirectoryRef.Name
		e.Reason, e.Message = Reason(u.Status.Conditions), Message(u.Status.Conditions)
	}
	roles, err := a.Roles(ctx)
	if err != nil {
		return nil, err
	}
	primary, err := a.Primary(ctx)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for i := range roles {
		r := &roles[i]
		known[r.Name] = true
		one := RoleReason{Role: r.Name}
		if m != nil && slices.Contains(m.Spec.Roles, r.Name) {
			one.Has = e.Active
			one.Because, err = a.whyRole(ctx, u, m, r, primary)
		} else {
			one.Because, err = a.whyNot(ctx, u, m, r, primary)
		}
		if err != nil {
			return nil, err
		}
		e.Roles = append(e.Roles, one)
	}
	if m != nil {
		for _, name := range m.Spec.Roles {
			if !known[name] {
				e.Roles = append(e.Roles, RoleReason{name, e.Active, []string{"no AppRole of this name exists"}})
			}
		}
	}
	slices.SortStableFunc(e.Roles, func(x, y RoleReason) int {
		switch {
		case x.Has == y.Has:
			return strings.Compare(x.Role, y.Role)
		case x.Has:
			return -1
		default:
			return 1
		}
	})
	return e, nil
}

// Primary is the name of the directory that grants access in the namespace; empty if none does.
func (a *Access) Primary(ctx context.Context) (string, error) {
	directories, err := a.Directories(ctx)
	for i := range directories {
		if directories[i].Status.Primary {
			return directories[i].Name, nil
		}
	}
	return "", err
}

// whyRole explains a role that a member has.
func (a *Access) whyRole(ctx context.Context, u *v1alpha1.ScimUser, m *v1alpha1.AppMembership, r *v1alpha1.AppRole, primary string) ([]string, error) {
	var because []string
	if !m.Spec.Active {
		because = append(because, "it counts for nothing, because the person is deactivated")
	}
	grants, err := a.reasons(ctx, u, m, r, primary)
	if err != nil {
		return nil, err
	}
	because = append(because, grants...)
	hands, err := grantedBy(m, r.Name)
	if err != nil {
		return nil, err
	}
	for _, h := range hands {
		because = append(because, h.String())
	}
	if len(because) == 0 {
		because = append(because, "granted a moment ago; the status does not say yet by what")
	}
	return because, nil
}

// reasons explain what the directory granted, or what keeps it for now.
func (a *Access) reasons(ctx context.Context, u *v1alpha1.ScimUser, m *v1alpha1.AppMembership, r *v1alpha1.AppRole, primary string) ([]string, error) {
	at := slices.IndexFunc(m.Status.Grants, func(g v1alpha1.RoleGrant) bool { return g.Role == r.Name })
	if at < 0 {
		return nil, nil
	}
	if u != nil && u.Spec.Active {
		because, err := a.grounds(ctx, u, m.Status.Grants[at], r, primary)
		if err != nil || len(because) > 0 {
			return because, err
		}
	}
	switch Reason(m.Status.Conditions) {
	case v1alpha1.ReasonChangesHeld:
		return []string{"kept until the held changes are approved: nothing grants it any more"}, nil
	case v1alpha1.ReasonLastHolder:
		return []string{"kept as its last holder, because AppRole " + r.Name + " is protected: nothing else grants it any more"}, nil
	default:
		return []string{"about to be taken away: nothing grants it any more"}, nil
	}
}

// grounds are what grants a role to an active person now, among what the status of the member names.
func (a *Access) grounds(ctx context.Context, u *v1alpha1.ScimUser, grant v1alpha1.RoleGrant, r *v1alpha1.AppRole, primary string) ([]string, error) {
	var because []string
	if r.Spec.Default {
		because = append(because, "AppRole "+r.Name+" is the default of everybody who is active")
	}
	for _, id := range grant.Groups {
		g, err := a.group(ctx, id)
		if err != nil {
			return nil, err
		}
		if g == nil {
			continue
		}
		way, err := a.path(ctx, g, u.Name)
		if err != nil {
			return nil, err
		}
		if by := rule(r, g, primary); by != "" && way != nil {
			because = append(because, "member of "+strings.Join(way, " › ")+": "+by)
		}
	}
	return because, nil
}

// whyNot explains a role that a person has not.
func (a *Access) whyNot(ctx context.Context, u *v1alpha1.ScimUser, m *v1alpha1.AppMembership, r *v1alpha1.AppRole, primary string) ([]string, error) {
	switch {
	case u == nil && m.Spec.UserRef != nil:
		return []string{"the identity provider removed the person"}, nil
	case u == nil:
		return []string{"nobody granted it by hand"}, nil
	case !u.Spec.Active:
		return []string{"the identity provider deactivated the person"}, nil
	case u.Spec.DirectoryRef.Name != primary:
		return []string{"directory " + u.Spec.DirectoryRef.Name + " is not the primary one and grants nothing"}, nil
	case Reason(u.Status.Conditions) == v1alpha1.ReasonConflict:
		return []string{"the user conflicts with another one and is granted nothing"}, nil
	}
	granting, absent, err := a.granting(ctx, r, primary)
	if err != nil {
		return nil, err
	}
	var because []string
	if len(granting) > 0 {
		because = append(because, "not a member of "+strings.Join(granting, ", "))
	}
	for _, s := range absent {
		because = append(because, "there is no group with "+inSelector(s))
	}
	if len(because) == 0 {
		because = append(because, "no group grants it")
	}
	return because, nil
}

// granting are the names of the groups that grant a role, and the entries that name no group.
func (a *Access) granting(ctx context.Context, r *v1alpha1.AppRole, primary string) (groups []string, absent []v1alpha1.GroupSelector, err error) {
	all, err := a.allGroups(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range r.Spec.GrantedTo {
		before := len(groups)
		for _, g := range all {
			if names(s, g, primary) {
				groups = append(groups, g.Spec.DisplayName)
			}
		}
		if len(groups) == before {
			absent = append(absent, s)
		}
	}
	for _, g := range all {
		if g.Spec.RoleRef != nil && g.Spec.RoleRef.Name == r.Name && g.Spec.DirectoryRef.Name == primary && g.Spec.Origin != v1alpha1.OriginApp {
			groups = append(groups, g.Spec.DisplayName)
		}
	}
	slices.Sort(groups)
	return slices.Compact(groups), absent, nil
}

// allGroups reads all groups, once.
func (a *Access) allGroups(ctx context.Context) ([]*v1alpha1.ScimGroup, error) {
	if a.every != nil {
		return a.every, nil
	}
	a.every = []*v1alpha1.ScimGroup{}
	err := Pages(ctx, a.Reader, func(page *v1alpha1.ScimGroupList) error {
		for i := range page.Items {
			a.every = append(a.every, &page.Items[i])
			a.groups[page.Items[i].Name] = &page.Items[i]
		}
		return nil
	})
	return a.every, err
}
