package controllers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// maxSlug is how long a name derived from a displayName can be, so that there is room for a dash and a group's id.
const maxSlug = 63

// isRoleOfItsOwn says whether a group is to have an AppRole that is made for it.
func isRoleOfItsOwn(g *v1alpha1.ScimGroup, v groupView) bool {
	return !isMirror(g) && g.Spec.RoleRef == nil && v.directory != nil && !deleting(v.directory) &&
		groupsAreRoles(v.directory) && !v.reserved && v.conflict == ""
}

// ensureRole gives a group that is to have one an AppRole, which stays the group's whatever either is called later: one that
// is called the same, where the directory adopts what exists, else a new one. Mostly the SCIM server has done the former by
// taking over the group that shows the role; it cannot where the group was there before its directory's groups were roles.
// The name of a new one is the first that is free; what was made before a crash is found by its label.
func (r *groupReconciler) ensureRole(ctx context.Context, g *v1alpha1.ScimGroup, v groupView) error {
	if !isRoleOfItsOwn(g, v) {
		return nil
	}
	var made v1alpha1.AppRoleList
	if err := r.list(ctx, &made, g.Namespace, byGroup, g.Name); err != nil || len(made.Items) > 0 {
		return err
	}
	if err := r.live.List(ctx, &made, client.InNamespace(g.Namespace),
		client.MatchingLabels{v1alpha1.RoleOfGroupLabel: g.Name}); err != nil || len(made.Items) > 0 {
		return err
	}
	if role, err := r.roleToLink(ctx, g, v.directory); err != nil || role != "" {
		if err == nil {
			next := g.DeepCopy()
			next.Spec.RoleRef = &v1alpha1.RoleReference{Name: role}
			err = r.Update(ctx, next)
		}
		return err
	}
	slug := slugOf(g.Spec.DisplayName)
	for _, name := range []string{slug, slug + "-" + slugOf(g.Name[max(len(g.Name)-8, 0):]), slug + "-" + g.Name} {
		role := &v1alpha1.AppRole{}
		role.Namespace, role.Name = g.Namespace, name
		role.Labels = map[string]string{v1alpha1.RoleOfGroupLabel: g.Name}
		role.Spec.DisplayName = g.Spec.DisplayName
		role.Spec.GrantedTo = []v1alpha1.GroupSelector{{Directory: g.Spec.DirectoryRef.Name, Name: g.Name}}
		if err := r.Create(ctx, role); !apierrors.IsAlreadyExists(err) {
			return err
		}
	}
	return fmt.Errorf("no AppRole for ScimGroup %s: the names that begin with %s and end with its id are taken", g.Name, slug)
}

// roleToLink names the role that a group is to be linked to because it is called the same, if any: not one that another
// group of the directory is, or is linked to.
func (r *groupReconciler) roleToLink(ctx context.Context, g *v1alpha1.ScimGroup, d *v1alpha1.ScimDirectory) (string, error) {
	if d.Spec.Groups.WithDefaults().Existing != v1alpha1.ExistingAdopt {
		return "", nil
	}
	var same v1alpha1.AppRoleList
	if err := r.list(ctx, &same, g.Namespace, byDisplayName, schema.Fold(g.Spec.DisplayName)); err != nil {
		return "", err
	}
	for i := range same.Items {
		role := &same.Items[i]
		if madeIn, _ := madeFor(role); deleting(role) || madeIn == d.Name || firstCalled(role, same.Items) != "" {
			continue
		}
		var others v1alpha1.ScimGroupList
		if err := r.list(ctx, &others, g.Namespace, byRole, role.Name); err != nil {
			return "", err
		}
		if !slices.ContainsFunc(others.Items, func(o v1alpha1.ScimGroup) bool {
			return o.Spec.DirectoryRef.Name == d.Name && isLinkedGroup(o)
		}) {
			return role.Name, nil
		}
	}
	return "", nil
}

// slugOf is a displayName in the letters of a DNS label.
func slugOf(displayName string) string {
	var b strings.Builder
	gap := false
	for _, c := range norm.NFKD.String(schema.Fold(displayName)) {
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(c)
		case !unicode.Is(unicode.Mn, c):
			gap = true
		}
	}
	slug := b.String()
	if slug == "" {
		return "role"
	}
	return strings.TrimRight(slug[:min(len(slug), maxSlug)], "-")
}
