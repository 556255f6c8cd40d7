package targets

import (
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// maxRefusal bounds how much of the API server's words a condition repeats.
const maxRefusal = 1000

// Labels mark an object as made by a target.
func Labels(t *v1alpha1.AppTarget) map[string]string {
	return map[string]string{v1alpha1.TargetNamespaceLabel: t.Namespace, v1alpha1.TargetLabel: t.Name}
}

// Owns says whether an object is marked as made by a target.
func Owns(t *v1alpha1.AppTarget, o metav1.Object) bool {
	for key, value := range Labels(t) {
		if o.GetLabels()[key] != value {
			return false
		}
	}
	return true
}

// FieldManager is the field manager of what a target applies.
func FieldManager(t *v1alpha1.AppTarget) string {
	return v1alpha1.FieldManager + "-" + t.Namespace + "-" + t.Name
}

// KubernetesError is the error of a call to the API server, in words that tell what was tried: a Refused where the API
// server says no, and else one that says that it is down, or that somebody else was faster.
func KubernetesError(err error, doing string) error {
	switch {
	case err == nil:
		return nil
	case apierrors.IsForbidden(err), apierrors.IsInvalid(err), apierrors.IsNotFound(err), apierrors.IsBadRequest(err),
		apierrors.IsAlreadyExists(err), apierrors.IsRequestEntityTooLargeError(err), apierrors.IsMethodNotSupported(err):
		words := err.Error()
		return Refuse("%s: %s", doing, words[:min(len(words), maxRefusal)])
	default:
		return fmt.Errorf("%s: %w", doing, err)
	}
}
