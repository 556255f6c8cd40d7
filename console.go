package main

import (
	"context"
	"log/slog"
	"net/http"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/scim-operator/scim-operator/cli/console"
	"github.com/scim-operator/scim-operator/scimserver"
	"github.com/scim-operator/scim-operator/scimserver/store"
)

// addConsole has the manager serve the console, if that is asked for.
func addConsole(mgr manager.Manager, config *rest.Config, o options, index *store.Store, log *slog.Logger) error {
	if o.consoleAddress == "" {
		return nil
	}
	pages, err := console.New(console.Options{
		Config: config, Store: index, Directories: mgr.GetAPIReader(), Log: log,
		Client: func(r *http.Request) string { return scimserver.ClientAddress(r, o.trustForwarded) },
	})
	if err != nil {
		return err
	}
	server, err := console.NewServer(context.Background(), o.consoleAddress, pages, log)
	if err != nil {
		return err
	}
	return mgr.Add(server)
}
