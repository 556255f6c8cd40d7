// Command replay plays an identity provider against a running SCIM server.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/spf13/cobra"

	"github.com/scim-operator/scim-operator/hack/replay/connect"
	"github.com/scim-operator/scim-operator/hack/replay/play"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	root := &cobra.Command{
		Use:           "replay",
		Short:         "Play an identity provider against a running SCIM server",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(play.Okta(play.Environment()), play.Entra(play.Environment()))
	for _, p := range connect.Providers {
		root.AddCommand(play.Connect(play.Environment(), p))
	}
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "replay:", err)
		stop()
		os.Exit(1)
	}
}
