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
	// +kubebuilder:default={}
	Status ScimDirectoryStatus `json:"status,omitempty,omitzero"`
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
	Primary bool `json:"primary,omitempty"`

	// suspended makes the SCIM server answer every call of this directory with
	// 503 and Retry-After, so that the identity provider tries again later.
	// People keep the access they have. Default: false.
	// +optional
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

	// users says how the identity provider's users become people of the app.
	// +optional
	Users UsersPolicy `json:"users,omitzero"`

	// groups says what the identity provider's groups are to the app.
	// +optional
	Groups GroupsPolicy `json:"groups,omitzero"`

	// localEdits says whether anybody but the operator may change what the
	// identity provider owns: ScimUsers, ScimGroups, ScimMemberSlices, and in
	// an AppMembership the person, active, and the roles that this directory
	// granted. Deny: the API server refuses it and names the directory. Allow:
	// it is stored, and lasts until the identity provider writes again.
	// Roles granted by hand and local members can be edited in any case.
	// Default: Deny.
	// +optional
	LocalEdits LocalEdits `json:"localEdits,omitempty"`

	// safeguard holds back mass removals of access until an administrator has
	// approved them. Without it, every removal is carried out at once.
	// +optional
	Safeguard *Safeguard `json:"safeguard,omitempty"`

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
	// PATCH, DELETE). A token that lacks the one a call needs is answered 403;
	// with [] it may do nothing. Default: [Read, Write].
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=2
	Scopes []TokenScope `json:"scopes,omitzero"`

	// expirationTime is when the token stops working (RFC 3339, for example
	// 2030-03-31T00:00:00Z). Without it the token does not expire.
	// +optional
	ExpirationTime *metav1.Time `json:"expirationTime,omitempty"`

	// plaintext says what happens to a token that its Secret holds as it is.
	// Keep: it stays. EraseAfterFirstUse: once the identity provider has used
	// it, the operator replaces it in the Secret by its hash, so that it can
	// be read there only until it is in use. Default: Keep.
	// +optional
	Plaintext PlaintextPolicy `json:"plaintext,omitempty"`
}

// PlaintextPolicy says what happens to the plaintext of a token.
//
// +kubebuilder:validation:Enum=Keep;EraseAfterFirstUse
type PlaintextPolicy string

const (
	// PlaintextKeep leaves it in the Secret.
	PlaintextKeep PlaintextPolicy = "Keep"
	// PlaintextEraseAfterFirstUse replaces it by its hash once it has been used.
	PlaintextEraseAfterFirstUse PlaintextPolicy = "EraseAfterFirstUse"
)

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
	// describes; -1 until the operator has looked at the object, so that
	// nobody who waits for it takes it for done.
	// +optional
	// +kubebuilder:default=-1
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

	// lastRequestTime is when the identity provider last called with a valid
	// token, to within five minutes.
	// +optional
	LastRequestTime *metav1.Time `json:"lastRequestTime,omitempty"`

	// held is the removals of access that the safeguard holds back. Absent
	// when there are none.
	// +optional
	Held *HeldChanges `json:"held,omitempty"`

	// removals is the safeguard's count of the removals of access that were
	// carried out in its current window.
	// +optional
	Removals *RemovalWindow `json:"removals,omitempty"`

	// tokens is what is known of each token of the spec.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	Tokens []DirectoryTokenStatus `json:"tokens,omitempty"`

	// conditions are Ready; Primary (Elected, NotRequested, PrimaryConflict,
	// HandingOver); TokensValid (NoToken, TokenExpired, TokenInvalid,
	// TokenExpiringSoon); ChangesHeld while the safeguard holds removals back;
	// Restored while a directory from a backup waits to be acknowledged; Stalled while an administrator has to act.
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
	// +optional
	State TokenState `json:"state,omitempty"`

	// lastFour is the last four characters of the token, to tell which one is
	// entered in the identity provider. Empty when the Secret holds only a
	// hash, without the key lastFour.
	// +optional
	// +kubebuilder:validation:MaxLength=4
	LastFour string `json:"lastFour,omitempty"`

	// expirationTime is when the token stops working. Absent when it does not
	// expire.
	// +optional
	ExpirationTime *metav1.Time `json:"expirationTime,omitempty"`

	// lastUsedTime is when a call with this token was last answered, to within
	// five minutes.
	// +optional
	LastUsedTime *metav1.Time `json:"lastUsedTime,omitempty"`

	// usedSecretVersion is the metadata.resourceVersion of the Secret that
	// held the token when it was last used.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	UsedSecretVersion string `json:"usedSecretVersion,omitempty"`

	// lastFailureTime is when a call with this token was last refused, to
	// within five minutes.
	// +optional
	LastFailureTime *metav1.Time `json:"lastFailureTime,omitempty"`

	// lastFailureReason is why: Expired, or ScopeMissing.
	// +optional
	LastFailureReason TokenFailure `json:"lastFailureReason,omitempty"`
}

// TokenFailure is why a call with a known token was refused.
//
// +kubebuilder:validation:Enum=Expired;ScopeMissing
type TokenFailure string

const (
	// TokenFailureExpired: the token's expirationTime had passed (401).
	TokenFailureExpired TokenFailure = "Expired"
	// TokenFailureScopeMissing: the token lacked the scope that the call needs (403).
	TokenFailureScopeMissing TokenFailure = "ScopeMissing"
)

// HeldChanges is a plan of removals of access that waits for approval.
type HeldChanges struct {
	// people is the number of people who would lose access.
	// +required
	// +kubebuilder:validation:Minimum=0
	People int32 `json:"people"`
	// plan identifies exactly these removals. Annotate the directory with
	// scim-operator.io/approve=<plan> to have them carried out.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Plan string `json:"plan"`
	// since is when the first of them was held back.
	// +required
	Since metav1.Time `json:"since"`
}

// RemovalWindow counts removals of access over a time.
type RemovalWindow struct {
	// startTime is when the window began.
	// +required
	StartTime metav1.Time `json:"startTime"`
	// people is the number of people who have lost access since then.
	// +required
	// +kubebuilder:validation:Minimum=0
	People int32 `json:"people"`
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
