package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

func (s *session) tokenRevokeCommand() *cobra.Command {
	var yes bool
	command := &cobra.Command{
		Use:               "revoke DIRECTORY [NAME]",
		Short:             "End a token at once, on every replica",
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: s.completingTokens(),
		RunE: func(command *cobra.Command, args []string) error {
			ctx := command.Context()
			c, err := s.connect()
			if err != nil {
				return err
			}
			d, err := c.directory(ctx, args[0])
			if err != nil {
				return err
			}
			name, err := oneToken(d, args)
			if err != nil {
				return err
			}
			if !yes {
				question := fmt.Sprintf("End token %s of directory %s?", name, d.Name)
				if len(d.Spec.Tokens) == 1 {
					question = fmt.Sprintf("End token %s, the last one of directory %s? Its identity provider cannot sign in after that.", name, d.Name)
				}
				if err := confirm(question); err != nil {
					return err
				}
			}
			unused := ""
			if err := c.edit(ctx, d, func(d *v1alpha1.ScimDirectory) error {
				unused = end(d, name)
				return nil
			}); err != nil {
				return err
			}
			if err := c.discard(ctx, d, unused); err != nil {
				return err
			}
			s.line("Token %s of directory %s has ended.", name, d.Name)
			return nil
		},
	}
	command.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return command
}
