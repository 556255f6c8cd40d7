package play

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/scim-operator/scim-operator/hack/replay/entra"
	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// Entra is the command that plays Microsoft Entra ID.
func Entra(s Server) *cobra.Command {
	var options entra.Options
	var dialect string
	command := playing(s, "entra", "Play Microsoft Entra ID: test the connection, push people, managers and groups, disable, delete, verify",
		func(ctx context.Context, c Connection, report func(provider.Event)) (string, error) {
			var err error
			if options.Dialects, err = both("dialect", dialect, entra.Legacy, entra.Compliant); err != nil {
				return "", err
			}
			options.BaseURL, options.Token = c.BaseURL, c.Token
			return pushed(options.Users, options.Groups) + " were on the server as Entra ID pushed them.",
				entra.Run(ctx, options, report)
		})
	flags := command.Flags()
	flags.StringVar(&dialect, "dialect", "both", "legacy (without the compliance flag in the URL), compliant (with it) or both, each with its share of people")
	flags.IntVar(&options.Users, "users", 50, "people to push, the last of each dialect deleted in the end")
	flags.IntVar(&options.Groups, "groups", 5, "groups to push, each with all people of its dialect")
	return command
}
