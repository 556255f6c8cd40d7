package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/cli/view"
)

func (s *session) groupsCommand() *cobra.Command {
	return parent("groups", "Groups as identity providers push them", s.groupsListCommand(), s.groupsShowCommand())
}

func (s *session) groupCommand() *cobra.Command {
	return parent("group", "One group", s.groupMembersCommand())
}

func (s *session) completingGroups() cobra.CompletionFunc {
	return s.completing(func(ctx context.Context, c *cluster) (names []string, err error) {
		return names, view.Pages(ctx, c.Reader, func(page *v1alpha1.ScimGroupList) error {
			for i := range page.Items {
				names = append(names, page.Items[i].Spec.DisplayName)
			}
			return nil
		})
	})
}

func (s *session) groupsListCommand() *cobra.Command {
	var directory string
	command := &cobra.Command{
		Use:   "list",
		Short: "List groups",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			if err := c.expect(command, directory); err != nil {
				return err
			}
			list := &rows[*v1alpha1.ScimGroup]{
				session: s,
				name:    func(g *v1alpha1.ScimGroup) string { return nameOf(view.KindGroup, g.Name) },
				object:  func(g *v1alpha1.ScimGroup) any { return whole(view.KindGroup, g) },
				columns: []column[*v1alpha1.ScimGroup]{
					{"GROUP", false, func(g *v1alpha1.ScimGroup) text { return plain(g.Spec.DisplayName) }},
					{"MEMBERS", false, func(g *v1alpha1.ScimGroup) text { return number(g.Status.Members) }},
					{"ROLES", false, func(g *v1alpha1.ScimGroup) text { return orDash(strings.Join(g.Status.Roles, ",")) }},
					{"DIRECTORY", false, func(g *v1alpha1.ScimGroup) text { return plain(g.Spec.DirectoryRef.Name) }},
					{"STATE", false, func(g *v1alpha1.ScimGroup) text { return verdict(g.Status.Conditions) }},
					{"AGE", false, func(g *v1alpha1.ScimGroup) text { return age(g.CreationTimestamp) }},
					{"EXTERNALID", true, func(g *v1alpha1.ScimGroup) text { return orDash(g.Spec.ExternalID) }},
					{"ID", true, func(g *v1alpha1.ScimGroup) text { return plain(g.Name) }},
				},
			}
			if err := view.Pages(command.Context(), c.Reader, func(page *v1alpha1.ScimGroupList) error {
				return addAll(list, slices.DeleteFunc(page.Items, func(g v1alpha1.ScimGroup) bool {
					return directory != "" && g.Spec.DirectoryRef.Name != directory
				}))
			}); err != nil {
				return err
			}
			list.end(fmt.Sprintf("There are no groups in namespace %q yet.", c.Namespace))
			return nil
		},
	}
	s.bindDirectory(command, &directory)
	return command
}

func (s *session) groupsShowCommand() *cobra.Command {
	var directory string
	command := &cobra.Command{
		Use:               "show GROUP",
		Short:             "Show a group: by displayName or id",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.completingGroups(),
		RunE: func(command *cobra.Command, args []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			if err := c.expect(command, directory); err != nil {
				return err
			}
			g, err := c.group(command.Context(), args[0], directory)
			if err != nil {
				return err
			}
			return s.show(whole(view.KindGroup, g), nameOf(view.KindGroup, g.Name), func() error {
				s.line("%s", bold(g.Spec.DisplayName))
				s.field("Members", fmt.Sprintf("%d; `kubectl scim group members` lists them", g.Status.Members))
				s.field("Roles", strings.Join(g.Status.Roles, ", "))
				s.field("Directory", g.Spec.DirectoryRef.Name)
				s.line("%-13s%s", "State", verdict(g.Status.Conditions))
				s.field("", view.Message(g.Status.Conditions))
				s.field("External id", g.Spec.ExternalID)
				s.field("Id", g.Name)
				return nil
			})
		},
	}
	s.bindDirectory(command, &directory)
	return command
}
