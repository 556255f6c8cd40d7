package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// AppRole is a role that the app knows. It says which groups of the
// identity provider grant it; its name is what AppMembership.spec.roles
// lists.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=scim
// +kubebuilder:printcolumn:name="DisplayName",type=string,JSONPath=`.status.displayName`
// +kubebuilder:printcolumn:name="Default",type=boolean,JSONPath=`.spec.default`
// +kubebuilder:printcolumn:name="Groups",type=integer,JSONPath=`.status.groups`
// +kubebuilder:printcolumn:name="Members",type=integer,JSONPath=`.status.members`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type AppRole struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard metadata of an object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the role as the app's administrator defines it.
	// +required
	Spec AppRoleSpec `json:"spec"`
	// status is what the operator reports.
	// +optional
	// +kubebuilder:default={}
	Status AppRoleStatus `json:"status,omitempty,omitzero"`
}

// AppRoleList is a list of AppRole.
//
// +kubebuilder:object:root=true
type AppRoleList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []AppRole `json:"items"`
}

// AppRoleSpec is a role as the app's administrator defines it.
type AppRoleSpec struct {
	// displayName is how the role is shown to people, at most 1024 characters.
	// The identity provider that links the role may call it otherwise: see
	// status.displayName. Default: the role's name.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	DisplayName string `json:"displayName,omitempty"`

	// description says what the role allows, at most 4096 characters.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Description string `json:"description,omitempty"`

	// default gives the role to every active user of the primary directory.
	// Default: false.
	// +optional
	Default bool `json:"default,omitempty"`

	// protected keeps the role's last active holder: the operator never takes
	// the role, or the access, of that person away, whatever the identity
	// provider says, until somebody else has the role. Default: false.
	// +optional
	Protected bool `json:"protected,omitempty"`

	// grantedTo are the groups whose members have the role, at most 100. A
	// group that does not exist yet grants the role from the moment it is
	// pushed.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	GrantedTo []GroupSelector `json:"grantedTo,omitempty"`
}

// GroupSelector names one group, in one of three ways.
//
// +kubebuilder:validation:XValidation:rule="(has(self.displayName) ? 1 : 0) + (has(self.externalId) ? 1 : 0) + (has(self.name) ? 1 : 0) == 1",message="name the group by exactly one of displayName, externalId and name"
type GroupSelector struct {
	// directory is the name of the group's ScimDirectory. While that directory
	// is not the primary one, the entry grants nothing. Without it, the entry
	// means the primary directory, whichever that is.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Directory string `json:"directory,omitempty"`

	// displayName is the group's name in the identity provider; upper and
	// lower case are the same. 1 to 1024 characters.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	DisplayName string `json:"displayName,omitempty"`

	// externalId is the group's identifier in the identity provider,
	// case-exact. 1 to 1024 characters.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	ExternalID string `json:"externalId,omitempty"`

	// name is the name of the ScimGroup, which is its SCIM id and outlasts a
	// rename in the identity provider.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name,omitempty"`
}

// AppRoleStatus is what the operator reports about a role.
type AppRoleStatus struct {
	// observedGeneration is the metadata.generation that this status
	// describes; -1 until the operator has looked at the object, so that
	// nobody who waits for it takes it for done.
	// +optional
	// +kubebuilder:default=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// displayName is what the role is called: as the identity provider that
	// linked or created it says, else spec.displayName, else the role's name.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	DisplayName string `json:"displayName,omitempty"`

	// groups is the number of groups that grant the role now.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Groups int32 `json:"groups"`

	// members is the number of active AppMemberships that have the role, from
	// groups or by hand.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Members int32 `json:"members"`

	// conditions are Ready (Ready, GroupNotFound, Conflict).
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}
