package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ScimDirectory is one connection of one identity provider (Okta, Entra
// ID, …). The provider is given the base URL in status.baseURL and one of
// the tokens, and provisions users and groups into this namespace.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=scimdir,categories=scim
// +kubebuilder:printcolumn:name="Primary",type=boolean,JSONPath=`.status.primary`
// +kubebuilder:printcolumn:name="Users",type=integer,JSONPath=`.status.users`
// +kubebuilder:printcolumn:name="Active",type=integer,JSONPath=`.status.activeUsers`
// +kubebuilder:printcolumn:name="Groups",type=integer,JSONPath=`.status.groups`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Base-URL",type=string,JSONPath=`.status.baseURL`,priority=1
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 63",message="the name of a ScimDirectory has at most 63 characters, because it is part of the SCIM base URL"
type ScimDirectory struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard metadata of an object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what an administrator asks for.
	// +required
	Spec ScimDirectorySpec `json:"spec"`
	// status is what the operator reports.
	// +optional
	Status ScimDirectoryStatus `json:"status,omitempty"`
}

// ScimDirectoryList is a list of ScimDirectory.
//
// +kubebuilder:object:root=true
type ScimDirectoryList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ScimDirectory `json:"items"`
}

// ScimDirectorySpec is what an administrator asks for.
type ScimDirectorySpec struct {
	// primary asks that this directory's users and groups grant access in this
	// namespace. One directory of a namespace can be primary: the one that
	// already is keeps it, and any other that asks shows the condition
	// Primary=False with reason PrimaryConflict. A directory that is not
	// primary still accepts and stores everything its identity provider sends;
	// it grants nothing. Default: false.
	// +optional
	// +kubebuilder:default=false
	Primary bool `json:"primary,omitempty"`

	// suspended makes the SCIM server answer every call of this directory with
	// 503 and Retry-After, so that the identity provider tries again later.
	// People keep the access they have. Default: false.
	// +optional
	// +kubebuilder:default=false
	Suspended bool `json:"suspended,omitempty"`

	// tokens are the bearer tokens that the identity provider may present, at
	// most 16. All of them work at the same time, so a new one can be handed
	// out before the old one is taken away. Removing an entry, or deleting its
	// Secret, ends that token at once.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	Tokens []DirectoryToken `json:"tokens,omitempty"`

	// extensions declare schemas beside those of RFC 7643 (§3.3), at most 8.
	// Their attributes are checked, can be filtered by and patched, and are
	// announced in /Schemas and /ResourceTypes, of this directory only. What
	// an identity provider sends under any other URN is kept as it is sent. A
	// change works at once; what is stored already stays as it is until it is
	// written anew.
	// +optional
	// +listType=map
	// +listMapKey=urn
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:XValidation:rule="self.all(a, self.exists_one(b, (a.urn.lowerAscii() + ':').startsWith(b.urn.lowerAscii() + ':')))",message="two extensions have the same urn, or one urn is the beginning of another, so that their attributes could be confused"
	Extensions []ExtensionSchema `json:"extensions,omitempty"`

	// deletionPolicy says what happens to people's access when this
	// ScimDirectory is deleted. Retain: everybody keeps the roles they have,
	// as local members that no identity provider manages. Revoke: the roles
	// that this directory granted are taken away. The directory's users and
	// groups are removed in both cases. Default: Retain.
	// +optional
	// +kubebuilder:default=Retain
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// DeletionPolicy says what happens to people's access when their directory
// is deleted.
//
// +kubebuilder:validation:Enum=Retain;Revoke
type DeletionPolicy string

const (
	// DeletionRetain turns the directory's people into local members who keep
	// their roles.
	DeletionRetain DeletionPolicy = "Retain"
	// DeletionRevoke takes away what the directory granted.
	DeletionRevoke DeletionPolicy = "Revoke"
)

// DirectoryToken is one bearer token of a directory.
//
// +kubebuilder:validation:XValidation:rule="!has(self.expirationTime) || self.expirationTime.getFullYear() >= 2020",message="expirationTime must be a date such as 2030-03-31T00:00:00Z; leave it out for a token that does not expire"
type DirectoryToken struct {
	// name tells this token from the directory's others, in status and in the
	// audit log: lower-case letters, digits and hyphens, at most 63
	// characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`

	// secretRef names the Secret that holds the token. It must be in the same
	// namespace and of type scim-operator.io/token, and have either the key
	// token (the plaintext) or the key tokenSHA256 (its SHA-256, 64
	// hexadecimal digits). A Secret of any other type is never read as a
	// token.
	// +required
	SecretRef SecretReference `json:"secretRef"`

	// generate makes the operator create the Secret with a new random token
	// when no Secret of that name exists. The Secret has the directory as its
	// owner, so that the garbage collector of Kubernetes, not the operator,
	// deletes it after the directory; the token ends with the directory in
	// any case. Removing the entry leaves the Secret. Default: false.
	// +optional
	Generate bool `json:"generate,omitempty"`

	// scopes are what the token may do: Read (GET) and Write (POST, PUT,
	// PATCH, DELETE). A token with no scope, or without the one that a call
	// needs, is answered 403. Default: [Read, Write].
	// +optional
	// +listType=set
	// +kubebuilder:default={Read,Write}
	// +kubebuilder:validation:MaxItems=2
	Scopes []TokenScope `json:"scopes"`

	// expirationTime is when the token stops working (RFC 3339, for example
	// 2030-03-31T00:00:00Z). Without it the token does not expire.
	// +optional
	ExpirationTime *metav1.Time `json:"expirationTime,omitempty"`
}

// TokenScope is one thing a token may do.
//
// +kubebuilder:validation:Enum=Read;Write
type TokenScope string

const (
	// ScopeRead allows GET.
	ScopeRead TokenScope = "Read"
	// ScopeWrite allows POST, PUT, PATCH and DELETE.
	ScopeWrite TokenScope = "Write"
)

// SecretReference names a Secret of the same namespace.
type SecretReference struct {
	// name is the Secret's name, at most 253 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// DirectoryReference names a ScimDirectory of the same namespace.
type DirectoryReference struct {
	// name is the ScimDirectory's name, at most 63 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
}

// ScimDirectoryStatus is what the operator reports about a directory.
type ScimDirectoryStatus struct {
	// observedGeneration is the metadata.generation that this status
	// describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// baseURL is what the administrator enters in the identity provider as the
	// SCIM base URL (Okta: "Base URL", Entra ID: "Tenant URL").
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	BaseURL string `json:"baseURL,omitempty"`

	// primary says whether this directory's users and groups grant access in
	// this namespace.
	// +optional
	Primary bool `json:"primary"`

	// users is the number of users that the identity provider has provisioned,
	// active or not.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Users int32 `json:"users"`

	// activeUsers is the number of those users that are active.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ActiveUsers int32 `json:"activeUsers"`

	// groups is the number of groups that the identity provider has pushed.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Groups int32 `json:"groups"`

	// members is the number of memberships in those groups, added up.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Members int32 `json:"members"`

	// tokens is what is known of each token of the spec.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	Tokens []DirectoryTokenStatus `json:"tokens,omitempty"`

	// conditions are Ready; Primary (Elected, NotRequested, PrimaryConflict,
	// HandingOver); TokensValid (NoToken, TokenExpired, TokenInvalid); Stalled
	// while an administrator has to act.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// DirectoryTokenStatus is what is known of one token.
type DirectoryTokenStatus struct {
	// name is the token's name in the spec.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`

	// state is Valid, Expired (its expirationTime has passed) or Invalid (its
	// Secret is missing, of another type, or holds no token).
	// +required
	State TokenState `json:"state"`

	// lastFour is the last four characters of the token, to tell which one is
	// entered in the identity provider. Empty when the Secret holds only a
	// hash.
	// +optional
	// +kubebuilder:validation:MaxLength=4
	LastFour string `json:"lastFour,omitempty"`

	// expirationTime is when the token stops working. Absent when it does not
	// expire.
	// +optional
	ExpirationTime *metav1.Time `json:"expirationTime,omitempty"`
}

// TokenState says whether a token can be used.
//
// +kubebuilder:validation:Enum=Valid;Expired;Invalid
type TokenState string

const (
	// TokenValid can be used.
	TokenValid TokenState = "Valid"
	// TokenExpired has an expirationTime that has passed.
	TokenExpired TokenState = "Expired"
	// TokenInvalid has no Secret that can be read as a token.
	TokenInvalid TokenState = "Invalid"
)
