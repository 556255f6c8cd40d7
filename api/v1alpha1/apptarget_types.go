package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// AppTarget is a system where access takes effect. This version of the
// operator reads AppTargets and refuses them: each shows Ready=False and
// Stalled with reason TargetNotSupported, and nothing is changed anywhere.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=scim
// +kubebuilder:printcolumn:name="Mode",type=string,JSONPath=`.spec.mode`
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
	Status AppTargetStatus `json:"status,omitempty"`
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
// +kubebuilder:validation:XValidation:rule="(has(self.kubernetesRBAC) ? 1 : 0) + (has(self.argoCD) ? 1 : 0) + (has(self.openShiftGroups) ? 1 : 0) + (has(self.openFGA) ? 1 : 0) + (has(self.webhook) ? 1 : 0) == 1",message="set exactly one of kubernetesRBAC, argoCD, openShiftGroups, openFGA and webhook; make one AppTarget for each system"
type AppTargetSpec struct {
	// mode is Observe (show in status what would be changed, change nothing)
	// or Enforce. Default: Observe.
	// +optional
	// +kubebuilder:default=Observe
	Mode TargetMode `json:"mode,omitempty"`

	// kubernetesRBAC asks for RoleBindings in this namespace.
	// +optional
	KubernetesRBAC *KubernetesRBACTarget `json:"kubernetesRBAC,omitempty"`
	// argoCD asks for lines in Argo CD's RBAC policy.
	// +optional
	ArgoCD *ArgoCDTarget `json:"argoCD,omitempty"`
	// openShiftGroups asks for OpenShift Groups (user.openshift.io/v1).
	// +optional
	OpenShiftGroups *OpenShiftGroupsTarget `json:"openShiftGroups,omitempty"`
	// openFGA asks for relationship tuples in an OpenFGA store.
	// +optional
	OpenFGA *OpenFGATarget `json:"openFGA,omitempty"`
	// webhook asks for one HTTP call for each change of access.
	// +optional
	Webhook *WebhookTarget `json:"webhook,omitempty"`
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

// KubernetesRBACTarget asks for RoleBindings in this namespace.
type KubernetesRBACTarget struct {
	// serviceAccountName is the ServiceAccount of this namespace as which
	// RoleBindings would be written.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	ServiceAccountName string `json:"serviceAccountName"`
}

// ArgoCDTarget asks for lines in Argo CD's RBAC policy.
type ArgoCDTarget struct {
	// namespace is where Argo CD's ConfigMap argocd-rbac-cm is. Default:
	// argocd.
	// +optional
	// +kubebuilder:default=argocd
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace,omitempty"`
}

// OpenShiftGroupsTarget asks for OpenShift Groups.
type OpenShiftGroupsTarget struct {
	// prefix is put before each role's name to make the Group's name, at most
	// 63 characters.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Prefix string `json:"prefix,omitempty"`
}

// OpenFGATarget asks for relationship tuples in an OpenFGA store.
type OpenFGATarget struct {
	// url is the address of the OpenFGA server's HTTP API, at most 2048
	// characters.
	// +required
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^https?://`
	URL string `json:"url"`
	// storeId is the id of the store, 26 characters.
	// +required
	// +kubebuilder:validation:MaxLength=26
	// +kubebuilder:validation:Pattern=`^[0-9A-HJKMNP-TV-Z]{26}$`
	StoreID string `json:"storeId"`
}

// WebhookTarget asks for one HTTP call for each change of access.
type WebhookTarget struct {
	// url is the address that would be called, https, at most 2048 characters.
	// +required
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^https://`
	URL string `json:"url"`
}

// AppTargetStatus is what the operator reports about a target.
type AppTargetStatus struct {
	// observedGeneration is the metadata.generation that this status
	// describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions are Ready and Stalled (TargetNotSupported).
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}
