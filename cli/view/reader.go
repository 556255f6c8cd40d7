// Package view reads what the operator keeps, and explains it: who has which role and why, and what is held back. It reads with
// the rights of whoever asks, and of the objects that it names nothing else.
package view

import (
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Reader is somebody who reads a namespace: the client has their credentials.
type Reader struct {
	client.Client
	Namespace string
}

// Kinds knows the resources of all kinds of these versions, so that nobody has to ask the cluster what it serves. All of them
// must be namespaced.
func Kinds(scheme *runtime.Scheme, versions ...schema.GroupVersion) meta.RESTMapper {
	mapper := meta.NewDefaultRESTMapper(versions)
	for _, version := range versions {
		for kind := range scheme.KnownTypes(version) {
			mapper.Add(version.WithKind(kind), meta.RESTScopeNamespace)
		}
	}
	return mapper
}

// The kinds of what explains a person.
const (
	KindUser       = "ScimUser"
	KindGroup      = "ScimGroup"
	KindMembership = "AppMembership"
)
