package controllers

import (
	"context"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// descent goes down from groups to the groups in them, and meets each once, so that cycles end.
type descent struct {
	met   map[string]bool
	ahead []*v1alpha1.ScimGroup
}

func descendFrom(groups ...*v1alpha1.ScimGroup) *descent {
	d := &descent{met: map[string]bool{}}
	d.add(groups...)
	return d
}

func (d *descent) add(groups ...*v1alpha1.ScimGroup) {
	for _, g := range groups {
		if !d.met[g.Name] {
			d.met[g.Name] = true
			d.ahead = append(d.ahead, g)
		}
	}
}

// next is the next group to look at, or nil.
func (d *descent) next() *v1alpha1.ScimGroup {
	if len(d.ahead) == 0 {
		return nil
	}
	g := d.ahead[0]
	d.ahead = d.ahead[1:]
	return g
}

// standingWithin says whether a person is a member of the group, directly or through groups in it (RFC 7643 §4.2). A group
// in it that is not in effect passes nobody on. A group that cannot be seen in whole leaves the answer open, unless another
// one has the person.
func (k kube) standingWithin(ctx context.Context, g *v1alpha1.ScimGroup, id string) (standing, error) {
	verdict := outside
	for d := descendFrom(g); ; {
		g := d.next()
		if g == nil {
			return verdict, nil
		}
		direct, err := k.standingOf(ctx, g, id)
		if err != nil || direct == inside {
			return direct, err
		}
		inner, complete, err := k.groupsIn(ctx, g)
		if err != nil {
			return unknown, err
		}
		if direct == unknown || !complete {
			verdict = unknown
		}
		for _, in := range inner {
			effective, err := k.inEffect(ctx, in)
			if err != nil {
				return unknown, err
			}
			if effective {
				d.add(in)
			}
		}
	}
}

// groupsIn are the groups that are direct members of a group. It is incomplete until all slices are visible. Almost no group
// has any, and its epoch says so without a look at the slices.
func (k kube) groupsIn(ctx context.Context, g *v1alpha1.ScimGroup) (inner []*v1alpha1.ScimGroup, complete bool, err error) {
	if m := g.Spec.Membership; m == nil || !m.Nested {
		return nil, true, nil
	}
	parts, complete, err := k.slicesOf(ctx, g)
	if err != nil {
		return nil, false, err
	}
	for _, s := range parts {
		named, err := k.groupsNamed(ctx, g.Namespace, g.Spec.DirectoryRef, s.Spec.Groups)
		if err != nil {
			return nil, false, err
		}
		inner = append(inner, named...)
	}
	return inner, complete, nil
}

// groupsNamed are those of the groups with these ids that exist and are the directory's.
func (k kube) groupsNamed(ctx context.Context, namespace string, directory v1alpha1.DirectoryReference, ids []string,
) ([]*v1alpha1.ScimGroup, error) {
	var groups []*v1alpha1.ScimGroup
	for _, id := range ids {
		g, err := find[v1alpha1.ScimGroup](ctx, k, namespace, id)
		if err != nil {
			return nil, err
		}
		if g != nil && g.Spec.DirectoryRef == directory {
			groups = append(groups, g)
		}
	}
	return groups, nil
}

// inEffect says whether a group counts: it is not being deleted, shows no role only, and its name is neither reserved nor in
// conflict.
func (k kube) inEffect(ctx context.Context, g *v1alpha1.ScimGroup) (bool, error) {
	if deleting(g) || isMirror(g) {
		return false, nil
	}
	d, err := find[v1alpha1.ScimDirectory](ctx, k, g.Namespace, g.Spec.DirectoryRef.Name)
	if err != nil || d != nil && reserves(d, g.Spec.DisplayName) {
		return false, err
	}
	holder, err := k.groupConflict(ctx, g)
	return holder == "", err
}
