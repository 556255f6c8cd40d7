// Command replay plays an identity provider against a running SCIM server.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/spf13/cobra"

	"github.com/scim-operator/scim-operator/hack/replay/connect"
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
	root.AddCommand(oktaCommand(), entraCommand())
	for _, p := range connect.Providers {
		root.AddCommand(connectCommand(p))
	}
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "replay:", err)
		stop()
		os.Exit(1)
	}
}
