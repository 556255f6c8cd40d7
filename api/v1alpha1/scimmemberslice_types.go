package v1alpha1

import (
	"hash/fnv"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ScimMemberSlice is a part of one group's members, named
// <group>-<epoch>-<shard>. It counts only while the group's
// spec.membership names its epoch. The SCIM server writes it; there is
// nothing to edit by hand.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:shortName=scimslice,categories=scim
// +kubebuilder:printcolumn:name="Group",type=string,JSONPath=`.spec.group`
// +kubebuilder:printcolumn:name="Shard",type=integer,JSONPath=`.spec.shard`
// +kubebuilder:printcolumn:name="Directory",type=string,JSONPath=`.spec.directoryRef.name`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ScimMemberSlice struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard metadata of an object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the part of the members that this slice holds.
	// +required
	Spec ScimMemberSliceSpec `json:"spec"`
}

// ScimMemberSliceList is a list of ScimMemberSlice.
//
// +kubebuilder:object:root=true
type ScimMemberSliceList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ScimMemberSlice `json:"items"`
}

// ScimMemberSliceSpec is the part of a group's members whose home is this
// shard: fnv32a(id) mod shards.
//
// +kubebuilder:validation:XValidation:rule="self.directoryRef == oldSelf.directoryRef && self.group == oldSelf.group && self.epoch == oldSelf.epoch && self.shard == oldSelf.shard",message="directoryRef, group, epoch and shard of a slice cannot be changed"
// +kubebuilder:validation:XValidation:rule="!(has(oldSelf.sealed) && oldSelf.sealed) || self == oldSelf",message="a sealed slice takes no more changes; its members are being moved to a new epoch"
type ScimMemberSliceSpec struct {
	// directoryRef names the ScimDirectory of the group.
	// +required
	DirectoryRef DirectoryReference `json:"directoryRef"`

	// group is the name of the ScimGroup.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Group string `json:"group"`

	// epoch is the epoch of the group's membership that this slice is part of.
	// +required
	// +kubebuilder:validation:MaxLength=8
	// +kubebuilder:validation:Pattern=`^[a-z0-9]{8}$`
	Epoch string `json:"epoch"`

	// shard is the number of this slice in the epoch, from 0.
	// +required
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1023
	Shard int32 `json:"shard"`

	// sealed says that the members are being moved to a new epoch: this slice
	// takes no more changes.
	// +optional
	Sealed bool `json:"sealed,omitempty"`

	// members are the SCIM ids of the members, sorted, at most 1000.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	Members []string `json:"members,omitempty"`

	// groups are those of the members that are groups themselves (RFC 7643
	// §4.2), sorted. Only slices of a nested epoch have any.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	Groups []string `json:"groups,omitempty"`
}

// SliceName is the name of one slice of a group's epoch.
func SliceName(group, epoch string, shard int32) string {
	return group + "-" + epoch + "-" + strconv.Itoa(int(shard))
}

// HomeShard is the one shard of an epoch that may hold the member with
// this id.
func HomeShard(id string, shards int32) int32 {
	h := fnv.New32a()
	h.Write([]byte(id))
	return int32(h.Sum32() % uint32(shards))
}
