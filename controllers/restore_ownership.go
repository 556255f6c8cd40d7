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

// isRestoredMember says whether somebody who restored a member owns what the operator applied.
func isRestoredMember(m *v1alpha1.AppMembership) bool {
	return isProvisioned(m) && slices.ContainsFunc(m.ManagedFields, restoredBy)
}

// isProvisioned says whether the operator applied anything to a member.
func isProvisioned(m *v1alpha1.AppMembership) bool {
	return slices.ContainsFunc(m.ManagedFields, func(e metav1.ManagedFieldsEntry) bool { return appliedBy(v1alpha1.FieldManager, e) })
}

func fieldsOf(e metav1.ManagedFieldsEntry) (*fieldpath.Set, error) {
	set := &fieldpath.Set{}
	return set, set.FromJSON(bytes.NewReader(e.FieldsV1.GetRawBytes()))
}

// withoutRestorer are managedFields without those of who restored the member, but for roles that nobody else owns. An error
// means that the API server recorded managedFields which nothing can read.
func withoutRestorer(entries []metav1.ManagedFieldsEntry) ([]metav1.ManagedFieldsEntry, error) {
	others := &fieldpath.Set{}
	for _, e := range entries {
		if e.Subresource == "" && e.FieldsV1 != nil && !restoredBy(e) {
			set, err := fieldsOf(e)
			if err != nil {
				return nil, err
			}
			others = others.Union(set)
		}
	}
	var kept []metav1.ManagedFieldsEntry
	for _, e := range entries {
		if restoredBy(e) {
			set, err := fieldsOf(e)
			if err != nil {
				return nil, err
			}
			own := &fieldpath.Set{}
			set.Difference(others).Iterate(func(p fieldpath.Path) {
				if len(p) == len(specRoles)+1 && p[:len(specRoles)].Equals(specRoles) {
					own.Insert(p.Copy())
				}
			})
			if own.Empty() {
				continue
			}
			raw, err := own.ToJSON()
			if err != nil {
				return nil, err
			}
			e.FieldsV1 = metav1.NewFieldsV1(string(raw))
		}
		kept = append(kept, e)
	}
	return kept, nil
}

// disown takes what the operator applied to restored members from who restored them, and says whether there was any.
func (k kube) disown(ctx context.Context, members []*v1alpha1.AppMembership) (bool, error) {
	done := false
	for _, seen := range members {
		if !isRestoredMember(seen) {
			continue
		}
		done = true
		var m v1alpha1.AppMembership
		if err := k.live.Get(ctx, client.ObjectKeyFromObject(seen), &m); err != nil {
			return false, client.IgnoreNotFound(err)
		}
		if !isRestoredMember(&m) {
			continue // the cache has yet to show it
		}
		kept, err := withoutRestorer(m.ManagedFields)
		if err != nil {
			return false, fmt.Errorf("managedFields of AppMembership %s/%s: %w", m.Namespace, m.Name, err)
		}
		after := m.DeepCopy()
		after.ManagedFields = kept
		if err := k.Patch(ctx, after, client.MergeFromWithOptions(&m, client.MergeFromWithOptimisticLock{})); err != nil {
			return false, client.IgnoreNotFound(err)
		}
	}
	return done, nil
}
