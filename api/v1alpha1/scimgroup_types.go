package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ScimGroup is one group of an identity provider, as it was last pushed.
// The SCIM server writes it; its name is the SCIM id, a random UUID that
// is never reused. Its members are in ScimMemberSlices.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=scim
// +kubebuilder:selectablefield:JSONPath=`.spec.roleRef.name`
// +kubebuilder:printcolumn:name="DisplayName",type=string,JSONPath=`.spec.displayName`
// +kubebuilder:printcolumn:name="Members",type=integer,JSONPath=`.status.members`
// +kubebuilder:printcolumn:name="Role",type=string,JSONPath=`.status.roles`
// +kubebuilder:printcolumn:name="Directory",type=string,JSONPath=`.spec.directoryRef.name`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Origin",type=string,JSONPath=`.spec.origin`,priority=1
type ScimGroup struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard metadata of an object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the group as the identity provider pushed it.
	// +required
	Spec ScimGroupSpec `json:"spec"`
	// status is what the operator reports.
	// +optional
	// +kubebuilder:default={}
	Status ScimGroupStatus `json:"status,omitempty,omitzero"`
}

// ScimGroupList is a list of ScimGroup.
//
// +kubebuilder:object:root=true
type ScimGroupList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ScimGroup `json:"items"`
}

// ScimGroupSpec is a Group of RFC 7643 §4.2.
//
// +kubebuilder:validation:XValidation:rule="self.directoryRef == oldSelf.directoryRef",message="directoryRef cannot be changed: a group stays in the directory whose identity provider created it"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.roleRef) || has(self.roleRef) && self.roleRef == oldSelf.roleRef",message="roleRef cannot be changed: a group that is linked to a role stays so"
// +kubebuilder:validation:XValidation:rule="!has(self.origin) || self.origin != 'App' || has(self.roleRef)",message="a group of origin App needs roleRef, the role that it shows"
type ScimGroupSpec struct {
	// directoryRef names the ScimDirectory that this group belongs to. It
	// cannot be changed.
	// +required
	DirectoryRef DirectoryReference `json:"directoryRef"`

	// origin says who the group comes from. IdP: the identity provider created
	// it, or took it over. App: it shows a role of the app (roleRef) with those
	// who have it, for the identity provider to find and link; it grants
	// nothing. Default: IdP.
	// +optional
	Origin Origin `json:"origin,omitempty"`

	// roleRef names the AppRole that this group is, where the directory's
	// groups are roles. Once the identity provider has linked the group, its
	// members have the role, whatever the group is called. Once set, it cannot
	// be changed.
	// +optional
	RoleRef *RoleReference `json:"roleRef,omitempty"`

	// externalId is the identity provider's own identifier of the group,
	// case-exact, at most 1024 characters.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	ExternalID string `json:"externalId,omitempty"`

	// displayName is the group's name; upper and lower case are the same.
	// Unique in the directory, 1 to 1024 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	DisplayName string `json:"displayName"`

	// membership names the ScimMemberSlices that hold the members. A group
	// without it has no members.
	// +optional
	Membership *GroupMembership `json:"membership,omitempty"`

	// extensions are the attributes of other schemas, by schema URN, at most
	// 16: in the form that the ScimDirectory declares, else as they were sent.
	// +optional
	// +kubebuilder:validation:MaxProperties=16
	Extensions map[string]Extension `json:"extensions,omitempty"`
}

// GroupMembership names one epoch of a group's members: the slices
// <group>-<epoch>-0 to <group>-<epoch>-<shards - 1>.
type GroupMembership struct {
	// epoch is a short random string, new each time the members are written
	// anew.
	// +required
	// +kubebuilder:validation:MaxLength=8
	// +kubebuilder:validation:Pattern=`^[a-z0-9]{8}$`
	Epoch string `json:"epoch"`
	// shards is the number of slices of the epoch, a power of two up to 1024.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1024
	Shards int32 `json:"shards"`
	// nested says that there may be groups among the members; the slices say
	// which. Where it is false there are none.
	// +optional
	Nested bool `json:"nested,omitempty"`
}

// ScimGroupStatus is what the operator reports about a group.
type ScimGroupStatus struct {
	// observedGeneration is the metadata.generation that this status
	// describes; -1 until the operator has looked at the object, so that
	// nobody who waits for it takes it for done.
	// +optional
	// +kubebuilder:default=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// members is the number of members.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Members int32 `json:"members"`

	// roles are the names of the AppRoles that this group grants, sorted. Only
	// the primary directory's groups grant.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:items:MaxLength=253
	Roles []string `json:"roles,omitempty"`

	// conditions are Ready (Ready, Exposed, Reserved, Conflict, RoleNotFound,
	// DirectoryNotFound, DanglingMembers, MembersIncomplete); Released while
	// anybody may edit or delete the group; Stalled while an administrator has
	// to act.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}
