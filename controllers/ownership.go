package controllers

import (
	"bytes"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// appliedBy says whether a managedFields entry is of what the field manager applied to the spec.
func appliedBy(manager string, e metav1.ManagedFieldsEntry) bool {
	return e.Manager == manager && e.Operation == metav1.ManagedFieldsOperationApply && e.Subresource == ""
}

// rolesAppliedBy are the roles of a member that the field manager applied, sorted; a role among them may be others' too.
// An error means that the API server recorded managedFields which nothing can read.
func rolesAppliedBy(manager string, m *v1alpha1.AppMembership) ([]string, error) {
	var roles []string
	for _, e := range m.ManagedFields {
		if !appliedBy(manager, e) || e.FieldsV1 == nil {
			continue
		}
		var set fieldpath.Set
		if err := set.FromJSON(bytes.NewReader(e.FieldsV1.GetRawBytes())); err != nil {
			return nil, fmt.Errorf("managedFields of AppMembership %s/%s: %w", m.Namespace, m.Name, err)
		}
		items := set.WithPrefix(fieldpath.FieldNameElement("spec")).WithPrefix(fieldpath.FieldNameElement("roles"))
		items.Members.Iterate(func(p fieldpath.PathElement) {
			if p.Value != nil && (*p.Value).IsString() {
				roles = append(roles, (*p.Value).AsString())
			}
		})
	}
	slices.Sort(roles)
	return slices.Compact(roles), nil
}
