package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// AppTarget is a system where access takes effect: the operator makes what
// the system knows of people follow the AppMemberships of the namespace,
// and takes back only what it made itself.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=scim
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 63",message="the name of an AppTarget has at most 63 characters, because it marks what the target makes"
// +kubebuilder:printcolumn:name="Kind",type=string,JSONPath=`.status.kind`
// +kubebuilder:printcolumn:name="Mode",type=string,JSONPath=`.status.mode`
// +kubebuilder:printcolumn:name="Grants",type=integer,JSONPath=`.status.grants`
// +kubebuilder:printcolumn:name="Pending",type=integer,JSONPath=`.status.plan.changes`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type AppTarget struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard metadata of an object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is where access is to take effect.
	// +required
	Spec AppTargetSpec `json:"spec"`
	// status is what the operator reports.
	// +optional
	// +kubebuilder:default={}
	Status AppTargetStatus `json:"status,omitempty,omitzero"`
}

// AppTargetList is a list of AppTarget.
//
// +kubebuilder:object:root=true
type AppTargetList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []AppTarget `json:"items"`
}

// AppTargetSpec is where access is to take effect.
//
// +kubebuilder:validation:XValidation:rule="[has(self.kubernetesRBAC), has(self.argoCD), has(self.openShiftGroups), has(self.openFGA), has(self.webhook), has(self.grafana)].filter(is, is).size() == 1",message="set exactly one of kubernetesRBAC, argoCD, openShiftGroups, openFGA, webhook and grafana; make one AppTarget for each system"
// +kubebuilder:validation:XValidation:rule="(has(self.kubernetesRBAC) || has(self.argoCD) || has(self.openShiftGroups)) == has(self.serviceAccountName)",message="kubernetesRBAC, argoCD and openShiftGroups need serviceAccountName, the ServiceAccount of this namespace as which they write; the other kinds have none"
// +kubebuilder:validation:XValidation:rule="!(has(self.webhook) && self.?adopt.orValue(false))",message="adopt means nothing for a webhook: it has no grants that others made"
// +kubebuilder:validation:XValidation:rule="has(self.kubernetesRBAC) == has(oldSelf.kubernetesRBAC) && has(self.argoCD) == has(oldSelf.argoCD) && has(self.openShiftGroups) == has(oldSelf.openShiftGroups) && has(self.openFGA) == has(oldSelf.openFGA) && has(self.webhook) == has(oldSelf.webhook) && has(self.grafana) == has(oldSelf.grafana)",message="the kind of a target cannot be changed: make another AppTarget, and delete this one"
type AppTargetSpec struct {
	// mode is Observe (show in status what would be changed, change nothing)
	// or Enforce. Default: Observe.
	// +optional
	Mode TargetMode `json:"mode,omitempty"`

	// roles are the names of the AppRoles that the target carries, at most
	// 1000; a role that is not among them means nothing there. Default: all.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	Roles []string `json:"roles,omitempty"`

	// adopt takes over what stands in the target's place and was made by
	// others, so that it is changed, and taken back, as if the target had made
	// it. Otherwise it is left as it is. Default: false.
	// +optional
	Adopt bool `json:"adopt,omitempty"`

	// deletionPolicy is what becomes of the access that the target gave when
	// the AppTarget is deleted: Revoke takes it back, Orphan leaves it. A
	// target whose mode is Observe leaves it in either case. Default: Revoke.
	// +optional
	DeletionPolicy TargetDeletionPolicy `json:"deletionPolicy,omitempty"`

	// serviceAccountName is the ServiceAccount of this namespace as which
	// kubernetesRBAC, argoCD and openShiftGroups read and write, so that the
	// target can give nothing away that the ServiceAccount could not.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	ServiceAccountName string `json:"serviceAccountName,omitempty"`

	// kubernetesRBAC keeps RoleBindings and ClusterRoleBindings.
	// +optional
	KubernetesRBAC *KubernetesRBACTarget `json:"kubernetesRBAC,omitempty"`
	// argoCD keeps lines in Argo CD's RBAC policy.
	// +optional
	ArgoCD *ArgoCDTarget `json:"argoCD,omitempty"`
	// openShiftGroups keeps OpenShift Groups (user.openshift.io/v1).
	// +optional
	OpenShiftGroups *OpenShiftGroupsTarget `json:"openShiftGroups,omitempty"`
	// openFGA keeps relationship tuples in an OpenFGA store.
	// +optional
	OpenFGA *OpenFGATarget `json:"openFGA,omitempty"`
	// webhook makes one HTTP call for each change of access.
	// +optional
	Webhook *WebhookTarget `json:"webhook,omitempty"`
	// grafana keeps the members of Grafana's teams.
	// +optional
	Grafana *GrafanaTarget `json:"grafana,omitempty"`
}

// TargetMode says whether an AppTarget changes anything.
//
// +kubebuilder:validation:Enum=Observe;Enforce
type TargetMode string

const (
	// TargetObserve shows the plan in status and changes nothing.
	TargetObserve TargetMode = "Observe"
	// TargetEnforce carries the plan out.
	TargetEnforce TargetMode = "Enforce"
)

// TargetDeletionPolicy says what becomes of the access that a target gave when it is deleted.
//
// +kubebuilder:validation:Enum=Revoke;Orphan
type TargetDeletionPolicy string

const (
	// TargetRevoke takes back what the target gave.
	TargetRevoke TargetDeletionPolicy = "Revoke"
	// TargetOrphan leaves it in place.
	TargetOrphan TargetDeletionPolicy = "Orphan"
)

// WithDefaults is the spec with the defaults of the fields that nobody set. The manifest stays as its author wrote it.
func (s AppTargetSpec) WithDefaults() AppTargetSpec {
	if s.Mode == "" {
		s.Mode = TargetObserve
	}
	if s.DeletionPolicy == "" {
		s.DeletionPolicy = TargetRevoke
	}
	return s
}

// KubernetesRBACTarget keeps RoleBindings and ClusterRoleBindings, each of
// at most 1000 subjects.
type KubernetesRBACTarget struct {
	// subject is the name of a person's User, as Kubernetes' own
	// authentication tells it: text around {{ .userName }}, {{ .email }},
	// {{ .externalId }} or {{ .id }}, each perhaps with "| lower". At most 256
	// characters, none of them a control character. Default: {{ .userName }}.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[^\x00-\x1f\x7f-\x9f]+$`
	Subject string `json:"subject,omitempty"`

	// bindings say what each role means, at most 100.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	Bindings []KubernetesBinding `json:"bindings"`
}

// KubernetesBinding binds those who have a role to a Role or ClusterRole.
//
// +kubebuilder:validation:XValidation:rule="!self.?clusterWide.orValue(false) || self.roleRef.kind == 'ClusterRole' && !has(self.namespaces)",message="clusterWide binds a ClusterRole and leaves out namespaces"
type KubernetesBinding struct {
	// role is the name of the AppRole.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Role string `json:"role"`
	// roleRef names the Role or ClusterRole that they get.
	// +required
	RoleRef KubernetesRoleReference `json:"roleRef"`
	// namespaces are where RoleBindings are kept, at most 100. Default: the
	// AppTarget's own.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	Namespaces []string `json:"namespaces,omitempty"`
	// clusterWide keeps ClusterRoleBindings instead. Default: false.
	// +optional
	ClusterWide bool `json:"clusterWide,omitempty"`
	// name is the name of the binding; the second one for more than 1000
	// subjects is called <name>-2, and so on. At most 200 characters. Default:
	// one that the operator makes from the target's and the role's.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=200
	Name string `json:"name,omitempty"`
}

// KubernetesRoleReference names a Role or ClusterRole.
type KubernetesRoleReference struct {
	// kind is Role or ClusterRole.
	// +required
	// +kubebuilder:validation:Enum=Role;ClusterRole
	Kind string `json:"kind"`
	// name is the name of the Role or ClusterRole.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// ArgoCDTarget keeps the key policy.<namespace>.<name>.csv in the ConfigMap
// argocd-rbac-cm, where namespace and name are the AppTarget's.
//
// +kubebuilder:validation:XValidation:rule="has(self.__namespace__) == has(oldSelf.__namespace__) && (!has(self.__namespace__) || self.__namespace__ == oldSelf.__namespace__)",message="namespace cannot be changed: make another AppTarget for another Argo CD"
type ArgoCDTarget struct {
	// namespace is where Argo CD's ConfigMap argocd-rbac-cm is. Default:
	// argocd.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace,omitempty"`
	// subject is the attribute by which Argo CD knows a person: email (the
	// claim email), userName (preferred_username) or externalId (sub). The
	// claim has to be among the scopes of argocd-rbac-cm, except for sub.
	// Default: email.
	// +optional
	Subject ArgoCDSubject `json:"subject,omitempty"`
	// roles say what each role means in Argo CD, at most 1000.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1000
	Roles []ArgoCDRole `json:"roles"`
}

// ArgoCDSubject is an attribute by which Argo CD knows a person.
//
// +kubebuilder:validation:Enum=email;userName;externalId
type ArgoCDSubject string

const (
	// ArgoCDByEmail is the claim email.
	ArgoCDByEmail ArgoCDSubject = "email"
	// ArgoCDByUserName is the claim preferred_username.
	ArgoCDByUserName ArgoCDSubject = "userName"
	// ArgoCDByExternalID is the claim sub.
	ArgoCDByExternalID ArgoCDSubject = "externalId"
)

// ArgoCDRole says what a role means in Argo CD.
type ArgoCDRole struct {
	// role is the name of the AppRole.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Role string `json:"role"`
	// argoCDRole is the role of Argo CD, such as role:admin, or
	// proj:shop:deployer for a role of a project.
	// +required
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^(role:[A-Za-z0-9._-]+|proj:[A-Za-z0-9._-]+:[A-Za-z0-9._-]+)$`
	ArgoCDRole string `json:"argoCDRole"`
}

// OpenShiftGroupsTarget keeps OpenShift Groups.
type OpenShiftGroupsTarget struct {
	// subject is the name of a person's OpenShift User: text around
	// {{ .userName }}, {{ .email }}, {{ .externalId }} or {{ .id }}, each
	// perhaps with "| lower". At most 256 characters, none of them a control
	// character. Default: {{ .userName }}.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[^\x00-\x1f\x7f-\x9f]+$`
	Subject string `json:"subject,omitempty"`
	// prefix is put before a role's name to make the Group's name, at most 63
	// characters, without /, %, : and control characters.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[^/%:\x00-\x1f\x7f-\x9f]*$`
	Prefix string `json:"prefix,omitempty"`
	// groups name the Groups of some roles otherwise, at most 1000.
	// +optional
	// +listType=map
	// +listMapKey=role
	// +kubebuilder:validation:MaxItems=1000
	Groups []OpenShiftGroup `json:"groups,omitempty"`
}

// OpenShiftGroup names the Group of a role.
type OpenShiftGroup struct {
	// role is the name of the AppRole.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Role string `json:"role"`
	// name is the name of the Group, without /, %, : and control characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[^/%:\x00-\x1f\x7f-\x9f]+$`
	Name string `json:"name"`
}

// OpenFGATarget keeps relationship tuples in an OpenFGA store.
type OpenFGATarget struct {
	// url is the address of the OpenFGA server's HTTP API, at most 2048
	// characters.
	// +required
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^https?://[^?#@\x00-\x1f\x7f-\x9f]+$`
	URL string `json:"url"`
	// storeId is the id of the store, 26 characters.
	// +required
	// +kubebuilder:validation:MaxLength=26
	// +kubebuilder:validation:Pattern=`^[0-9A-HJKMNP-TV-Z]{26}$`
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="storeId cannot be changed: make another AppTarget for another store"
	StoreID string `json:"storeId"`
	// authorizationModelId is the id of the model by which tuples are written,
	// 26 characters. Default: the store's latest.
	// +optional
	// +kubebuilder:validation:MaxLength=26
	// +kubebuilder:validation:Pattern=`^[0-9A-HJKMNP-TV-Z]{26}$`
	AuthorizationModelID string `json:"authorizationModelId,omitempty"`
	// credentials names the Secret with the key token, which is sent as a
	// bearer token. Default: none is sent.
	// +optional
	Credentials *TargetSecretReference `json:"credentials,omitempty"`
	// user is the user of a person's tuples: a type, a colon, and text around
	// {{ .userName }}, {{ .email }}, {{ .externalId }} or {{ .id }}, each
	// perhaps with "| lower". At most 256 characters, none of them a control
	// character. Default: user:{{ .userName }}.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[^:#@\s{}\x00-\x1f\x7f-\x9f]+:[^\x00-\x1f\x7f-\x9f]+$`
	User string `json:"user,omitempty"`
	// tuples say what each role means, at most 1000.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1000
	Tuples []OpenFGATuple `json:"tuples"`
}

// OpenFGATuple relates those who have a role to an object.
type OpenFGATuple struct {
	// role is the name of the AppRole.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Role string `json:"role"`
	// relation is the relation that they have to the object, without :, #, @,
	// spaces and control characters.
	// +required
	// +kubebuilder:validation:MaxLength=50
	// +kubebuilder:validation:Pattern=`^[^:#@\s\x00-\x1f\x7f-\x9f]{1,50}$`
	Relation string `json:"relation"`
	// object is a type, a colon and an id, such as organization:acme, without
	// spaces and control characters.
	// +required
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[^:#@\s\x00-\x1f\x7f-\x9f]+:[^#:\s*\x00-\x1f\x7f-\x9f]+$`
	Object string `json:"object"`
}

// WebhookTarget makes one HTTP call for each change of access (Standard
// Webhooks).
type WebhookTarget struct {
	// url is the address that is called, https, at most 2048 characters.
	// +required
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^https://[^#@\x00-\x1f\x7f-\x9f]+$`
	URL string `json:"url"`
	// credentials names the Secret with the key signingSecret, with which calls
	// are signed: whsec_ and 24 to 64 bytes in base64. More than one, separated
	// by spaces, sign each call, so that a receiver can be given a new one. The
	// key ca.crt may hold certificates in PEM to trust beside the system's.
	// +required
	Credentials TargetSecretReference `json:"credentials"`
	// snapshotInterval is how often all people and their roles are sent, so
	// that a receiver can heal; at least one minute, or 0s for never. Default:
	// 24h.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`
	// +kubebuilder:validation:XValidation:rule="duration(self) == duration('0s') || duration(self) >= duration('1m')",message="snapshotInterval must be at least one minute, such as 6h, or 0s for never"
	SnapshotInterval string `json:"snapshotInterval,omitempty"`
}

// GrafanaTarget keeps the members of Grafana's teams.
type GrafanaTarget struct {
	// url is the address of Grafana, at most 2048 characters.
	// +required
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^https?://[^?#@\x00-\x1f\x7f-\x9f]+$`
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="url cannot be changed: make another AppTarget for another Grafana"
	URL string `json:"url"`
	// credentials names the Secret with the key token: that of a service
	// account of Grafana, which also says which organization is meant. The key
	// ca.crt may hold certificates in PEM to trust beside the system's.
	// +required
	Credentials TargetSecretReference `json:"credentials"`
	// subject is the attribute by which Grafana knows a person, without regard
	// to case: email is their e-mail address there, userName their login.
	// Default: email.
	// +optional
	Subject GrafanaSubject `json:"subject,omitempty"`
	// teams say what each role means, at most 1000.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1000
	Teams []GrafanaTeam `json:"teams"`
}

// GrafanaSubject is an attribute by which Grafana knows a person.
//
// +kubebuilder:validation:Enum=email;userName
type GrafanaSubject string

const (
	// GrafanaByEmail is the user's e-mail address.
	GrafanaByEmail GrafanaSubject = "email"
	// GrafanaByUserName is the user's login.
	GrafanaByUserName GrafanaSubject = "userName"
)

// GrafanaTeam says which team those who have a role are in.
type GrafanaTeam struct {
	// role is the name of the AppRole.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Role string `json:"role"`
	// team is the name of the team, in the same case and without control
	// characters; it is made if there is none when the first person is to be in
	// it, and never deleted.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=190
	// +kubebuilder:validation:Pattern=`^[^\x00-\x1f\x7f-\x9f]+$`
	Team string `json:"team"`
}

// TargetSecretReference names a Secret of type scim-operator.io/target in
// the AppTarget's namespace. A Secret of another type is never read, so
// that whoever may make AppTargets learns nothing of other Secrets.
type TargetSecretReference struct {
	// name is the name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// AppTargetStatus is what the operator reports about a target.
type AppTargetStatus struct {
	// observedGeneration is the metadata.generation that this status
	// describes; -1 until the operator has looked at the object, so that
	// nobody who waits for it takes it for done.
	// +optional
	// +kubebuilder:default=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// kind is the field of spec that says where access takes effect, such as
	// kubernetesRBAC.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Kind string `json:"kind,omitempty"`
	// mode is the mode in effect.
	// +optional
	Mode TargetMode `json:"mode,omitempty"`

	// grants is how many grants of this target the system holds: one for each
	// person and each thing that their roles mean there.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Grants int32 `json:"grants,omitempty"`
	// foreign is how many of the grants that are wanted are there because
	// others made them; the target does not take them back.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Foreign int32 `json:"foreign,omitempty"`
	// leftOut is how many people have a role that the system cannot take,
	// such as for want of an e-mail address.
	// +optional
	// +kubebuilder:validation:Minimum=0
	LeftOut int32 `json:"leftOut,omitempty"`
	// awaited is how many people have a role and are not known to the system
	// yet, such as for never having signed in. They get what the role means
	// soon after they are.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Awaited int32 `json:"awaited,omitempty"`

	// plan is what is yet to be changed. Absent when there is nothing.
	// +optional
	Plan *TargetPlan `json:"plan,omitempty"`

	// conditions are Ready (InSync, Observed, Applying, TargetUnreachable,
	// TargetRefused, NotOurs, InvalidSpec, Deleting), Reconciling, Stalled, and
	// ScopesMatch of argoCD.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// TargetPlan is the difference between the grants that are wanted and those
// that are there.
type TargetPlan struct {
	// hash is a SHA-256 of all changes, in hexadecimal.
	// +required
	// +kubebuilder:validation:MinLength=64
	// +kubebuilder:validation:MaxLength=64
	Hash string `json:"hash"`
	// changes is additions and removals together.
	// +required
	// +kubebuilder:validation:Minimum=0
	Changes int32 `json:"changes"`
	// additions is how many grants are to be made.
	// +required
	// +kubebuilder:validation:Minimum=0
	Additions int32 `json:"additions"`
	// removals is how many grants are to be taken back.
	// +required
	// +kubebuilder:validation:Minimum=0
	Removals int32 `json:"removals"`
	// lines are the first 20 changes, removals before additions, such as
	// "- ada@example.com: role:admin".
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MaxLength=4096
	Lines []string `json:"lines,omitempty"`
}
