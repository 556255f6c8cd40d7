// Package play has the commands that play an identity provider against a running SCIM server, with a progress bar.
package play

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// Connection says against which server to play.
type Connection struct{ BaseURL, Token string }

// Server says how a command finds the server to play against.
type Server struct {
	// Arguments are those of the command, as its usage shows them, and Args checks them.
	Arguments string
	Args      cobra.PositionalArgs
	// Bind adds the flags that Find needs.
	Bind func(*pflag.FlagSet)
	// Find returns the server; its error tells the user what to change.
	Find func(ctx context.Context, args []string) (Connection, error)
}

// Environment finds the server by flags, or else by environment variables.
func Environment() Server {
	var c Connection
	return Server{
		Args: cobra.NoArgs,
		Bind: func(flags *pflag.FlagSet) {
			flags.StringVar(&c.BaseURL, "base-url", "", "SCIM base URL (default: SCIM_BASE_URL)")
			flags.StringVar(&c.Token, "token", "", "SCIM token (default: SCIM_TOKEN)")
		},
		Find: func(context.Context, []string) (Connection, error) {
			c.BaseURL = cmp.Or(c.BaseURL, os.Getenv("SCIM_BASE_URL"))
			c.Token = cmp.Or(c.Token, os.Getenv("SCIM_TOKEN"))
			if c.BaseURL == "" || c.Token == "" {
				return c, errors.New("set SCIM_BASE_URL and SCIM_TOKEN, or give --base-url and --token")
			}
			return c, nil
		},
	}
}

// playing is the command of one identity provider. play returns the sentence
// that ends it.
func playing(s Server, use, short string, play func(context.Context, Connection, func(provider.Event)) (string, error)) *cobra.Command {
	if s.Arguments != "" {
		use += " " + s.Arguments
	}
	command := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  s.Args,
		RunE: func(command *cobra.Command, args []string) error {
			c, err := s.Find(command.Context(), args)
			if err != nil {
				return err
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
	s.Bind(command.Flags())
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
