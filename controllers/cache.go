package controllers

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// CacheOptions are those of the manager's cache. Of all Secrets it holds only tokens, and of managedFields only what tells
// the roles that the operator granted from those that others did, and who restored the member.
func CacheOptions() cache.Options {
	return cache.Options{
		ReaderFailOnMissingInformer: true,
		DefaultTransform:            cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&corev1.Secret{}: {
				Field: fields.OneTermEqualSelector("type", v1alpha1.TokenSecretType),
			},
			&v1alpha1.AppMembership{}: {Transform: keepOwnManagedFields},
		},
	}
}

func keepOwnManagedFields(in any) (any, error) {
	m, ok := in.(*v1alpha1.AppMembership)
	if !ok {
		return in, nil
	}
	var own []metav1.ManagedFieldsEntry
	for _, e := range m.ManagedFields {
		if appliedBy(v1alpha1.FieldManager, e) || appliedBy(v1alpha1.RetainedFieldManager, e) || restoredBy(e) {
			own = append(own, e)
		}
	}
	m.ManagedFields = own
	return m, nil
}
