package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/scim-operator/scim-operator/hack/replay/connect"
	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

func connectCommand(p connect.Provider) *cobra.Command {
	return playing(strings.ToLower(p.Name), "Play the connection test of "+p.Name+": "+p.About,
		func(ctx context.Context, c connection, report func(provider.Event)) (string, error) {
			return p.Name + " connects.", p.Run(ctx, connect.Options{BaseURL: c.baseURL, Token: c.token}, report)
		})
}
