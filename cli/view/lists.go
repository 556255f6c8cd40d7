package view

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// Directories are all of the namespace.
func (r *Reader) Directories(ctx context.Context) ([]v1alpha1.ScimDirectory, error) {
	var all []v1alpha1.ScimDirectory
	err := Pages(ctx, r, func(page *v1alpha1.ScimDirectoryList) error {
		all = append(all, page.Items...)
		return nil
	})
	return all, err
}

// Roles are all of the namespace.
func (r *Reader) Roles(ctx context.Context) ([]v1alpha1.AppRole, error) {
	var all []v1alpha1.AppRole
	err := Pages(ctx, r, func(page *v1alpha1.AppRoleList) error {
		all = append(all, page.Items...)
		return nil
	})
	return all, err
}

// MemberIDs are those of a group's people and of the groups in it.
func (r *Reader) MemberIDs(ctx context.Context, g *v1alpha1.ScimGroup) (people, groups []string, err error) {
	m := g.Spec.Membership
	if m == nil {
		return nil, nil, nil
	}
	for shard := range m.Shards {
		slice, err := Find[v1alpha1.ScimMemberSlice](ctx, r, v1alpha1.SliceName(g.Name, m.Epoch, shard))
		if err != nil {
			return nil, nil, err
		}
		if slice == nil {
			return nil, nil, fmt.Errorf("the members of group %q are just being written anew: try again", g.Spec.DisplayName)
		}
		groups = append(groups, slice.Spec.Groups...)
		for _, id := range slice.Spec.Members {
			if !slices.Contains(slice.Spec.Groups, id) {
				people = append(people, id)
			}
		}
	}
	return people, groups, nil
}

// FullName is what a user is called, if anything.
func FullName(u *v1alpha1.ScimUser) string {
	n := u.Spec.Name
	switch {
	case u.Spec.DisplayName != "":
		return u.Spec.DisplayName
	case n == nil:
		return ""
	case n.Formatted != "":
		return n.Formatted
	default:
		return strings.TrimSpace(n.GivenName + " " + n.FamilyName)
	}
}

// Message is what the condition Ready says.
func Message(conditions []metav1.Condition) string {
	if c := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady); c != nil {
		return c.Message
	}
	return ""
}

// Reason is why the condition Ready is as it is.
func Reason(conditions []metav1.Condition) string {
	if c := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady); c != nil {
		return c.Reason
	}
	return ""
}
