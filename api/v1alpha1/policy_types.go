package v1alpha1

import (
	"cmp"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// UsersPolicy says how the users of an identity provider become people of
// the app.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.importable) && self.importable == 'All' && has(self.existing) && self.existing == 'Reject')",message="importable: All lists the app's own people for the identity provider to take over, and existing: Reject refuses that; set existing: Adopt, or importable: Provisioned"
type UsersPolicy struct {
	// identifier is the attribute that says that two records are the same
	// person: userName, or email (the primary e-mail address, else the first,
	// else the userName). Upper and lower case are the same. It is unique in
	// the directory, as userName always is. Default: userName.
	// +optional
	Identifier UserIdentifier `json:"identifier,omitempty"`

	// deactivation says what active: false means. Keep: the user stays, is
	// still listed, and has no access. Delete: the user is gone from SCIM and
	// from the app; brought back within tombstoneTTL, the person has the same
	// id again, and the roles that were granted by hand. Default: Keep.
	// +optional
	Deactivation Deactivation `json:"deactivation,omitempty"`

	// tombstoneTTL is for how long a deleted user is remembered, by id and by
	// a hash of the identifier, so that the same person gets the same id
	// back: hours, minutes and seconds, such as 720h. 0s remembers nobody.
	// Default: 720h.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=18
	// +kubebuilder:validation:Pattern=`^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$`
	TombstoneTTL *metav1.Duration `json:"tombstoneTTL,omitempty"`

	// existing says what happens when the identity provider creates a user
	// whom the app has already, as a local member with the same identifier.
	// Adopt: the directory takes the member over, with the roles that were
	// granted by hand. Reject: 409. Default: Adopt.
	// +optional
	Existing ExistingPolicy `json:"existing,omitempty"`

	// importable says whom a list of users shows to the identity provider.
	// All: the app's local members too, to be taken over. Provisioned: those
	// of this directory. None: nobody, unless the filter names one by id,
	// userName, externalId or e-mail address. Default: Provisioned.
	// +optional
	Importable Importable `json:"importable,omitempty"`

	// allowedDomains are the domains that the identifier must be an address
	// of, in lower case, at most 100. Others are refused with 400. Users that
	// exist can always be deactivated. Without it every domain is allowed.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:items:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	AllowedDomains []string `json:"allowedDomains,omitempty"`

	// justInTime says whether the app may create members by itself, at
	// sign-in, while this directory is the primary one. Denied: the API server
	// refuses new local AppMemberships. Default: Allowed.
	// +optional
	JustInTime JustInTime `json:"justInTime,omitempty"`
}

// GroupsPolicy says what the groups of an identity provider are to the
// app.
//
// +kubebuilder:validation:XValidation:rule="(has(self.meaning) && self.meaning == 'Role') || !((has(self.importable) && self.importable == 'All') || (has(self.existing) && self.existing == 'Reject'))",message="importable: All and existing: Reject are about the app's roles, which are groups only with meaning: Role"
// +kubebuilder:validation:XValidation:rule="!(has(self.importable) && self.importable == 'All' && has(self.existing) && self.existing == 'Reject')",message="importable: All lists the app's roles for the identity provider to link, and existing: Reject refuses that; set existing: Adopt, or importable: Provisioned"
// +kubebuilder:validation:XValidation:rule="!(has(self.rename) && self.rename == 'Reject' && has(self.importable) && self.importable == 'All')",message="linking a group in Okta gives it the name it has there, which rename: Reject refuses; set rename: Accept or Ignore, or importable: Provisioned"
type GroupsPolicy struct {
	// meaning says what a group is. Group: a group, to which AppRoles may be
	// attached (AppRole.spec.grantedTo). Role: a role of the app; every AppRole
	// is a group that the identity provider can link, and a group that it
	// creates becomes an AppRole. Default: Group.
	// +optional
	Meaning GroupMeaning `json:"meaning,omitempty"`

	// existing says what happens when the identity provider creates a group of
	// the same name as a role of the app. Adopt: the group is that role.
	// Reject: 409. Default: Adopt.
	// +optional
	Existing ExistingPolicy `json:"existing,omitempty"`

	// rename says what happens when the identity provider gives a group
	// another name. Accept: the group, and the role that it is, are called so.
	// Ignore: it is answered with success and the name stays. Reject: 400.
	// Default: Accept.
	// +optional
	Rename RenamePolicy `json:"rename,omitempty"`

	// importable says which groups a list shows to the identity provider.
	// All: the app's roles too, to be linked. Provisioned: those of this
	// directory. None: none, unless the filter names one by id, displayName or
	// externalId. Default: Provisioned.
	// +optional
	Importable Importable `json:"importable,omitempty"`

	// reserved are names of groups that the app keeps for itself, at most 100:
	// they cannot be created, linked or imported. Upper and lower case are the
	// same.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=1024
	Reserved []string `json:"reserved,omitempty"`
}

// Safeguard limits how many people lose access at once.
type Safeguard struct {
	// window is the time over which removals are counted: hours, minutes and
	// seconds, such as 1h; at least one minute. Default: 1h.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=18
	// +kubebuilder:validation:Pattern=`^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$`
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1m')",message="the window must be at least one minute, such as 1h"
	Window *metav1.Duration `json:"window,omitempty"`

	// minimum is how many people may lose access within the window in any
	// case, at least 1. Default: 5.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	Minimum *int32 `json:"minimum,omitempty"`

	// percent is how many of the active members, in per cent, may lose access
	// within the window where that is more than minimum. Default: 10.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Percent *int32 `json:"percent,omitempty"`
}

// UserIdentifier is the attribute that identifies a person.
//
// +kubebuilder:validation:Enum=userName;email
type UserIdentifier string

const (
	// IdentifierUserName: the userName.
	IdentifierUserName UserIdentifier = "userName"
	// IdentifierEmail: the primary e-mail address, else the first, else the userName.
	IdentifierEmail UserIdentifier = "email"
)

// Deactivation says what active: false means.
//
// +kubebuilder:validation:Enum=Keep;Delete
type Deactivation string

const (
	// DeactivationKeep keeps the user, inactive.
	DeactivationKeep Deactivation = "Keep"
	// DeactivationDelete deletes the user and leaves a ScimTombstone.
	DeactivationDelete Deactivation = "Delete"
)

// ExistingPolicy says what happens to something of the app that the
// identity provider is about to create.
//
// +kubebuilder:validation:Enum=Adopt;Reject
type ExistingPolicy string

const (
	// ExistingAdopt: the directory takes it over.
	ExistingAdopt ExistingPolicy = "Adopt"
	// ExistingReject: 409.
	ExistingReject ExistingPolicy = "Reject"
)

// Importable says what a list shows to the identity provider.
//
// +kubebuilder:validation:Enum=All;Provisioned;None
type Importable string

const (
	// ImportableAll: what the app has, too.
	ImportableAll Importable = "All"
	// ImportableProvisioned: what the identity provider owns.
	ImportableProvisioned Importable = "Provisioned"
	// ImportableNone: nothing that is not asked for by name.
	ImportableNone Importable = "None"
)

// JustInTime says whether the app may create members by itself.
//
// +kubebuilder:validation:Enum=Allowed;Denied
type JustInTime string

const (
	// JustInTimeAllowed: it may.
	JustInTimeAllowed JustInTime = "Allowed"
	// JustInTimeDenied: it may not, while the directory is the primary one.
	JustInTimeDenied JustInTime = "Denied"
)

// GroupMeaning says what a group is to the app.
//
// +kubebuilder:validation:Enum=Group;Role
type GroupMeaning string

const (
	// GroupsAreGroups: a group is only a group.
	GroupsAreGroups GroupMeaning = "Group"
	// GroupsAreRoles: a group is a role of the app.
	GroupsAreRoles GroupMeaning = "Role"
)

// RenamePolicy says what happens to a new name of a group.
//
// +kubebuilder:validation:Enum=Accept;Ignore;Reject
type RenamePolicy string

const (
	// RenameAccept stores it.
	RenameAccept RenamePolicy = "Accept"
	// RenameIgnore answers with success and keeps the old one.
	RenameIgnore RenamePolicy = "Ignore"
	// RenameReject answers 400.
	RenameReject RenamePolicy = "Reject"
)

// LocalEdits says whether others may change what the identity provider
// owns.
//
// +kubebuilder:validation:Enum=Deny;Allow
type LocalEdits string

const (
	// LocalEditsDeny: only the operator may.
	LocalEditsDeny LocalEdits = "Deny"
	// LocalEditsAllow: whoever has the right to.
	LocalEditsAllow LocalEdits = "Allow"
)

// WithDefaults is the policy with what it leaves out.
func (p UsersPolicy) WithDefaults() UsersPolicy {
	p.Identifier = cmp.Or(p.Identifier, IdentifierUserName)
	p.Deactivation = cmp.Or(p.Deactivation, DeactivationKeep)
	p.Existing = cmp.Or(p.Existing, ExistingAdopt)
	p.Importable = cmp.Or(p.Importable, ImportableProvisioned)
	p.JustInTime = cmp.Or(p.JustInTime, JustInTimeAllowed)
	if p.TombstoneTTL == nil {
		p.TombstoneTTL = &metav1.Duration{Duration: 30 * 24 * time.Hour}
	}
	return p
}

// Mirrored says whether the directory has a ScimUser of origin App for each local member: to list them, or to keep their
// names from being taken.
func (p UsersPolicy) Mirrored() bool {
	return p.Importable == ImportableAll || p.Existing == ExistingReject
}

// WithDefaults is the policy with what it leaves out.
func (p GroupsPolicy) WithDefaults() GroupsPolicy {
	p.Meaning = cmp.Or(p.Meaning, GroupsAreGroups)
	p.Existing = cmp.Or(p.Existing, ExistingAdopt)
	p.Rename = cmp.Or(p.Rename, RenameAccept)
	p.Importable = cmp.Or(p.Importable, ImportableProvisioned)
	return p
}

// WithDefaults is the safeguard with what it leaves out.
func (s Safeguard) WithDefaults() Safeguard {
	if s.Window == nil {
		s.Window = &metav1.Duration{Duration: time.Hour}
	}
	if s.Minimum == nil {
		s.Minimum = new(int32(5))
	}
	if s.Percent == nil {
		s.Percent = new(int32(10))
	}
	return s
}
