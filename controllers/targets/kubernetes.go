package targets

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

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

// FieldManager is the field manager of what a target applies, and no other target's: two that had the same one would take
// each other's fields away.
func FieldManager(t *v1alpha1.AppTarget) string {
	manager := v1alpha1.FieldManager + "/" + t.Namespace + "/" + t.Name
	if len(manager) > validation.FieldManagerMaxLength {
		sum := sha256.Sum256([]byte(t.Name))
		manager = v1alpha1.FieldManager + "/" + t.Namespace + "//" + hex.EncodeToString(sum[:16])
	}
	return manager
}

// Keep writes an object that a target keeps, marked as its own, if it is still as it was read: an object without a resource
// version is created, and one in which nothing is left is deleted. Called is the object in words. Errors are those of
// KubernetesError.
func Keep(ctx context.Context, c client.Client, t *v1alpha1.AppTarget, o client.Object, empty bool, called string) error {
	uid, version := o.GetUID(), o.GetResourceVersion()
	labels := maps.Clone(o.GetLabels())
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, Labels(t))
	o.SetLabels(labels)
	switch {
	case version == "":
		return KubernetesError(c.Create(ctx, o), "create "+called)
	case empty:
		err := c.Delete(ctx, o, client.Preconditions{UID: &uid, ResourceVersion: &version})
		return KubernetesError(client.IgnoreNotFound(err), "delete "+called)
	default:
		return KubernetesError(c.Update(ctx, o), "update "+called)
	}
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
