package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/cli/view"
)

const (
	// fewMembers is up to how many members are asked for one by one instead of by reading all users.
	fewMembers = 300
	// askedAtOnce is how many of them at a time.
	askedAtOnce = 16
)

// member is a direct member of a group.
type member struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Shown  string `json:"displayName,omitempty"`
	Active bool   `json:"active"`
}

func (s *session) groupMembersCommand() *cobra.Command {
	var directory string
	command := &cobra.Command{
		Use:               "members GROUP",
		Short:             "List the members of a group: people, and groups in it",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.completingGroups(),
		RunE: func(command *cobra.Command, args []string) error {
			ctx := command.Context()
			c, err := s.connect()
			if err != nil {
				return err
			}
			if err := c.expect(command, directory); err != nil {
				return err
			}
			g, err := c.group(ctx, args[0], directory)
			if err != nil {
				return err
			}
			list := &rows[member]{
				session: s,
				name:    func(m member) string { return nameOf(m.Kind, m.ID) },
				object:  func(m member) any { return m },
				columns: []column[member]{
					{"MEMBER", false, func(m member) text { return plain(m.Name) }},
					{"NAME", false, func(m member) text { return orDash(m.Shown) }},
					{"KIND", false, func(m member) text {
						return plain(map[string]string{view.KindUser: "user", view.KindGroup: "group"}[m.Kind])
					}},
					{"ACTIVE", false, func(m member) text { return yesNo(m.Active) }},
					{"ID", true, func(m member) text { return plain(m.ID) }},
				},
			}
			if err := c.members(ctx, g, func(some []member) error {
				for _, m := range some {
					if err := list.add(m); err != nil {
						return err
					}
				}
				list.flush()
				return nil
			}); err != nil {
				return err
			}
			list.end(fmt.Sprintf("Group %q has no members.", g.Spec.DisplayName))
			return nil
		},
	}
	s.bindDirectory(command, &directory)
	return command
}

// members visits the direct members of a group, some at a time. Ids of resources that are gone are left out.
func (c *cluster) members(ctx context.Context, g *v1alpha1.ScimGroup, visit func([]member) error) error {
	people, groups, err := c.MemberIDs(ctx, g)
	if err != nil {
		return err
	}
	var nested []member
	for _, id := range groups {
		in, err := view.Find[v1alpha1.ScimGroup](ctx, c.Reader, id)
		if err != nil {
			return err
		}
		if in != nil {
			nested = append(nested, member{ID: id, Kind: view.KindGroup, Name: in.Spec.DisplayName, Active: true})
		}
	}
	if len(people) > fewMembers {
		if err := visit(nested); err != nil {
			return err
		}
		return c.membersAmongAll(ctx, people, visit)
	}
	found := make([]*v1alpha1.ScimUser, len(people))
	asking, ctx := errgroup.WithContext(ctx)
	asking.SetLimit(askedAtOnce)
	for i, id := range people {
		asking.Go(func() (err error) {
			found[i], err = view.Find[v1alpha1.ScimUser](ctx, c.Reader, id)
			return err
		})
	}
	if err := asking.Wait(); err != nil {
		return err
	}
	var some []member
	for _, u := range found {
		if u != nil {
			some = append(some, personOf(u))
		}
	}
	slices.SortFunc(some, byName)
	return visit(append(nested, some...))
}

func (c *cluster) membersAmongAll(ctx context.Context, ids []string, visit func([]member) error) error {
	wanted := make(map[string]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	return view.Pages(ctx, c.Reader, func(page *v1alpha1.ScimUserList) error {
		var some []member
		for i := range page.Items {
			if wanted[page.Items[i].Name] {
				some = append(some, personOf(&page.Items[i]))
			}
		}
		return visit(some)
	})
}

func personOf(u *v1alpha1.ScimUser) member {
	return member{ID: u.Name, Kind: view.KindUser, Name: u.Spec.UserName, Shown: view.FullName(u), Active: u.Spec.Active}
}

func byName(a, b member) int { return strings.Compare(a.Name, b.Name) }
