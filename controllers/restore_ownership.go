package controllers

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// Who restores an AppMembership comes to own all of it, the roles too that the operator granted. What the operator takes away
// would then stay, like a role that somebody granted by hand. Nobody but the operator writes spec.userRef: who owns it is who
// restored the member, and keeps only what nobody else owns.

var (
	specUserRef = fieldpath.MakePathOrDie("spec", "userRef", "name")
	specRoles   = fieldpath.MakePathOrDie("spec", "roles")
)

// restoredBy says whether a managedFields entry is of somebody who restored a provisioned member.
func restoredBy(e metav1.ManagedFieldsEntry) bool {
	if appliedBy(v1alpha1.FieldManager, e) || appliedBy(v1alpha1.RetainedFieldManager, e) || e.Subresource != "" || e.FieldsV1 == nil {
		return false
	}
	set, err := fieldsOf(e)
	return err == nil && set.Has(specUserRef)
}

// isProvisioned says whether the operator applied anything to a member.
func isProvisioned(m *v1alpha1.AppMembership) bool {
	return slices.ContainsFunc(m.ManagedFields, func(e metav1.ManagedFieldsEntry) bool { return appliedBy(v1alpha1.FieldManager, e) })
}

func fieldsOf(e metav1.ManagedFieldsEntry) (*fieldpath.Set, error) {
	set := &fieldpath.Set{}
	return set, set.FromJSON(bytes.NewReader(e.FieldsV1.GetRawBytes()))
}

// withoutRestorer are managedFields without those of who restored the member, but for roles that nobody else owns, and whether
// that is a change. Where groups may yet come that grant such a role, the restorer goes on to own the reference to the user, by
// which it is known. An error means that the API server recorded managedFields which nothing can read.
func withoutRestorer(entries []metav1.ManagedFieldsEntry, moreMayCome bool) (kept []metav1.ManagedFieldsEntry, changed bool, err error) {
	others := &fieldpath.Set{}
	for _, e := range entries {
		if e.Subresource == "" && e.FieldsV1 != nil && !restoredBy(e) {
			set, err := fieldsOf(e)
			if err != nil {
				return nil, false, err
			}
			others = others.Union(set)
		}
	}
	for _, e := range entries {
		if restoredBy(e) {
			set, err := fieldsOf(e)
			if err != nil {
				return nil, false, err
			}
			own := rolesIn(set.Difference(others))
			if moreMayCome && !own.Empty() {
				own.Insert(specUserRef)
			}
			changed = changed || !own.Equals(set)
			if own.Empty() {
				continue
			}
			raw, err := own.ToJSON()
			if err != nil {
				return nil, false, err
			}
			e.FieldsV1 = metav1.NewFieldsV1(string(raw))
		}
		kept = append(kept, e)
	}
	return kept, changed, nil
}

// rolesIn are the single roles in a set of fields.
func rolesIn(set *fieldpath.Set) *fieldpath.Set {
	roles := &fieldpath.Set{}
	set.Iterate(func(p fieldpath.Path) {
		if len(p) == len(specRoles)+1 && p[:len(specRoles)].Equals(specRoles) {
			roles.Insert(p.Copy())
		}
	})
	return roles
}

// disown takes what the operator applied to restored members from who restored them, and says whether there was anything.
func (k kube) disown(ctx context.Context, members []*v1alpha1.AppMembership, moreMayCome bool) (bool, error) {
	done := false
	for _, seen := range members {
		_, changed, err := disowned(seen, moreMayCome)
		if err != nil {
			return false, err
		}
		if !changed {
			continue
		}
		done = true
		var m v1alpha1.AppMembership
		if err := k.live.Get(ctx, client.ObjectKeyFromObject(seen), &m); err != nil {
			return false, client.IgnoreNotFound(err)
		}
		kept, changed, err := disowned(&m, moreMayCome)
		if err != nil {
			return false, err
		}
		if !changed {
			continue // the cache has yet to show it
		}
		after := m.DeepCopy()
		after.ManagedFields = kept
		if err := k.Patch(ctx, after, client.MergeFromWithOptions(&m, client.MergeFromWithOptimisticLock{})); err != nil {
			return false, client.IgnoreNotFound(err)
		}
	}
	return done, nil
}

// disowned are the managedFields of a member without the restorer's, and whether they are others than it has.
func disowned(m *v1alpha1.AppMembership, moreMayCome bool) ([]metav1.ManagedFieldsEntry, bool, error) {
	if !isProvisioned(m) {
		return nil, false, nil
	}
	kept, changed, err := withoutRestorer(m.ManagedFields, moreMayCome)
	if err != nil {
		return nil, false, fmt.Errorf("managedFields of AppMembership %s/%s: %w", m.Namespace, m.Name, err)
	}
	return kept, changed, nil
}
