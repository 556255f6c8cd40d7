package controllers

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// released says whether an administrator lets anybody edit or delete the group.
func released(g *v1alpha1.ScimGroup) bool {
	return !isMirror(g) && g.Annotations[v1alpha1.ReleaseAnnotation] == "true"
}

// markReleased has the group's slices say, too, whether the group is released, so that they can be edited with it.
func (r *groupReconciler) markReleased(ctx context.Context, g *v1alpha1.ScimGroup, parts []*v1alpha1.ScimMemberSlice) error {
	for _, s := range parts {
		_, marked := s.Annotations[v1alpha1.ReleaseAnnotation]
		if marked == released(g) {
			continue
		}
		s = s.DeepCopy()
		if marked {
			delete(s.Annotations, v1alpha1.ReleaseAnnotation)
		} else {
			annotate(s, v1alpha1.ReleaseAnnotation, "true")
		}
		if err := r.Update(ctx, s); client.IgnoreNotFound(err) != nil {
			return err
		}
	}
	return nil
}
