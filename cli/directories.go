package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/cli/view"
)

const kindDirectory = "ScimDirectory"

// directory reads the ScimDirectory of that name. If there is none, the error says which there are.
func (c *cluster) directory(ctx context.Context, name string) (*v1alpha1.ScimDirectory, error) {
	d, err := view.Find[v1alpha1.ScimDirectory](ctx, c.Reader, name)
	if err != nil || d != nil {
		return d, err
	}
	here, err := c.directoryNames(ctx)
	if err != nil {
		return nil, err
	}
	if len(here) > 0 {
		return nil, fmt.Errorf("there is no ScimDirectory %q in namespace %q; there is: %s", name, c.Namespace, strings.Join(here, ", "))
	}
	return nil, c.noDirectory(ctx)
}

// noDirectory is the error of a namespace without any; it says where there are some, if the user may know.
func (c *cluster) noDirectory(ctx context.Context) error {
	message := fmt.Sprintf("there is no ScimDirectory in namespace %q", c.Namespace)
	var all v1alpha1.ScimDirectoryList
	if err := c.List(ctx, &all, client.Limit(view.PageSize)); err != nil || len(all.Items) == 0 {
		return errors.New(message + "; give the namespace with -n")
	}
	var elsewhere []string
	for i := range all.Items {
		elsewhere = append(elsewhere, fmt.Sprintf("%s (-n %s)", all.Items[i].Name, all.Items[i].Namespace))
	}
	return errors.New(message + "; there is: " + strings.Join(elsewhere, ", "))
}

func (c *cluster) directoryNames(ctx context.Context) ([]string, error) {
	all, err := c.Directories(ctx)
	names := make([]string, 0, len(all))
	for i := range all {
		names = append(names, all[i].Name)
	}
	return names, err
}

// completing offers names for the first argument of a command.
func (s *session) completing(names func(context.Context, *cluster) ([]string, error)) cobra.CompletionFunc {
	return func(command *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		c, err := s.connect()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		all, err := names(command.Context(), c)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return all, cobra.ShellCompDirectiveNoFileComp
	}
}

func (s *session) completingDirectories() cobra.CompletionFunc {
	return s.completing(func(ctx context.Context, c *cluster) ([]string, error) { return c.directoryNames(ctx) })
}

func (s *session) directoryCommand() *cobra.Command {
	return parent("directory", "Connections of identity providers", s.directoryListCommand(), s.directoryDescribeCommand(), s.directoryTestCommand())
}
