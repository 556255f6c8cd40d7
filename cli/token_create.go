package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

func (s *session) tokenCreateCommand() *cobra.Command {
	var lifetime time.Duration
	var scopes []string
	command := &cobra.Command{
		Use:   "create DIRECTORY [NAME]",
		Short: "Make a token and print it, once; the cluster stores its hash",
		Args:  cobra.RangeArgs(1, 2),

		ValidArgsFunction: s.completingDirectories(),
		RunE: func(command *cobra.Command, args []string) error {
			ctx := command.Context()
			entry := v1alpha1.DirectoryToken{}
			for _, scope := range scopes {
				known := []v1alpha1.TokenScope{v1alpha1.ScopeRead, v1alpha1.ScopeWrite}
				at := slices.IndexFunc(known, func(k v1alpha1.TokenScope) bool { return strings.EqualFold(string(k), scope) })
				if at < 0 {
					return fmt.Errorf("--scopes=%s: want Read, Write, or both", scope)
				}
				entry.Scopes = append(entry.Scopes, known[at])
			}
			var err error
			if entry.ExpirationTime, err = expirationOf(lifetime); err != nil {
				return err
			}
			c, err := s.connect()
			if err != nil {
				return err
			}
			d, err := c.directory(ctx, args[0])
			if err != nil {
				return err
			}
			if len(args) > 1 {
				entry.Name = args[1]
			} else if entry.Name = d.Name; tokenAt(d, d.Name) >= 0 {
				entry.Name = freeTokenName(d, d.Name)
			}
			f, err := c.hand(ctx, d, entry, func(*v1alpha1.ScimDirectory) error { return nil })
			if err != nil {
				return err
			}
			if err := s.present(f); err != nil {
				return err
			}
			if err := c.untilValid(ctx, f); err != nil {
				return err
			}
			remark("Token %s of directory %s: this is the only time it is shown. Its hash is in Secret %s.", f.Name, f.Directory, f.Secret)
			if f.BaseURL != "" {
				remark("Base URL: %s", f.BaseURL)
			}
			return nil
		},
	}
	command.Flags().DurationVar(&lifetime, "expires-in", 0, "how long the token works, such as 2160h for 90 days; 0 for ever")
	command.Flags().StringSliceVar(&scopes, "scopes", nil, "what the token may do: Read, Write (default: both)")
	return command
}
