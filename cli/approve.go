package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

const (
	// patience is how long a command waits for the operator to act on what was written.
	patience = 15 * time.Second
	interval = 200 * time.Millisecond
)

func (s *session) approveCommand() *cobra.Command {
	var yes bool
	var plan string
	command := &cobra.Command{
		Use:               "approve DIRECTORY",
		Short:             "Show the changes that a directory's safeguard holds, and have exactly these carried out",
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
			held, err := c.Held(ctx, math.MaxInt, *d)
			switch {
			case err != nil:
				return err
			case len(held) == 0:
				return fmt.Errorf("directory %s holds no changes; there is nothing to approve", d.Name)
			case plan != "" && plan != held[0].Plan:
				return fmt.Errorf("directory %s holds plan %s now, not %s: look at it, and approve that", d.Name, held[0].Plan, plan)
			}
			if err := s.tellHeld(held[0]); err != nil {
				return err
			}
			if !yes {
				if err := confirm(fmt.Sprintf("Carry out plan %s?", held[0].Plan)); err != nil {
					return err
				}
			}
			if err := c.approve(ctx, d, held[0].Plan); err != nil {
				return err
			}
			s.line("%s: plan %s is carried out.", good("Approved"), held[0].Plan)
			return nil
		},
	}
	command.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	command.Flags().StringVar(&plan, "plan", "", "approve only if this plan is the one that is held")
	return command
}

// approve sets the annotation to exactly that plan, and waits until the operator has taken it.
func (c *cluster) approve(ctx context.Context, d *v1alpha1.ScimDirectory, plan string) error {
	before := d.DeepCopy()
	if d.Annotations == nil {
		d.Annotations = map[string]string{}
	}
	d.Annotations[v1alpha1.ApproveAnnotation] = plan
	if err := c.Patch(ctx, d, client.MergeFrom(before), client.FieldOwner(pluginName)); err != nil {
		return err
	}
	err := wait.PollUntilContextTimeout(ctx, interval, patience, true, func(ctx context.Context) (bool, error) {
		now, err := c.directory(ctx, d.Name)
		if err != nil {
			return false, err
		}
		if h := now.Status.Held; h != nil && h.Plan != plan && now.Annotations[v1alpha1.ApproveAnnotation] == plan {
			// An approval that is left could still come true, if the plan became the old one again.
			without := now.DeepCopy()
			delete(without.Annotations, v1alpha1.ApproveAnnotation)
			if err := c.Patch(ctx, without, client.MergeFromWithOptions(now, client.MergeFromWithOptimisticLock{})); err != nil {
				return false, client.IgnoreNotFound(err)
			}
			return false, fmt.Errorf("the plan has changed meanwhile to %s: nothing was approved; look at it, and approve that", h.Plan)
		}
		return now.Annotations[v1alpha1.ApproveAnnotation] != plan, nil
	})
	if wait.Interrupted(err) && ctx.Err() == nil {
		return errors.New("the approval is noted, but the operator has not acted on it yet: is it running?")
	}
	return err
}
