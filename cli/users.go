package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/cli/view"
)

func (s *session) usersCommand() *cobra.Command {
	return parent("users", "Users as identity providers push them", s.usersListCommand(), s.usersShowCommand())
}

func (s *session) userRows() *rows[*v1alpha1.ScimUser] {
	return &rows[*v1alpha1.ScimUser]{
		session: s,
		name:    func(u *v1alpha1.ScimUser) string { return nameOf(view.KindUser, u.Name) },
		object:  func(u *v1alpha1.ScimUser) any { return whole(view.KindUser, u) },
		columns: []column[*v1alpha1.ScimUser]{
			{"USERNAME", false, func(u *v1alpha1.ScimUser) text { return plain(u.Spec.UserName) }},
			{"NAME", false, func(u *v1alpha1.ScimUser) text { return orDash(view.FullName(u)) }},
			{"ACTIVE", false, func(u *v1alpha1.ScimUser) text { return yesNo(u.Spec.Active) }},
			{"ROLES", false, func(u *v1alpha1.ScimUser) text { return orDash(strings.Join(u.Status.Roles, ",")) }},
			{"DIRECTORY", false, func(u *v1alpha1.ScimUser) text { return plain(u.Spec.DirectoryRef.Name) }},
			{"STATE", false, func(u *v1alpha1.ScimUser) text { return verdict(u.Status.Conditions) }},
			{"AGE", false, func(u *v1alpha1.ScimUser) text { return age(u.CreationTimestamp) }},
			{"EMAIL", true, func(u *v1alpha1.ScimUser) text { return orDash(u.Spec.PrimaryEmail()) }},
			{"EXTERNALID", true, func(u *v1alpha1.ScimUser) text { return orDash(u.Spec.ExternalID) }},
			{"ID", true, func(u *v1alpha1.ScimUser) text { return plain(u.Name) }},
		},
	}
}

func (s *session) usersListCommand() *cobra.Command {
	var directory string
	command := &cobra.Command{
		Use:   "list",
		Short: "List users",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			if err := c.expect(command, directory); err != nil {
				return err
			}
			list := s.userRows()
			if err := view.Pages(command.Context(), c.Reader, func(page *v1alpha1.ScimUserList) error {
				return addAll(list, slices.DeleteFunc(page.Items, func(u v1alpha1.ScimUser) bool {
					return directory != "" && u.Spec.DirectoryRef.Name != directory
				}))
			}); err != nil {
				return err
			}
			list.end(fmt.Sprintf("There are no users in namespace %q yet.", c.Namespace))
			return nil
		},
	}
	s.bindDirectory(command, &directory)
	return command
}

func (s *session) usersShowCommand() *cobra.Command {
	var directory string
	command := &cobra.Command{
		Use:   "show USER",
		Short: "Show a user: by userName, e-mail address, displayName or id",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			if err := c.expect(command, directory); err != nil {
				return err
			}
			u, err := c.user(command.Context(), args[0], directory)
			if err != nil {
				return err
			}
			return s.show(whole(view.KindUser, u), nameOf(view.KindUser, u.Name), func() error {
				s.showUser(u)
				return nil
			})
		},
	}
	s.bindDirectory(command, &directory)
	return command
}

func (s *session) showUser(u *v1alpha1.ScimUser) {
	s.line("%s", bold(u.Spec.UserName))
	s.field("Name", view.FullName(u))
	s.line("%-13s%s", "Active", yesNo(u.Spec.Active))
	s.field("Title", u.Spec.Title)
	if e := u.Spec.Enterprise; e != nil {
		s.field("Department", e.Department)
	}
	for _, e := range u.Spec.Emails {
		s.field("E-mail", strings.TrimSpace(e.Value+" "+e.Type))
	}
	s.field("Directory", u.Spec.DirectoryRef.Name)
	s.field("Roles", strings.Join(u.Status.Roles, ", "))
	s.line("%-13s%s", "State", verdict(u.Status.Conditions))
	s.field("", view.Message(u.Status.Conditions))
	s.field("External id", u.Spec.ExternalID)
	s.field("Id", u.Name)
}

// field prints what is set.
func (s *session) field(name, value string) {
	if value != "" {
		s.line("%-13s%s", name, value)
	}
}
