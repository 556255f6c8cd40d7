package controllers

import (
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// ofSpec lets updates through that change what somebody asks for, and resyncs; not those of status.
func ofSpec() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: changesSpec}
}

// ofPlace lets updates of ScimDirectories through that ofSpec does, those of which one is primary, those of which
// Secrets' tokens are in use, and those of whether one is restored.
func ofPlace() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, after := e.ObjectOld.(*v1alpha1.ScimDirectory), e.ObjectNew.(*v1alpha1.ScimDirectory)
		return changesSpec(e) || before.Status.Primary != after.Status.Primary ||
			before.Annotations[v1alpha1.UIDAnnotation] != after.Annotations[v1alpha1.UIDAnnotation] ||
			!slices.Equal(secretsUsed(before), secretsUsed(after))
	}}
}

// ofGroup lets updates of ScimGroups through that ofSpec does, and those of whether they are released.
func ofGroup() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, after := e.ObjectOld.(*v1alpha1.ScimGroup), e.ObjectNew.(*v1alpha1.ScimGroup)
		return changesSpec(e) || released(before) != released(after)
	}}
}

// secretsUsed are the versions of the Secrets with which calls were answered, by token.
func secretsUsed(d *v1alpha1.ScimDirectory) []string {
	var used []string
	for _, t := range d.Status.Tokens {
		used = append(used, t.Name+"/"+t.UsedSecretVersion)
	}
	return used
}

func changesSpec(e event.UpdateEvent) bool {
	return e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() ||
		deleting(e.ObjectOld) != deleting(e.ObjectNew) ||
		e.ObjectOld.GetResourceVersion() == e.ObjectNew.GetResourceVersion()
}
