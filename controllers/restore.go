package controllers

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

const (
	managedByLabel = "app.kubernetes.io/managed-by"
	// pluginFieldManager is who kubectl scim is to Kubernetes.
	pluginFieldManager = "kubectl-scim"
)

// A directory from a backup is older than what became of its people since: who left is active in it, and the systems that
// AppTargets feed know better. So nobody gains anything by it before an administrator has looked, and the identity provider
// has told what it knows. Who loses something loses it at once.

// restored says whether a directory came back from a backup, or is a copy made in another way, and nobody has acknowledged
// that. If the record was taken away it stays so.
func restored(d *v1alpha1.ScimDirectory) bool {
	switch d.Annotations[v1alpha1.UIDAnnotation] {
	case string(d.UID):
		return false
	case "":
		return meta.IsStatusConditionTrue(d.Status.Conditions, v1alpha1.ConditionRestored)
	default:
		return true
	}
}

// recordUID notes on a directory that is seen for the first time which object it is, and says whether it has.
func recordUID(d *v1alpha1.ScimDirectory) bool {
	if d.Annotations[v1alpha1.UIDAnnotation] != "" || restored(d) {
		return false
	}
	annotate(d, v1alpha1.UIDAnnotation, string(d.UID))
	return true
}

// restoredMessage says what it means that a directory is restored, and what to do.
func restoredMessage(d *v1alpha1.ScimDirectory) string {
	return fmt.Sprintf("this directory came back from a backup, or is a copy: people lose access by it, and nobody gains any. "+
		"Have the identity provider push everything once more, look, and then acknowledge: "+
		"kubectl annotate scimdirectory %s -n %s --overwrite %s=%s", d.Name, d.Namespace, v1alpha1.UIDAnnotation, d.UID)
}

// withoutGains is the decision without what the person does not have yet.
func (d decision) withoutGains(p person) decision {
	if len(p.own) == 0 { // there is nobody who could keep something
		d.action, d.grants = leave, nil
		if d.active {
			d.ready = withheldReadiness(p.directory, "access")
		}
		return d
	}
	if d.active && !d.member.Spec.Active {
		d.active, d.grants = false, nil
		d.ready = withheldReadiness(p.directory, "access")
		return d
	}
	all := len(d.grants)
	d.grants = slices.DeleteFunc(slices.Clone(d.grants), func(g v1alpha1.RoleGrant) bool {
		return !slices.Contains(d.member.Spec.Roles, g.Role)
	})
	if withheld := all - len(d.grants); withheld > 0 {
		d.ready = withheldReadiness(p.directory, fmt.Sprintf("%d of %d roles", withheld, all))
	}
	return d
}

func withheldReadiness(d *v1alpha1.ScimDirectory, what string) readiness {
	return readiness{reason: v1alpha1.ReasonRestored, message: fmt.Sprintf(
		"ScimDirectory %s came back from a backup, and %s that it would give waits until that is acknowledged; its condition %s says how",
		d.Name, what, v1alpha1.ConditionRestored)}
}

// restoredIn names a directory of a namespace that is restored and not acknowledged yet; empty if there is none.
func (k kube) restoredIn(ctx context.Context, namespace string) (string, error) {
	var all v1alpha1.ScimDirectoryList
	if err := k.listAll(ctx, &all, namespace); err != nil {
		return "", err
	}
	var names []string
	for i := range all.Items {
		if restored(&all.Items[i]) {
			names = append(names, all.Items[i].Name)
		}
	}
	if len(names) == 0 {
		return "", nil
	}
	return slices.Min(names), nil
}

// grantsWithheld is what a target says whose grants wait for a restored directory.
func grantsWithheld(grants int, directory string) readiness {
	return readiness{progress: stalled, reason: v1alpha1.ReasonRestored, message: fmt.Sprintf(
		"%d grants are not made before it is acknowledged that ScimDirectory %s came back from a backup; its condition %s says how",
		grants, directory, v1alpha1.ConditionRestored)}
}

// ownedBy has the garbage collector delete what a directory's token is in after the directory.
func ownedBy(d *v1alpha1.ScimDirectory) metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: v1alpha1.GroupVersion.String(), Kind: "ScimDirectory", Name: d.Name, UID: d.UID}
}

// keptBy are the owners of a Secret that was made for a directory, if they are to be others: a backup has the directory that
// was, or none, and the garbage collector deletes what has no owner that exists.
func keptBy(secret *corev1.Secret, d *v1alpha1.ScimDirectory) ([]metav1.OwnerReference, bool) {
	own, owners := ownedBy(d), slices.Clone(secret.OwnerReferences)
	for i, o := range owners {
		if o.APIVersion == own.APIVersion && o.Kind == own.Kind && o.Name == own.Name {
			owners[i].UID = own.UID
			return owners, o.UID != own.UID
		}
	}
	switch secret.Labels[managedByLabel] {
	case v1alpha1.FieldManager, pluginFieldManager:
		return append(owners, own), true
	default:
		return owners, false
	}
}

// keepSecret makes a directory the owner of a Secret that was made for it.
func (k kube) keepSecret(ctx context.Context, d *v1alpha1.ScimDirectory, secret *corev1.Secret) (*corev1.Secret, error) {
	owners, others := keptBy(secret, d)
	if !others {
		return secret, nil
	}
	kept := secret.DeepCopy()
	kept.OwnerReferences = owners
	return kept, k.Update(ctx, kept)
}
