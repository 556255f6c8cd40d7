package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/cli/view"
)

func (s *session) acknowledgeCommand() *cobra.Command {
	var yes bool
	command := &cobra.Command{
		Use:               "acknowledge DIRECTORY",
		Short:             "Show who waits since a directory came back from a backup, and have them given what it says",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.completingDirectories(),
		RunE: func(command *cobra.Command, args []string) error {
			ctx := command.Context()
			c, err := s.connect()
			if err != nil {
				return err
			}
			d, err := c.directory(ctx, args[0])
			if err != nil {
				return err
			}
			if !meta.IsStatusConditionTrue(d.Status.Conditions, v1alpha1.ConditionRestored) {
				return fmt.Errorf("directory %s did not come back from a backup; there is nothing to acknowledge", d.Name)
			}
			if err := s.tellWaiting(ctx, c, d); err != nil {
				return err
			}
			if !yes {
				if err := confirm("Has the identity provider pushed everything once more, and are these to get what it says?"); err != nil {
					return err
				}
			}
			if err := c.acknowledge(ctx, d); err != nil {
				return err
			}
			s.line("%s: directory %s gives access again.", good("Acknowledged"), d.Name)
			return nil
		},
	}
	command.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return command
}

// tellWaiting names the people of a restored directory who would gain something.
func (s *session) tellWaiting(ctx context.Context, c *cluster, d *v1alpha1.ScimDirectory) error {
	waiting := 0
	list := &rows[*v1alpha1.ScimUser]{session: s, columns: []column[*v1alpha1.ScimUser]{
		{"USERNAME", false, func(u *v1alpha1.ScimUser) text { return plain(u.Spec.UserName) }},
		{"NAME", false, func(u *v1alpha1.ScimUser) text { return orDash(view.FullName(u)) }},
		{"WAITS FOR", false, func(u *v1alpha1.ScimUser) text { return plain(view.Message(u.Status.Conditions)) }},
	}}
	err := view.Pages(ctx, c.Reader, func(page *v1alpha1.ScimUserList) error {
		for i := range page.Items {
			u := &page.Items[i]
			if u.Spec.DirectoryRef.Name != d.Name || view.Reason(u.Status.Conditions) != v1alpha1.ReasonRestored {
				continue
			}
			if waiting++; waiting > namedPeople {
				continue
			}
			if err := list.add(u); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.line("Directory %s came back from a backup; %s for it to be acknowledged", d.Name, counted(waiting, "person waits", "people wait"))
	list.flush()
	if more := waiting - namedPeople; more > 0 {
		s.line("and %d more", more)
	}
	return nil
}

// acknowledge records which object the directory is, and waits until the operator has seen it.
func (c *cluster) acknowledge(ctx context.Context, d *v1alpha1.ScimDirectory) error {
	after := d.DeepCopy()
	if after.Annotations == nil {
		after.Annotations = map[string]string{}
	}
	after.Annotations[v1alpha1.UIDAnnotation] = string(d.UID)
	if err := c.Patch(ctx, after, client.MergeFrom(d), client.FieldOwner(pluginName)); err != nil {
		return err
	}
	err := wait.PollUntilContextTimeout(ctx, interval, patience, true, func(ctx context.Context) (bool, error) {
		now, err := c.directory(ctx, d.Name)
		return err == nil && !meta.IsStatusConditionTrue(now.Status.Conditions, v1alpha1.ConditionRestored), err
	})
	if wait.Interrupted(err) && ctx.Err() == nil {
		return errors.New("the acknowledgement is noted, but the operator has not acted on it yet: is it running?")
	}
	return err
}
