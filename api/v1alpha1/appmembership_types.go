package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// AppMembership is one person in the app and the roles they have: what an
// app reads and watches. The operator applies the part that comes from the
// identity provider by server-side apply (field manager scim-operator);
// people and the app apply theirs under other field managers, so that a
// role granted by hand stays when the identity provider takes its own
// back. A person has access while active is true.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=appmember,categories=scim
// +kubebuilder:printcolumn:name="Username",type=string,JSONPath=`.spec.user.userName`
// +kubebuilder:printcolumn:name="Active",type=boolean,JSONPath=`.spec.active`
// +kubebuilder:printcolumn:name="Roles",type=string,JSONPath=`.spec.roles`
// +kubebuilder:printcolumn:name="Managed-By",type=string,JSONPath=`.status.managedBy`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type AppMembership struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard metadata of an object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is who has which role.
	// +required
	Spec AppMembershipSpec `json:"spec"`
	// status is what the operator reports.
	// +optional
	// +kubebuilder:default={}
	Status AppMembershipStatus `json:"status,omitempty,omitzero"`
}

// AppMembershipList is a list of AppMembership.
//
// +kubebuilder:object:root=true
type AppMembershipList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []AppMembership `json:"items"`
}

// MaxRoles is how many roles one AppMembership holds.
const MaxRoles = 1000

// AppMembershipSpec is who has which role.
type AppMembershipSpec struct {
	// user says who the person is.
	// +required
	User MemberIdentity `json:"user"`

	// active is whether the person may use the app. While it is false, the
	// roles count for nothing. Default: true.
	// +optional
	// +kubebuilder:default=true
	Active bool `json:"active"`

	// roles are the names of the AppRoles that the person has, at most 1000.
	// Each field manager owns the entries that it applied.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	Roles []string `json:"roles,omitempty"`

	// userRef names the ScimUser that this member is provisioned from. The
	// operator sets it; a member without it is local and belongs to nobody but
	// the app.
	// +optional
	UserRef *UserReference `json:"userRef,omitempty"`
}

// MemberIdentity says who a person is.
type MemberIdentity struct {
	// userName identifies the person to the app; upper and lower case are the
	// same. 1 to 1024 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	UserName string `json:"userName"`
	// email is the person's primary e-mail address, else their first.
	// +optional
	// +kubebuilder:validation:MaxLength=8192
	Email string `json:"email,omitempty"`
	// displayName is the name to show for the person.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	DisplayName string `json:"displayName,omitempty"`
	// externalId is the identity provider's own identifier of the person.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	ExternalID string `json:"externalId,omitempty"`
}

// UserReference names the ScimUser that a member is provisioned from.
type UserReference struct {
	// directory is the name of the ScimDirectory.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Directory string `json:"directory"`
	// name is the name of the ScimUser, which is its SCIM id.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
}

// AppMembershipStatus is what the operator reports about a member.
type AppMembershipStatus struct {
	// observedGeneration is the metadata.generation that this status
	// describes; -1 until the operator has looked at the object, so that
	// nobody who waits for it takes it for done.
	// +optional
	// +kubebuilder:default=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// managedBy is the name of the ScimDirectory that manages this member.
	// Empty for a local member.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	ManagedBy string `json:"managedBy,omitempty"`

	// grants say for each role that comes from the directory why the person
	// has it.
	// +optional
	// +listType=map
	// +listMapKey=role
	// +kubebuilder:validation:MaxItems=1000
	Grants []RoleGrant `json:"grants,omitempty"`

	// conditions are Ready (Provisioned, Deactivated, Removed, Local,
	// ChangesHeld, LastHolder).
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// RoleGrant says why a person has a role.
type RoleGrant struct {
	// role is the name of the AppRole.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Role string `json:"role"`
	// groups are the names of the ScimGroups through which the person has the
	// role, sorted. Empty for a default role.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MaxLength=63
	Groups []string `json:"groups,omitempty"`
}
