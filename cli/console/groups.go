package console

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/cli/view"
	"github.com/scim-operator/scim-operator/scimserver/schema"
	"github.com/scim-operator/scim-operator/scimserver/store"
)

type groupsBody struct {
	*v1alpha1.ScimDirectory
	search
	Groups []*v1alpha1.ScimGroup
}

// groups lists a directory's groups, or some of them.
func (c *console) groups(ctx context.Context, v *visit) error {
	d, err := v.open(ctx, "groups")
	if err != nil {
		return err
	}
	if err := v.allowed(ctx, "scimgroups", "groups"); err != nil {
		return err
	}
	s := searchOf(v)
	query := &store.GroupQuery{}
	if s.Word != "" {
		word := schema.Fold(s.Word)
		query.Match = func(g *store.Group) bool { return strings.HasPrefix(schema.Fold(g.DisplayName), word) }
	}
	ids, total, err := v.found(ctx, d.Name, store.Query{Groups: query, Start: (s.Page - 1) * pageLength, Count: pageLength})
	if err != nil {
		return err
	}
	s.Total = total
	body := groupsBody{ScimDirectory: d, search: s}
	if body.Groups, err = read[v1alpha1.ScimGroup](ctx, v, ids); err != nil {
		return err
	}
	return v.show("groups", "Groups of "+d.Name, body)
}

type groupBody struct {
	*v1alpha1.ScimGroup
	search
	People []*v1alpha1.ScimUser
	Nested []*v1alpha1.ScimGroup
	// Hidden says why no members are shown.
	Hidden string
}

// group shows one with its members.
func (c *console) group(ctx context.Context, v *visit) error {
	d, err := v.open(ctx, "groups")
	if err != nil {
		return err
	}
	g, err := view.Find[v1alpha1.ScimGroup](ctx, v.Reader, v.path("id"))
	if err != nil {
		return err
	}
	if g == nil || g.Spec.DirectoryRef.Name != d.Name {
		return errNotFound
	}
	body := groupBody{ScimGroup: g, search: searchOf(v)}
	if err := v.members(ctx, &body); err != nil {
		var hidden *forbidden
		if !errors.As(err, &hidden) {
			return err
		}
		body.Hidden = sentence(hidden)
	}
	v.frame.Crumbs = append(v.frame.Crumbs, link{Text: "Groups", Path: directoryPath(d.Namespace, d.Name, "groups")})
	return v.show("group", view.Printable(g.Spec.DisplayName), body)
}

// members reads a page of a group's members. It returns a *forbidden when the person may not see who they are.
func (v *visit) members(ctx context.Context, body *groupBody) error {
	for _, resource := range []string{"scimmemberslices", "scimusers", "scimgroups"} {
		if err := v.allowed(ctx, resource, "members"); err != nil {
			return err
		}
	}
	if err := v.console.Store.Fresh(); err != nil {
		return err
	}
	whole, err := v.console.Store.Directory(v.Namespace, body.Spec.DirectoryRef.Name).Group(ctx, body.ScimGroup.Name, true)
	if errors.Is(err, store.ErrNotFound) {
		return errNotFound
	}
	if err != nil {
		return err
	}
	// Groups in the group stand before its people.
	slices.SortStableFunc(whole.Members, func(a, b store.Member) int { return strings.Compare(a.Type, b.Type) })
	body.Total = len(whole.Members)
	var people, groups []string
	for _, m := range whole.Members[min(max(body.First()-1, 0), body.Total):body.Last()] {
		if m.Type == "Group" {
			groups = append(groups, m.Value)
		} else {
			people = append(people, m.Value)
		}
	}
	if body.Nested, err = read[v1alpha1.ScimGroup](ctx, v, groups); err != nil {
		return err
	}
	body.People, err = read[v1alpha1.ScimUser](ctx, v, people)
	return err
}
