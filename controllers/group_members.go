package controllers

import (
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// maxLiveLookups bounds how many missing members one look at a group confirms with the API server.
const maxLiveLookups = 100

// removeDangling removes members that are neither a user nor a group of the group's directory. It says whether some are
// left for the next look: too many at once, or in a slice that is sealed and is about to be replaced.
func (r *groupReconciler) removeDangling(ctx context.Context, g *v1alpha1.ScimGroup, parts []*v1alpha1.ScimMemberSlice,
) (left bool, err error) {
	lookups := maxLiveLookups
	for _, s := range parts {
		var gone []string
		for _, id := range s.Spec.Members {
			known, err := r.isMemberOf(ctx, r, g, id)
			if err != nil {
				return left, err
			}
			if known {
				continue
			}
			if s.Spec.Sealed || lookups == 0 {
				left = true
				continue
			}
			lookups--
			if known, err = r.isMemberOf(ctx, r.live, g, id); err != nil {
				return left, err
			}
			if !known {
				gone = append(gone, id)
			}
		}
		if len(gone) == 0 {
			continue
		}
		if err := r.Update(ctx, withoutMembers(s, gone)); client.IgnoreNotFound(err) != nil {
			return left, err
		}
	}
	return left, nil
}

// isMemberOf says whether an id is one of a user or a group of the same directory, as the reader knows.
func (r *groupReconciler) isMemberOf(ctx context.Context, reader client.Reader, g *v1alpha1.ScimGroup, id string,
) (bool, error) {
	key := client.ObjectKey{Namespace: g.Namespace, Name: id}
	var u v1alpha1.ScimUser
	err := reader.Get(ctx, key, &u, client.UnsafeDisableDeepCopy)
	if err == nil && u.Spec.DirectoryRef == g.Spec.DirectoryRef {
		return true, nil
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return false, err
	}
	var member v1alpha1.ScimGroup
	err = reader.Get(ctx, key, &member, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil && member.Spec.DirectoryRef == g.Spec.DirectoryRef, err
}

func withoutMembers(s *v1alpha1.ScimMemberSlice, gone []string) *v1alpha1.ScimMemberSlice {
	s = s.DeepCopy()
	isGone := func(id string) bool { return slices.Contains(gone, id) }
	s.Spec.Members = slices.DeleteFunc(s.Spec.Members, isGone)
	s.Spec.Groups = slices.DeleteFunc(s.Spec.Groups, isGone)
	return s
}
