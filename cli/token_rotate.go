package cli

import (
	"errors"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

func (s *session) tokenRotateCommand() *cobra.Command {
	var overlap, lifetime time.Duration
	command := &cobra.Command{
		Use:   "rotate DIRECTORY [NAME]",
		Short: "Make a new token beside an old one, and have the old one expire",
		Long: `Make a new token beside an old one, and print it, once. The old one works for --overlap, so that there is time to
enter the new one in the identity provider; with --overlap=0 it ends at once.`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: s.completingTokens(),
		RunE: func(command *cobra.Command, args []string) error {
			ctx := command.Context()
			if overlap < 0 {
				return errors.New("--overlap must not be negative; 0 ends the old token at once")
			}
			expiration, err := expirationOf(lifetime)
			if err != nil {
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
			old, err := oneToken(d, args)
			if err != nil {
				return err
			}
			entry := v1alpha1.DirectoryToken{
				Name: freeTokenName(d, old), Scopes: d.Spec.Tokens[tokenAt(d, old)].Scopes, ExpirationTime: expiration,
			}
			var ends metav1.Time
			var unused string
			f, err := c.hand(ctx, d, entry, func(d *v1alpha1.ScimDirectory) error {
				ends, unused = metav1.NewTime(time.Now().Add(overlap).Truncate(time.Second)), ""
				if overlap == 0 {
					unused = end(d, old)
				} else if at := tokenAt(d, old); at >= 0 {
					if earlier := d.Spec.Tokens[at].ExpirationTime; earlier != nil && earlier.Before(&ends) {
						ends = *earlier
					}
					d.Spec.Tokens[at].ExpirationTime = &ends
				}
				return nil
			})
			if err != nil {
				return err
			}
			if err := s.present(f); err != nil {
				return err
			}
			if err := c.discard(ctx, d, unused); err != nil {
				return err
			}
			if err := c.untilValid(ctx, f); err != nil {
				return err
			}
			remark("Token %s of directory %s: this is the only time it is shown. Its hash is in Secret %s.", f.Name, f.Directory, f.Secret)
			if !ends.After(time.Now()) {
				remark("Token %s has ended. Enter the new one in the identity provider now.", old)
			} else {
				remark("Token %s works until %s at the latest. Enter the new one in the identity provider before that.", old, ends.UTC().Format(time.RFC3339))
			}
			return nil
		},
	}
	command.Flags().DurationVar(&overlap, "overlap", 24*time.Hour, "how long the old token still works; 0 ends it at once")
	command.Flags().DurationVar(&lifetime, "expires-in", 0, "how long the new token works, such as 2160h for 90 days; 0 for ever")
	return command
}
