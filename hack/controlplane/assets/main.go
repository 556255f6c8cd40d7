// Command assets prints the folder that holds etcd, kube-apiserver and kubectl, and fills it first if need be.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/scim-operator/scim-operator/hack/controlplane"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "assets:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

func run(ctx context.Context) error {
	root, err := controlplane.Root()
	if err != nil {
		return err
	}
	dir, err := controlplane.Assets(ctx, root, os.Stderr)
	if err != nil {
		return err
	}
	fmt.Println(dir)
	return nil
}
