package controllers

import (
	"cmp"
	"context"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// resolve finds the groups that a selector names and that are in effect.
func (k kube) resolve(ctx context.Context, namespace string, s v1alpha1.GroupSelector, primary string,
) ([]*v1alpha1.ScimGroup, error) {
	directory := cmp.Or(s.Directory, primary)
	if directory == "" {
		return nil, nil
	}
	var named v1alpha1.ScimGroupList
	switch {
	case s.Name != "":
		g, err := find[v1alpha1.ScimGroup](ctx, k, namespace, s.Name)
		if err != nil {
			return nil, err
		}
		if g != nil {
			named.Items = append(named.Items, *g)
		}
	case s.ExternalID != "":
		if err := k.list(ctx, &named, namespace, byExternalID, groupKey(directory, s.ExternalID)); err != nil {
			return nil, err
		}
	default:
		key := groupKey(directory, schema.Fold(s.DisplayName))
		if err := k.list(ctx, &named, namespace, byDisplayName, key); err != nil {
			return nil, err
		}
	}
	var groups []*v1alpha1.ScimGroup
	for i := range named.Items {
		g := &named.Items[i]
		if !selects(s, g, primary) {
			continue
		}
		effective, err := k.inEffect(ctx, g)
		if err != nil {
			return nil, err
		}
		if effective {
			groups = append(groups, g)
		}
	}
	return groups, nil
}

// groupsGranting are the groups in effect of the directory in charge that grant a role: those that its grantedTo names, and
// those that are linked to it.
func (k kube) groupsGranting(ctx context.Context, role *v1alpha1.AppRole, primary *v1alpha1.ScimDirectory,
) ([]*v1alpha1.ScimGroup, error) {
	var groups []*v1alpha1.ScimGroup
	for _, s := range role.Spec.GrantedTo {
		if s.Directory != "" && s.Directory != primary.Name {
			continue
		}
		named, err := k.resolve(ctx, role.Namespace, s, primary.Name)
		if err != nil {
			return nil, err
		}
		groups = append(groups, named...)
	}
	var refers v1alpha1.ScimGroupList
	if err := k.list(ctx, &refers, role.Namespace, byRole, role.Name); err != nil {
		return nil, err
	}
	for i := range refers.Items {
		g := &refers.Items[i]
		if g.Spec.DirectoryRef.Name != primary.Name || !linked(g, primary) {
			continue
		}
		effective, err := k.inEffect(ctx, g)
		if err != nil {
			return nil, err
		}
		if effective {
			groups = append(groups, g)
		}
	}
	return groups, nil
}

// groupConflict names the group that holds this group's displayName before it. One that only shows a role gives way.
func (k kube) groupConflict(ctx context.Context, g *v1alpha1.ScimGroup) (string, error) {
	var same v1alpha1.ScimGroupList
	key := groupKey(g.Spec.DirectoryRef.Name, schema.Fold(g.Spec.DisplayName))
	if err := k.list(ctx, &same, g.Namespace, byDisplayName, key); err != nil {
		return "", err
	}
	others := make([]*v1alpha1.ScimGroup, 0, len(same.Items))
	for i := range same.Items {
		if !isMirror(&same.Items[i]) {
			others = append(others, &same.Items[i])
		}
	}
	return holderBefore(g, others), nil
}

// primaryOf names the directory in charge of a namespace.
func (k kube) primaryOf(ctx context.Context, namespace string) (string, error) {
	var all v1alpha1.ScimDirectoryList
	if err := k.listAll(ctx, &all, namespace); err != nil {
		return "", err
	}
	return inCharge(all.Items), nil
}
