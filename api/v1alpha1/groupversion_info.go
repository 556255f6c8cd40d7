// Package v1alpha1 holds the objects of scim-operator: what identity providers say (ScimDirectory, ScimUser,
// ScimGroup, ScimMemberSlice) and what follows for the app (AppRole, AppMembership, AppTarget).
//
// +kubebuilder:object:generate=true
// +kubebuilder:ac:generate=true
// +kubebuilder:ac:output:package=../applyconfiguration
// +groupName=scim-operator.io
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the API group and version of all kinds of this package.
var GroupVersion = schema.GroupVersion{Group: "scim-operator.io", Version: "v1alpha1"}

// SchemeGroupVersion is GroupVersion under the name that generated code expects.
var SchemeGroupVersion = GroupVersion

// AddToScheme registers all kinds of this package.
var AddToScheme = (&runtime.SchemeBuilder{addKnownTypes}).AddToScheme

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&ScimDirectory{}, &ScimDirectoryList{},
		&ScimUser{}, &ScimUserList{},
		&ScimGroup{}, &ScimGroupList{},
		&ScimMemberSlice{}, &ScimMemberSliceList{},
		&ScimTombstone{}, &ScimTombstoneList{},
		&AppRole{}, &AppRoleList{},
		&AppMembership{}, &AppMembershipList{},
		&AppTarget{}, &AppTargetList{},
		&AppTargetLedger{}, &AppTargetLedgerList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
