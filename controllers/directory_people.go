package controllers

import (
	"context"
	"time"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// releasePeople does one step of releasing the people of a directory that is being deleted, and says when to do the next.
func (r *directoryReconciler) releasePeople(ctx context.Context, d *v1alpha1.ScimDirectory,
	people []v1alpha1.AppMembership,
) (time.Duration, error) {
	charge, err := r.directoryInCharge(ctx, d.Namespace)
	if err != nil {
		return 0, err
	}
	pause := heldPause
	var todo []v1alpha1.AppMembership
	for i := range people {
		m := &people[i]
		// A user of the directory in charge is about to take the member over.
		waits, err := r.heirWaitsFor(ctx, m, charge)
		if err != nil {
			return 0, err
		}
		if waits {
			r.gate.forget(m.Namespace, m.Spec.UserRef.Name)
			pause = deletionPause
			continue
		}
		lost, err := r.removalOf(d, m)
		if err != nil {
			return 0, err
		}
		kept, err := r.gate.consider(ctx, m.Namespace, d, lost, []*v1alpha1.AppMembership{m})
		if err != nil {
			return 0, err
		}
		if unsaid := kept.reason != "" && !hasReason(m, kept.reason); unsaid || !lost.less(kept).none() || lost.none() {
			todo = append(todo, *m)
			pause = deletionPause
		}
	}
	return pause, each(ctx, todo, func(ctx context.Context, m *v1alpha1.AppMembership) error {
		return r.releasePerson(ctx, d, m)
	})
}

func (r *directoryReconciler) heirWaitsFor(ctx context.Context, m *v1alpha1.AppMembership, charge *v1alpha1.ScimDirectory,
) (bool, error) {
	heirs, err := r.heirs(ctx, charge, &m.Spec.User)
	if err != nil {
		return false, err
	}
	return r.heirWaits(ctx, charge, heirs, m.Spec.UserRef.Name)
}

// removalOf is what a person loses by the deletion of their directory.
func (r *directoryReconciler) removalOf(d *v1alpha1.ScimDirectory, m *v1alpha1.AppMembership) (removal, error) {
	if d.Spec.DeletionPolicy != v1alpha1.DeletionRevoke {
		return removal{id: m.Spec.UserRef.Name}, nil
	}
	return removalOfMember(m, false)
}

// releasePerson does with one member what the deletion policy says, but for what the gate has the person keep.
func (r *directoryReconciler) releasePerson(ctx context.Context, d *v1alpha1.ScimDirectory, m *v1alpha1.AppMembership,
) error {
	if d.Spec.DeletionPolicy != v1alpha1.DeletionRevoke {
		return r.makeLocal(ctx, m)
	}
	lost, err := r.removalOf(d, m)
	if err != nil {
		return err
	}
	return r.gate.carryOut(ctx, m.Namespace, d, lost, []*v1alpha1.AppMembership{m}, func(k keep) error {
		if k.anything() {
			return r.keepMember(ctx, m, k)
		}
		return r.revokeForGood(ctx, m)
	})
}
