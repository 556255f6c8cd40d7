package v1alpha1

import (
	"crypto/sha256"
	"encoding/hex"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ScimTombstone remembers a deleted user by a hash, so that the same
// person gets the same SCIM id back within the directory's
// users.tombstoneTTL. Its name is that id.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:categories=scim
// +kubebuilder:printcolumn:name="Directory",type=string,JSONPath=`.spec.directoryRef.name`
// +kubebuilder:printcolumn:name="Deleted",type=date,JSONPath=`.spec.deletionTime`
type ScimTombstone struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard metadata of an object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what is remembered.
	// +required
	Spec ScimTombstoneSpec `json:"spec"`
}

// ScimTombstoneList is a list of ScimTombstone.
//
// +kubebuilder:object:root=true
type ScimTombstoneList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ScimTombstone `json:"items"`
}

// ScimTombstoneSpec is what is remembered of a deleted user.
type ScimTombstoneSpec struct {
	// directoryRef names the ScimDirectory that the user belonged to.
	// +required
	DirectoryRef DirectoryReference `json:"directoryRef"`

	// identifierSHA256 is a hash of the user's identifier.
	// +required
	// +kubebuilder:validation:MinLength=64
	// +kubebuilder:validation:MaxLength=64
	IdentifierSHA256 string `json:"identifierSHA256"`

	// externalIdSHA256 is a hash of the user's externalId. Who comes with the
	// same identifier and another externalId is another person.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ExternalIDSHA256 string `json:"externalIdSHA256,omitempty"`

	// deletionTime is when the user was deleted.
	// +required
	DeletionTime metav1.Time `json:"deletionTime"`
}

// TombstoneHash is the hash of an identifier (case-folded) or an externalId in a ScimTombstone: other in each directory, so
// that tombstones cannot be matched across them.
func TombstoneHash(namespace, directory, value string) string {
	sum := sha256.Sum256([]byte(namespace + "/" + directory + "/" + value))
	return hex.EncodeToString(sum[:])
}
