package console

import (
	"context"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/cli/view"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// targets lists where access takes effect, and what is yet to be changed there.
func (c *console) targets(ctx context.Context, v *visit) error {
	v.inNamespace("targets")
	var all []v1alpha1.AppTarget
	err := view.Pages(ctx, v.Reader, func(page *v1alpha1.AppTargetList) error {
		all = append(all, page.Items...)
		return nil
	})
	if apierrors.IsForbidden(err) {
		return &forbidden{"targets", "apptargets"}
	}
	if err != nil {
		return err
	}
	return v.show("targets", "Targets of "+v.Namespace, all)
}
