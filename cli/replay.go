package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/scim-operator/scim-operator/hack/replay/play"
)

func (s *session) replayCommand() *cobra.Command {
	command := parent("replay", "Play an identity provider that provisions made-up people into a directory",
		play.Okta(s.server()), play.Entra(s.server()))
	for _, c := range command.Commands() {
		c.ValidArgsFunction = s.completingDirectories()
	}
	return command
}

// server is the one of the directory that is named, into which made-up people may be pushed.
func (s *session) server() play.Server {
	r, yes := &caller{}, false
	return play.Server{
		Arguments: "DIRECTORY",
		Args:      cobra.ExactArgs(1),
		Bind: func(flags *pflag.FlagSet) {
			r.bind(flags)
			flags.BoolVarP(&yes, "yes", "y", false, "do not ask")
		},
		Find: func(ctx context.Context, args []string) (play.Connection, error) {
			c, err := s.connect()
			if err != nil {
				return play.Connection{}, err
			}
			d, err := c.directory(ctx, args[0])
			if err != nil {
				return play.Connection{}, err
			}
			e, err := r.endpoint(ctx, c, d)
			if err != nil {
				return play.Connection{}, err
			}
			if !yes {
				if err := confirm(fmt.Sprintf("Push made-up people and groups into directory %s of namespace %s?", d.Name, d.Namespace)); err != nil {
					return play.Connection{}, err
				}
			}
			return play.Connection{BaseURL: e.baseURL, Token: e.token}, nil
		},
	}
}
