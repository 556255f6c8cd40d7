package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// ScimUser is one user of an identity provider, as it was last
// provisioned. The SCIM server writes it; its name is the SCIM id, a
// random UUID that is never reused. To change a user, change it in the
// identity provider.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=scim
// +kubebuilder:selectablefield:JSONPath=`.spec.memberRef.name`
// +kubebuilder:printcolumn:name="Username",type=string,JSONPath=`.spec.userName`
// +kubebuilder:printcolumn:name="Active",type=boolean,JSONPath=`.spec.active`
// +kubebuilder:printcolumn:name="Directory",type=string,JSONPath=`.spec.directoryRef.name`
// +kubebuilder:printcolumn:name="Roles",type=string,JSONPath=`.status.roles`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Origin",type=string,JSONPath=`.spec.origin`,priority=1
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,priority=1
type ScimUser struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard metadata of an object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the user as the identity provider provisioned it.
	// +required
	Spec ScimUserSpec `json:"spec"`
	// status is what the operator reports.
	// +optional
	// +kubebuilder:default={}
	Status ScimUserStatus `json:"status,omitempty,omitzero"`
}

// ScimUserList is a list of ScimUser.
//
// +kubebuilder:object:root=true
type ScimUserList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ScimUser `json:"items"`
}

// ScimUserSpec is a User of RFC 7643 §4.1 with its enterprise extension
// (§4.3), under the RFC's names.
//
// +kubebuilder:validation:XValidation:rule="self.directoryRef == oldSelf.directoryRef",message="directoryRef cannot be changed: a user stays in the directory whose identity provider created it"
type ScimUserSpec struct {
	// directoryRef names the ScimDirectory that this user belongs to. It
	// cannot be changed.
	// +required
	DirectoryRef DirectoryReference `json:"directoryRef"`

	// origin says who the user comes from. IdP: the identity provider created
	// it, or took it over. App: it stands for a local member of the app
	// (memberRef) that the identity provider may find and take over; it grants
	// nothing. Default: IdP.
	// +optional
	Origin Origin `json:"origin,omitempty"`

	// memberRef names the AppMembership that a user of origin App stands for.
	// It stays when the identity provider takes the user over: that local
	// member is the person's, also if they are called otherwise there.
	// +optional
	MemberRef *MemberReference `json:"memberRef,omitempty"`

	UserAttributes `json:",inline"`

	// enterprise is the extension
	// urn:ietf:params:scim:schemas:extension:enterprise:2.0:User (RFC 7643
	// §4.3).
	// +optional
	Enterprise *EnterpriseUser `json:"enterprise,omitempty"`

	// extensions are the attributes of other schemas, by schema URN, at most
	// 16: in the form that the ScimDirectory declares, else as they were sent.
	// +optional
	// +kubebuilder:validation:MaxProperties=16
	Extensions map[string]Extension `json:"extensions,omitempty"`
}

// UserAttributes are the attributes of the core User schema (RFC 7643
// §4.1) and externalId (§3.1), under their own names.
type UserAttributes struct {
	// externalId is the identity provider's own identifier of the user,
	// case-exact, at most 1024 characters (RFC 7643 §3.1).
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	ExternalID string `json:"externalId,omitempty"`

	// userName identifies the user to the app; upper and lower case are the
	// same. Unique in the directory, 1 to 1024 characters (RFC 7643 §4.1.1).
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	UserName string `json:"userName"`

	// active is whether the person may use the app. When it is false, the
	// person has no role in the app. Default: true.
	// +optional
	// +kubebuilder:default=true
	Active bool `json:"active"`

	// name holds the components of the user's name.
	// +optional
	Name *UserName `json:"name,omitempty"`

	// displayName is the name to show for the user, at most 1024 characters.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	DisplayName string `json:"displayName,omitempty"`

	// nickName is the casual way to address the user, at most 4096 characters.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	NickName string `json:"nickName,omitempty"`

	// profileUrl is the address of a page about the user, at most 8192
	// characters.
	// +optional
	// +kubebuilder:validation:MaxLength=8192
	ProfileURL string `json:"profileUrl,omitempty"`

	// title is the user's title, such as "Vice President", at most 4096
	// characters.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Title string `json:"title,omitempty"`

	// userType is the relationship of the user to the organization, such as
	// "Employee", at most 4096 characters.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	UserType string `json:"userType,omitempty"`

	// preferredLanguage is a list of language ranges as in an Accept-Language
	// header, at most 4096 characters.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	PreferredLanguage string `json:"preferredLanguage,omitempty"`

	// locale is a language tag such as "en-US" for formats of dates and
	// numbers, at most 4096 characters.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Locale string `json:"locale,omitempty"`

	// timezone is the user's time zone as an IANA name such as
	// "Europe/Berlin", at most 4096 characters.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Timezone string `json:"timezone,omitempty"`

	// emails are the user's e-mail addresses, at most 100.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	Emails []MultiValue `json:"emails,omitempty"`

	// phoneNumbers are the user's telephone numbers, at most 100.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	PhoneNumbers []MultiValue `json:"phoneNumbers,omitempty"`

	// ims are the user's instant messaging addresses, at most 100.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	IMs []MultiValue `json:"ims,omitempty"`

	// photos are addresses of images of the user, at most 100.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	Photos []MultiValue `json:"photos,omitempty"`

	// addresses are the user's postal addresses, at most 100.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	Addresses []Address `json:"addresses,omitempty"`

	// entitlements are things the user has according to the identity provider,
	// at most 100. They are stored and returned; they grant nothing in the
	// app.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	Entitlements []MultiValue `json:"entitlements,omitempty"`

	// roles are roles of the user according to the identity provider, at most
	// 100. They are stored and returned; the roles in the app come from groups
	// through AppRole.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	Roles []MultiValue `json:"roles,omitempty"`

	// x509Certificates are the user's certificates in base64, at most 100.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	X509Certificates []Certificate `json:"x509Certificates,omitempty"`
}

// UserName holds the components of a user's name (RFC 7643 §4.1.1), each
// at most 4096 characters.
type UserName struct {
	// formatted is the full name as it is to be shown.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Formatted string `json:"formatted,omitempty"`
	// familyName is the last name in most Western languages.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	FamilyName string `json:"familyName,omitempty"`
	// givenName is the first name in most Western languages.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	GivenName string `json:"givenName,omitempty"`
	// middleName is the middle name or names.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	MiddleName string `json:"middleName,omitempty"`
	// honorificPrefix is a title before the name, such as "Ms.".
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	HonorificPrefix string `json:"honorificPrefix,omitempty"`
	// honorificSuffix is a suffix after the name, such as "III".
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	HonorificSuffix string `json:"honorificSuffix,omitempty"`
}

// MultiValue is one value of a multi-valued attribute (RFC 7643 §2.4).
type MultiValue struct {
	// value is the value itself, at most 8192 characters.
	// +optional
	// +kubebuilder:validation:MaxLength=8192
	Value string `json:"value,omitempty"`
	// display is how to show the value, at most 4096 characters.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Display string `json:"display,omitempty"`
	// type is the function of the value, such as "work" or "home", at most
	// 4096 characters.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Type string `json:"type,omitempty"`
	// primary marks the preferred value; at most one value has it.
	// +optional
	Primary *bool `json:"primary,omitempty"`
}

// Certificate is one X.509 certificate of a user (RFC 7643 §4.1.2).
type Certificate struct {
	// value is the DER-encoded certificate in base64, at most 32768
	// characters.
	// +optional
	// +kubebuilder:validation:MaxLength=32768
	Value string `json:"value,omitempty"`
	// display is how to show the certificate, at most 4096 characters.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Display string `json:"display,omitempty"`
	// type is the function of the certificate, at most 4096 characters.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Type string `json:"type,omitempty"`
	// primary marks the preferred certificate; at most one has it.
	// +optional
	Primary *bool `json:"primary,omitempty"`
}

// Address is one postal address of a user (RFC 7643 §4.1.2), each
// component at most 4096 characters.
type Address struct {
	// formatted is the full address as it is to be shown.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Formatted string `json:"formatted,omitempty"`
	// streetAddress is the street, with number and further lines.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	StreetAddress string `json:"streetAddress,omitempty"`
	// locality is the city.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Locality string `json:"locality,omitempty"`
	// region is the state or region.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Region string `json:"region,omitempty"`
	// postalCode is the postal code.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	PostalCode string `json:"postalCode,omitempty"`
	// country is the country, by ISO 3166-1 alpha-2 code where the identity
	// provider follows the RFC.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Country string `json:"country,omitempty"`
	// type is the function of the address, such as "work" or "home".
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Type string `json:"type,omitempty"`
	// primary marks the preferred address; at most one has it.
	// +optional
	Primary *bool `json:"primary,omitempty"`
}

// EnterpriseUser is the enterprise extension of User (RFC 7643 §4.3), each
// string at most 4096 characters.
type EnterpriseUser struct {
	// employeeNumber is the identifier of the person in the organization.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	EmployeeNumber string `json:"employeeNumber,omitempty"`
	// costCenter is the name of a cost center.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	CostCenter string `json:"costCenter,omitempty"`
	// organization is the name of an organization.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Organization string `json:"organization,omitempty"`
	// division is the name of a division.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Division string `json:"division,omitempty"`
	// department is the name of a department.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Department string `json:"department,omitempty"`
	// manager is the user's manager.
	// +optional
	Manager *Manager `json:"manager,omitempty"`
}

// Manager refers to a user's manager (RFC 7643 §4.3).
type Manager struct {
	// value is the SCIM id of the manager, at most 4096 characters.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Value string `json:"value,omitempty"`
}

// Extension is the attributes of one extension schema.
//
// +kubebuilder:validation:Type=object
// +kubebuilder:pruning:PreserveUnknownFields
type Extension struct {
	runtime.RawExtension `json:",inline"`
}

// ScimUserStatus is what the operator reports about a user.
type ScimUserStatus struct {
	// observedGeneration is the metadata.generation that this status
	// describes; -1 until the operator has looked at the object, so that
	// nobody who waits for it takes it for done.
	// +optional
	// +kubebuilder:default=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// roles are the names of the AppRoles that this user has in the app
	// through the directory, sorted.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:items:MaxLength=253
	Roles []string `json:"roles,omitempty"`

	// provisionedTime is when the user first became an active member of the
	// app, and the event UserProvisioned told of it.
	// +optional
	ProvisionedTime *metav1.Time `json:"provisionedTime,omitempty"`

	// conditions are Ready (Provisioned, Deactivated, NotPrimary, Local,
	// ChangesHeld, LastHolder, LocalMemberExists, Conflict, DirectoryNotFound,
	// TooManyRoles); Stalled while an administrator has to act.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Origin says who a user or group comes from.
//
// +kubebuilder:validation:Enum=IdP;App
type Origin string

const (
	// OriginIDP: the identity provider owns it. It is what an empty origin means.
	OriginIDP Origin = "IdP"
	// OriginApp: it stands for something that the app has and the identity provider may take over.
	OriginApp Origin = "App"
)

// MemberReference names an AppMembership of the same namespace.
type MemberReference struct {
	// name is the AppMembership's name, at most 253 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// RoleReference names an AppRole of the same namespace.
type RoleReference struct {
	// name is the AppRole's name, at most 253 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}
