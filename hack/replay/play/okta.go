package play

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/scim-operator/scim-operator/hack/replay/okta"
	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// Okta is the command that plays an Okta tenant.
func Okta(s Server) *cobra.Command {
	var options okta.Options
	var app string
	command := playing(s, "okta", "Play an Okta tenant: import, push people and groups, deactivate, reactivate, verify",
		func(ctx context.Context, c Connection, report func(provider.Event)) (string, error) {
			var err error
			if options.Apps, err = both("app", app, okta.Catalogue, okta.Wizard); err != nil {
				return "", err
			}
			options.BaseURL, options.Token = c.BaseURL, c.Token
			return pushed(options.Users, options.Groups) + " are on the server as Okta pushed them.",
				okta.Run(ctx, options, report)
		})
	flags := command.Flags()
	flags.StringVar(&app, "app", "both", "kind of Okta app: catalogue (PATCH), wizard (PUT) or both, each with its share of people")
	flags.IntVar(&options.Users, "users", 50, "people to push")
	flags.IntVar(&options.Groups, "groups", 5, "groups to push, at most 5")
	return command
}
