package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// AppTargetLedger is a page of an AppTarget's record of what it gave, for
// systems that do not say themselves who made a grant. A grant is on
// record before it is made, and until it is taken back.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:categories=scim
// +kubebuilder:printcolumn:name="Target",type=string,JSONPath=`.spec.targetRef.name`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type AppTargetLedger struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard metadata of an object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what is on record.
	// +required
	Spec AppTargetLedgerSpec `json:"spec"`
}

// AppTargetLedgerList is a list of AppTargetLedger.
//
// +kubebuilder:object:root=true
type AppTargetLedgerList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []AppTargetLedger `json:"items"`
}

// AppTargetLedgerSpec is a page of a target's record.
type AppTargetLedgerSpec struct {
	// targetRef names the AppTarget.
	// +required
	TargetRef TargetReference `json:"targetRef"`

	// entries are the subjects on this page, each on one page only, at most
	// 500.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=500
	Entries []LedgerEntry `json:"entries,omitempty"`

	// sequences are the last numbers that events about subjects of this page
	// have had, one for each directory.
	// +optional
	// +listType=map
	// +listMapKey=directory
	// +kubebuilder:validation:MaxItems=1000
	Sequences []LedgerSequence `json:"sequences,omitempty"`
}

// TargetReference names an AppTarget of the same namespace.
type TargetReference struct {
	// name is the name of the AppTarget.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
}

// LedgerEntry is what is on record about one subject.
type LedgerEntry struct {
	// subject is who has the grants, as the system knows them.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8192
	Subject string `json:"subject"`
	// grants are what the subject has.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=2100
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=1280
	Grants []string `json:"grants,omitempty"`
	// pending is what a receiver is being told about the subject. Absent when
	// it has been told everything.
	// +optional
	Pending *LedgerPending `json:"pending,omitempty"`
}

// LedgerPending is what a receiver is being told about a subject.
type LedgerPending struct {
	// grants are what the subject has once the receiver has been told.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=2100
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=1280
	Grants []string `json:"grants,omitempty"`
	// user says who the person is as the events tell it, so that an event that
	// is sent again is the same. Absent for somebody who is removed.
	// +optional
	User *MemberIdentity `json:"user,omitempty"`
	// directory is the name of the ScimDirectory in whose sequence the events
	// are; empty for a local member.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Directory string `json:"directory,omitempty"`
	// first is the number of the first event.
	// +required
	// +kubebuilder:validation:Minimum=1
	First int64 `json:"first"`
	// events is how many events there are, with numbers that follow each other.
	// +required
	// +kubebuilder:validation:Minimum=1
	Events int64 `json:"events"`
	// time is when the change was seen, which the events tell.
	// +required
	Time metav1.Time `json:"time"`
}

// LedgerSequence is the last number that an event of a directory has had.
type LedgerSequence struct {
	// directory is the name of the ScimDirectory; empty for local members.
	// +required
	// +kubebuilder:validation:MaxLength=63
	Directory string `json:"directory"`
	// last is the number.
	// +required
	// +kubebuilder:validation:Minimum=1
	Last int64 `json:"last"`
}
