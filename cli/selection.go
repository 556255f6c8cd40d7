package cli

import (
	"context"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// bindDirectory adds the flag that takes the things of one directory only.
func (s *session) bindDirectory(command *cobra.Command, directory *string) {
	command.Flags().StringVar(directory, "directory", "", "of this directory only")
	_ = command.RegisterFlagCompletionFunc("directory", func(command *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return s.completingDirectories()(command, nil, typed)
	})
}

// expect returns an error that says which directories there are, when a directory is named that does not exist.
func (c *cluster) expect(command *cobra.Command, directory string) error {
	if directory == "" {
		return nil
	}
	_, err := c.directory(command.Context(), directory)
	return err
}

// message is what the condition Ready says.
func message(conditions []metav1.Condition) string {
	if c := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady); c != nil {
		return c.Message
	}
	return ""
}

// reason is why the condition Ready is as it is.
func reason(conditions []metav1.Condition) string {
	if c := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady); c != nil {
		return c.Reason
	}
	return ""
}

func (c *cluster) roles(ctx context.Context) ([]v1alpha1.AppRole, error) {
	var all []v1alpha1.AppRole
	err := pages(ctx, c, func(page *v1alpha1.AppRoleList) error {
		all = append(all, page.Items...)
		return nil
	})
	return all, err
}
