package v1alpha1

import "cmp"

// ExtensionSchema declares the attributes of one extension (RFC 7643 §3.3,
// §7). The values are kept in spec.extensions of each ScimUser or
// ScimGroup.
//
// +kubebuilder:validation:XValidation:rule="!['urn:ietf:params:scim:schemas:core:', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:', 'urn:ietf:params:scim:api:'].exists(p, (self.urn.lowerAscii() + ':').startsWith(p))",message="urn names a schema that RFC 7643 or RFC 7644 defines: choose one of your own, such as urn:ietf:params:scim:schemas:extension:acme:2.0:User"
type ExtensionSchema struct {
	// urn identifies the schema, 7 to 256 characters, such as
	// urn:ietf:params:scim:schemas:extension:acme:2.0:User. Upper and lower
	// case are the same.
	// +required
	// +kubebuilder:validation:MinLength=7
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[Uu][Rr][Nn]:[A-Za-z0-9][A-Za-z0-9-]{0,31}:[A-Za-z0-9._~:/+-]*[A-Za-z0-9]$`
	URN string `json:"urn"`

	// name is the schema's name to show, 1 to 128 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Name string `json:"name"`

	// description says what the schema is for, at most 1024 characters.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Description string `json:"description,omitempty"`

	// resourceType is what the schema extends: User or Group.
	// +required
	ResourceType ExtendedResourceType `json:"resourceType"`

	// attributes are what the schema adds: 1 to 64. What an identity provider
	// sends beside them under this URN is ignored.
	// +required
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:XValidation:rule="self.map(a, a.name.lowerAscii()).all(n, self.exists_one(a, a.name.lowerAscii() == n))",message="two attributes have the same name in different case, which SCIM does not tell apart"
	Attributes []ExtensionAttribute `json:"attributes"`
}

// ExtendedResourceType is a resource type that an extension can extend.
//
// +kubebuilder:validation:Enum=User;Group
type ExtendedResourceType string

const (
	// ExtendsUser adds attributes to users.
	ExtendsUser ExtendedResourceType = "User"
	// ExtendsGroup adds attributes to groups.
	ExtendsGroup ExtendedResourceType = "Group"
)

// ExtensionAttribute is one attribute of an extension (RFC 7643 §7).
//
// +kubebuilder:validation:XValidation:rule="(self.type == 'complex') == has(self.subAttributes)",message="subAttributes belong to type complex: a complex attribute needs them, any other has none"
// +kubebuilder:validation:XValidation:rule="!self.?multiValued.orValue(false) || !has(self.subAttributes) || !self.subAttributes.exists(s, s.?multiValued.orValue(false))",message="a sub-attribute of a multi-valued attribute has a single value: leave its multiValued out"
// +kubebuilder:validation:XValidation:rule="self.?mutability.orValue('readWrite') != 'writeOnly' || self.?returned.orValue('default') == 'never'",message="an attribute with mutability writeOnly needs returned: never"
// +kubebuilder:validation:XValidation:rule="!self.?required.orValue(false) || self.?mutability.orValue('readWrite') != 'readOnly' && self.?returned.orValue('default') in ['always', 'default']",message="a required attribute must be one that a client can send and that a GET shows: not readOnly, and returned: default or always"
// +kubebuilder:validation:XValidation:rule="!has(self.subAttributes) || self.subAttributes.map(a, a.name.lowerAscii()).all(n, self.subAttributes.exists_one(a, a.name.lowerAscii() == n))",message="two subAttributes have the same name in different case, which SCIM does not tell apart"
type ExtensionAttribute struct {
	// name is the attribute's name: a letter, then letters, digits, $, -
	// and _; at most 64 characters. $ref is allowed, too. Upper and lower
	// case are the same.
	// +required
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^([A-Za-z][A-Za-z0-9$_-]*|\$ref)$`
	Name string `json:"name"`

	AttributeCharacteristics `json:",inline"`

	// type is the data type (RFC 7643 §2.3): string, boolean, decimal,
	// integer, dateTime, binary, reference, or complex for an attribute with
	// subAttributes.
	// +required
	// +kubebuilder:validation:Enum=string;boolean;decimal;integer;dateTime;binary;reference;complex
	Type AttributeType `json:"type"`

	// subAttributes are the parts of a complex attribute, 1 to 32. They have
	// no sub-attributes of their own.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	SubAttributes []ExtensionSubAttribute `json:"subAttributes,omitempty"`
}

// ExtensionSubAttribute is one part of a complex attribute (RFC 7643
// §2.3.8).
//
// +kubebuilder:validation:XValidation:rule="self.?mutability.orValue('readWrite') != 'writeOnly' || self.?returned.orValue('default') == 'never'",message="an attribute with mutability writeOnly needs returned: never"
// +kubebuilder:validation:XValidation:rule="!self.?required.orValue(false) || self.?mutability.orValue('readWrite') != 'readOnly' && self.?returned.orValue('default') in ['always', 'default']",message="a required attribute must be one that a client can send and that a GET shows: not readOnly, and returned: default or always"
type ExtensionSubAttribute struct {
	// name is the sub-attribute's name: a letter, then letters, digits, $, -
	// and _; at most 30 characters. $ref is allowed, too. Upper and lower
	// case are the same.
	// +required
	// +kubebuilder:validation:MaxLength=30
	// +kubebuilder:validation:Pattern=`^([A-Za-z][A-Za-z0-9$_-]*|\$ref)$`
	Name string `json:"name"`

	AttributeCharacteristics `json:",inline"`

	// type is the data type (RFC 7643 §2.3): string, boolean, decimal,
	// integer, dateTime, binary or reference.
	// +required
	// +kubebuilder:validation:Enum=string;boolean;decimal;integer;dateTime;binary;reference
	Type AttributeType `json:"type"`
}

// AttributeType is a data type of RFC 7643 §2.3.
type AttributeType string

// AttributeCharacteristics are what attributes and sub-attributes have in
// common (RFC 7643 §2.2).
//
// Read them through WithDefaults. The API server fills in no defaults: a
// list with more in it than its manifest says is a difference to GitOps
// tools.
type AttributeCharacteristics struct {
	// description says what the attribute means, at most 1024 characters.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Description string `json:"description,omitempty"`

	// multiValued says that the attribute is a list of at most 100 values.
	// Default: false.
	// +optional
	MultiValued bool `json:"multiValued,omitempty"`

	// required says that the attribute must be there wherever the extension,
	// or for a sub-attribute the complex value, is. A POST or PUT without it
	// is refused, and so is a PATCH that removes it. Default: false.
	// +optional
	Required bool `json:"required,omitempty"`

	// canonicalValues are the values to prefer, at most 64 of at most 256
	// characters. They are announced to the identity provider; others are
	// accepted as well.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=256
	CanonicalValues []string `json:"canonicalValues,omitempty"`

	// caseExact says that upper and lower case differ when values are
	// compared. A binary or a reference is always case-exact. Default: false.
	// +optional
	CaseExact bool `json:"caseExact,omitempty"`

	// mutability says who may change the value. readWrite: the identity
	// provider. readOnly: nobody through SCIM; what the identity provider
	// sends is ignored. immutable: the identity provider, once; a change is
	// refused with 400 and scimType mutability. writeOnly: the identity
	// provider, and no client can read it or filter by it. Default:
	// readWrite.
	// +optional
	Mutability AttributeMutability `json:"mutability,omitempty"`

	// returned says when SCIM shows the value. always: in every answer.
	// default: unless the client asks for other attributes. request: only if
	// the client names it, or what it is part of, in the parameter
	// attributes. never: not at all, and no filter can name it. The value is
	// stored in any case and can be read with kubectl; once it is no longer
	// declared, SCIM shows it as it shows all that is not declared. A PUT
	// that leaves out a value with request or never keeps it, since a GET
	// does not show it: to remove it, PATCH. Default: default.
	// +optional
	Returned AttributeReturned `json:"returned,omitempty"`
}

// AttributeMutability says who may change an attribute (RFC 7643 §2.2).
//
// +kubebuilder:validation:Enum=readWrite;readOnly;immutable;writeOnly
type AttributeMutability string

// AttributeReturned says when an attribute is shown (RFC 7643 §2.2).
//
// +kubebuilder:validation:Enum=always;never;default;request
type AttributeReturned string

// WithDefaults are the characteristics with what they leave out.
func (c AttributeCharacteristics) WithDefaults() AttributeCharacteristics {
	c.Mutability = cmp.Or(c.Mutability, "readWrite")
	c.Returned = cmp.Or(c.Returned, "default")
	return c
}
