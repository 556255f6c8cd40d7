package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// connection says against which server to play.
type connection struct{ baseURL, token string }

// playing is the command of one identity provider. play returns the sentence
// that ends it.
func playing(use, short string, play func(context.Context, connection, func(provider.Event)) (string, error)) *cobra.Command {
	var c connection
	command := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			c.baseURL = cmp.Or(c.baseURL, os.Getenv("SCIM_BASE_URL"))
			c.token = cmp.Or(c.token, os.Getenv("SCIM_TOKEN"))
			if c.baseURL == "" || c.token == "" {
				return errors.New("set SCIM_BASE_URL and SCIM_TOKEN, or give --base-url and --token")
			}
			report, end := reporter(os.Stdout)
			defer end()
			finale, err := play(command.Context(), c, report)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(command.OutOrStdout(), finale)
			return err
		},
	}
	command.Flags().StringVar(&c.baseURL, "base-url", "", "SCIM base URL (default: SCIM_BASE_URL)")
	command.Flags().StringVar(&c.token, "token", "", "SCIM token (default: SCIM_TOKEN)")
	return command
}

// both reads a flag that takes one of two names, or "both".
func both[T ~string](flag, value string, first, second T) ([]T, error) {
	if value == "both" {
		return []T{first, second}, nil
	}
	if known := []T{first, second}; slices.Contains(known, T(value)) {
		return []T{T(value)}, nil
	}
	return nil, fmt.Errorf("--%s=%s: want %s, %s or both", flag, value, first, second)
}
