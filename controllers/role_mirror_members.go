package controllers

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

const (
	// splitShard is how many members a shard has at most when it is made; maxShards is how many shards there can be.
	splitShard = 500
	maxShards  = 1024
)

// holdersIn are the ids of those users of a directory, sorted, who have a role: whoever the directory provisioned, and those
// that stand for a local member.
func (r *roleMirrorReconciler) holdersIn(ctx context.Context, d *v1alpha1.ScimDirectory, role string) ([]string, error) {
	var members v1alpha1.AppMembershipList
	if err := r.list(ctx, &members, d.Namespace, byActiveRole, role); err != nil {
		return nil, err
	}
	var ids []string
	for i := range members.Items {
		m := &members.Items[i]
		if ref := m.Spec.UserRef; ref != nil && ref.Directory == d.Name {
			u, err := find[v1alpha1.ScimUser](ctx, r, d.Namespace, ref.Name)
			if err != nil {
				return nil, err
			}
			if u != nil && u.Spec.DirectoryRef.Name == d.Name {
				ids = append(ids, u.Name)
			}
			continue
		}
		var mirrors v1alpha1.ScimUserList
		if err := r.list(ctx, &mirrors, d.Namespace, byMember, m.Name); err != nil {
			return nil, err
		}
		for j := range mirrors.Items {
			if u := &mirrors.Items[j]; u.Spec.DirectoryRef.Name == d.Name {
				ids = append(ids, u.Name)
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// membersHeld are the members of a group in its epoch, sorted. current says that they are known; else the caches are behind,
// or lost says that a slice is missing for good.
func (r *roleMirrorReconciler) membersHeld(ctx context.Context, g *v1alpha1.ScimGroup) (ids []string, current, lost bool, err error) {
	parts, complete, err := r.slicesOf(ctx, g)
	if err != nil {
		return nil, false, false, err
	}
	if !complete {
		lost, err = r.lostSlice(ctx, g)
		return nil, false, lost, err
	}
	for _, s := range parts {
		ids = append(ids, s.Spec.Members...)
	}
	slices.Sort(ids)
	return ids, true, false, nil
}

// lostSlice says whether a slice of the epoch that the group names does not exist.
func (r *roleMirrorReconciler) lostSlice(ctx context.Context, g *v1alpha1.ScimGroup) (bool, error) {
	var now v1alpha1.ScimGroup
	if err := r.live.Get(ctx, client.ObjectKeyFromObject(g), &now); err != nil || now.ResourceVersion != g.ResourceVersion {
		return false, client.IgnoreNotFound(err)
	}
	for shard := range g.Spec.Membership.Shards {
		name := v1alpha1.SliceName(g.Name, g.Spec.Membership.Epoch, shard)
		if gone, err := r.goneLive(ctx, &v1alpha1.ScimMemberSlice{}, g.Namespace, name); err != nil || gone {
			return gone, err
		}
	}
	return false, nil
}

// writeEpoch creates the slices of a fresh epoch for a group, which counts once the group names it. Without members there is
// none.
func (r *roleMirrorReconciler) writeEpoch(ctx context.Context, g *v1alpha1.ScimGroup, members []string,
) (*v1alpha1.GroupMembership, error) {
	if len(members) == 0 {
		return nil, nil
	}
	parts := spread(members)
	m := &v1alpha1.GroupMembership{Epoch: strings.ToLower(rand.Text()[:8]), Shards: int32(len(parts))}
	err := eachShard(ctx, m, func(ctx context.Context, shard int32) error {
		s := &v1alpha1.ScimMemberSlice{Spec: v1alpha1.ScimMemberSliceSpec{
			DirectoryRef: g.Spec.DirectoryRef, Group: g.Name, Epoch: m.Epoch, Shard: shard, Members: parts[shard],
		}}
		s.Namespace, s.Name = g.Namespace, v1alpha1.SliceName(g.Name, m.Epoch, shard)
		return r.Create(ctx, s)
	})
	return m, err
}

// deleteEpoch deletes the slices of an epoch that the group does not name, or no longer.
func (r *roleMirrorReconciler) deleteEpoch(ctx context.Context, g *v1alpha1.ScimGroup, m *v1alpha1.GroupMembership) error {
	return eachShard(ctx, m, func(ctx context.Context, shard int32) error {
		s := &v1alpha1.ScimMemberSlice{}
		s.Namespace, s.Name = g.Namespace, v1alpha1.SliceName(g.Name, m.Epoch, shard)
		return client.IgnoreNotFound(r.Delete(ctx, s))
	})
}

// eachShard acts on all shards of an epoch, some at a time.
func eachShard(ctx context.Context, m *v1alpha1.GroupMembership, act func(context.Context, int32) error) error {
	if m == nil {
		return nil
	}
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(deletionWorkers)
	for shard := range m.Shards {
		all.Go(func() error { return act(ctx, shard) })
	}
	return all.Wait()
}

// refused says that the API server did not store what it was asked to, and will not do so later: an epoch whose commit was
// refused can be deleted. After any other error it may be named after all, and is left to the sweep.
func refused(err error) bool {
	return apierrors.IsConflict(err) || apierrors.IsNotFound(err) || apierrors.IsInvalid(err) ||
		apierrors.IsForbidden(err) || apierrors.IsAlreadyExists(err)
}
