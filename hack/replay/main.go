// Command replay plays an identity provider against a running SCIM server.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/spf13/cobra"
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
	root.AddCommand(oktaCommand())
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "replay:", err)
		stop()
		os.Exit(1)
	}
}
