package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/scim-operator/scim-operator/cli/view"
)

func (s *session) whyCommand() *cobra.Command {
	var directory string
	command := &cobra.Command{
		Use:   "why USER",
		Short: "Explain which roles a person has and has not: through which group, and by which rule",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			ctx := command.Context()
			c, err := s.connect()
			if err != nil {
				return err
			}
			if err := c.expect(command, directory); err != nil {
				return err
			}
			e, err := c.explain(ctx, args[0], directory)
			if err != nil {
				return err
			}
			return s.show(e, nameOf(e.Kind, e.ID), func() error { return s.tell(e) })
		},
	}
	s.bindDirectory(command, &directory)
	return command
}

func (s *session) tell(e *view.Explanation) error {
	from := "a local member, whom no directory manages"
	if e.Directory != "" {
		from = "of directory " + e.Directory
	}
	name := e.UserName
	if e.DisplayName != "" && e.DisplayName != name {
		name += " (" + e.DisplayName + ")"
	}
	access := good("has access")
	if !e.Active {
		access = bad("has no access")
	}
	s.line("%s, %s: %s", bold(name), from, access)
	if e.Message != "" {
		s.line("%s: %s", e.Reason, e.Message)
	}
	s.line("")
	list := &rows[view.RoleReason]{session: s, columns: []column[view.RoleReason]{
		{"ROLE", false, func(r view.RoleReason) text { return plain(r.Role) }},
		{"HAS", false, func(r view.RoleReason) text {
			if r.Has {
				return good("yes")
			}
			return plain("no")
		}},
		{"BECAUSE", false, func(r view.RoleReason) text { return plain(strings.Join(r.Because, "; ")) }},
	}}
	for _, r := range e.Roles {
		if err := list.add(r); err != nil {
			return err
		}
	}
	list.end("There are no roles.")
	return nil
}

// explain finds a person and explains their roles.
func (c *cluster) explain(ctx context.Context, word, directory string) (*view.Explanation, error) {
	u, err := c.user(ctx, word, directory)
	var none *unknown
	if errors.As(err, &none) && directory == "" {
		m, findErr := c.localMember(ctx, word)
		if findErr != nil {
			return nil, findErr
		}
		if m == nil {
			return nil, err
		}
		return c.Access().Explain(ctx, nil, m)
	}
	if err != nil {
		return nil, err
	}
	m, err := c.Membership(ctx, u)
	if err != nil {
		return nil, err
	}
	return c.Access().Explain(ctx, u, m)
}
