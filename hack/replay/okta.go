package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/scim-operator/scim-operator/hack/replay/okta"
)

func oktaCommand() *cobra.Command {
	var options okta.Options
	var app string
	command := &cobra.Command{
		Use:   "okta",
		Short: "Play an Okta tenant: import, push people and groups, deactivate, reactivate, verify",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			var err error
			if options.Apps, err = apps(app); err != nil {
				return err
			}
			options.BaseURL = cmp.Or(options.BaseURL, os.Getenv("SCIM_BASE_URL"))
			options.Token = cmp.Or(options.Token, os.Getenv("SCIM_TOKEN"))
			if options.BaseURL == "" || options.Token == "" {
				return errors.New("set SCIM_BASE_URL and SCIM_TOKEN, or give --base-url and --token")
			}
			report, end := reporter(os.Stdout)
			defer end()
			if err := okta.Run(command.Context(), options, report); err != nil {
				return err
			}
			_, err = fmt.Fprintf(command.OutOrStdout(), "%d users and %d groups are on the server as Okta pushed them.\n",
				options.Users, options.Groups)
			return err
		},
	}
	flags := command.Flags()
	flags.StringVar(&app, "app", "both", "kind of Okta app: catalogue (PATCH), wizard (PUT) or both, each with its share of people")
	flags.StringVar(&options.BaseURL, "base-url", "", "SCIM base URL (default: SCIM_BASE_URL)")
	flags.StringVar(&options.Token, "token", "", "SCIM token (default: SCIM_TOKEN)")
	flags.IntVar(&options.Users, "users", 50, "people to push")
	flags.IntVar(&options.Groups, "groups", 5, "groups to push, at most 5")
	return command
}

func apps(name string) ([]okta.App, error) {
	switch name {
	case "both":
		return []okta.App{okta.Catalogue, okta.Wizard}, nil
	case string(okta.Catalogue), string(okta.Wizard):
		return []okta.App{okta.App(name)}, nil
	default:
		return nil, fmt.Errorf("--app=%s: want catalogue, wizard or both", name)
	}
}
