package controllers

import (
	"context"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// erasable says whether a token's plaintext is to go now: it has been used as exactly this version of the Secret holds it.
// Of a Secret that was rotated since, nothing is known yet.
func erasable(d *v1alpha1.ScimDirectory, token v1alpha1.DirectoryToken, secret *corev1.Secret) bool {
	_, plain := secret.Data[v1alpha1.TokenSecretKey]
	return plain && token.Plaintext == v1alpha1.PlaintextEraseAfterFirstUse &&
		slices.ContainsFunc(d.Status.Tokens, func(s v1alpha1.DirectoryTokenStatus) bool {
			return s.Name == token.Name && s.UsedSecretVersion == secret.ResourceVersion
		})
}

// hashOnly is the Secret with a hash in the place of the plaintext, in its data and in what kubectl remembers of it.
func hashOnly(secret *corev1.Secret, token v1alpha1.TokenFingerprint) *corev1.Secret {
	s := secret.DeepCopy()
	delete(s.Data, v1alpha1.TokenSecretKey)
	maps.Copy(s.Data, token.SecretData())
	delete(s.Annotations, corev1.LastAppliedConfigAnnotation)
	return s
}

// erase replaces the plaintext in the version of the Secret that was seen; another version is a conflict.
func (r *directoryReconciler) erase(ctx context.Context, d *v1alpha1.ScimDirectory, name string, secret *corev1.Secret,
	token v1alpha1.TokenFingerprint,
) error {
	if err := r.Update(ctx, hashOnly(secret, token)); err != nil {
		return err
	}
	r.events.Eventf(d, secret, corev1.EventTypeNormal, v1alpha1.EventTokenErased, "Erase",
		"token %q is in use: Secret %s holds its hash now, instead of the token", name, secret.Name)
	return nil
}
