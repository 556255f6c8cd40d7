package store

import (
	"context"
	"errors"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// link makes the mirror that holds the name of a pushed group that group: with what was pushed, the members too, in one
// step, and with the role. It returns taken if the holder is no mirror. The caller holds the lock of the name.
func (d *Directory) link(ctx context.Context, p *policy, taken *UniquenessError, g *Group) (*v1alpha1.ScimGroup, error) {
	k := d.store.groups
	for {
		mirror, err := fetch(ctx, d, k, taken.Holder)
		switch {
		case errors.Is(err, ErrNotFound):
			return nil, taken
		case err != nil:
			return nil, err
		}
		next := asPushed(mirror, g)
		name := k.unique(p, mirror)
		switch {
		case !isMirror(mirror), len(without(name, k.unique(p, next))) > 0:
			return nil, taken
		case p.groups.Existing == v1alpha1.ExistingReject:
			return nil, errRole
		}
		if err := checkFree(ctx, d, k, p, name, mirror.Name); err != nil {
			return nil, err
		}
		if next.Spec.DisplayName, err = p.groupName(mirror, g.DisplayName); err != nil {
			return nil, err
		}
		members, groups, err := d.checkPushed(ctx, g)
		if err != nil {
			return nil, err
		}
		before, err := d.memberIDs(ctx, mirror)
		if err != nil {
			return nil, err
		}
		linked, err := d.commit(ctx, mirror, next, before, members, groups)
		if !errors.Is(err, errStale) {
			return linked, err
		}
	}
}

// takenByRole says of a name that a hidden mirror holds who holds it, since its id says nothing to clients.
func (d *Directory) takenByRole(p *policy, err error) error {
	if taken, ok := errors.AsType[*UniquenessError](err); ok {
		d.read(func(ix *directoryIndex) {
			if holder, ok := ix.groups.byName[taken.Holder]; ok && hidden(p.groups.Importable, holder) {
				err = errRole
			}
		})
	}
	return err
}
