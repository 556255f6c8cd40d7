// Package cli is `kubectl scim`: what administrators ask and do about directories, people, groups and roles, with names in
// the place of ids. The operator's binary is this plugin when it is started under the plugin's name.
package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// The names under which kubectl starts the plugin, and asks it for completions.
const (
	pluginName     = "kubectl-scim"
	completionName = "kubectl_complete-scim"
)

// Arguments are those of the plugin, if the program was started under one of its names.
func Arguments(argv []string) (arguments []string, plugin bool) {
	switch strings.TrimSuffix(filepath.Base(argv[0]), ".exe") {
	case pluginName:
		return argv[1:], true
	case completionName:
		return append([]string{cobra.ShellCompRequestCmd}, argv[1:]...), true
	default:
		return nil, false
	}
}

// Run runs the plugin and returns its exit code.
func Run(arguments []string, version string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctrl.SetLogger(logr.Discard()) // what there is to say is said to the user
	s := newSession()
	root := s.command(version)
	root.SetArgs(arguments)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, s.paint(bad("error:")), plain(inWords(err)))
		return 1
	}
	return 0
}

func (s *session) command(version string) *cobra.Command {
	root := &cobra.Command{
		Use:           pluginName,
		Short:         "Ask and do what there is about SCIM provisioning, with names instead of ids",
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl scim"},
	}
	s.bind(root.PersistentFlags())
	root.AddCommand(
		s.directoryCommand(), s.tokenCommand(), s.usersCommand(), s.groupsCommand(), s.groupCommand(),
		s.whoCanCommand(), s.whyCommand(), s.planCommand(), s.approveCommand(), s.acknowledgeCommand(), s.auditCommand(),
		s.exportCommand(), s.replayCommand(),
	)
	return root
}

// parent is a command that only holds others.
func parent(use, short string, children ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(children...)
	return c
}

// inWords says what to do about an error of Kubernetes whose own words do not.
func inWords(err error) string {
	var status apierrors.APIStatus
	switch {
	case errors.As(err, &status) && apierrors.IsNotFound(err) && status.Status().Details != nil && status.Status().Details.Name == "":
		return "this cluster does not know " + v1alpha1.GroupVersion.String() + ": install scim-operator's CRDs, or choose another cluster with --context"
	case apierrors.IsUnauthorized(err):
		return "the cluster does not accept your credentials: sign in again, or choose another --context"
	case clientcmd.IsEmptyConfig(err):
		return "no cluster is configured: set KUBECONFIG, or give --kubeconfig"
	default:
		return err.Error()
	}
}
