package play

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/scim-operator/scim-operator/hack/replay/connect"
	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// Connect is the command that plays the connection test of an identity provider.
func Connect(s Server, p connect.Provider) *cobra.Command {
	return playing(s, strings.ToLower(p.Name), "Play the connection test of "+p.Name+": "+p.About,
		func(ctx context.Context, c Connection, report func(provider.Event)) (string, error) {
			return p.Name + " connects.", p.Run(ctx, connect.Options{BaseURL: c.BaseURL, Token: c.Token}, report)
		})
}
