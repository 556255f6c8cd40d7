package schema

import "strings"

// Type is the data type of an attribute (RFC 7643 §2.3).
type Type string

// The data types in use.
const (
	String    Type = "string"
	Boolean   Type = "boolean"
	Decimal   Type = "decimal"
	Integer   Type = "integer"
	DateTime  Type = "dateTime"
	Binary    Type = "binary"
	Reference Type = "reference"
	Complex   Type = "complex"
)

// The characteristics of attributes, as RFC 7643 §7 spells them.
const (
	ReadOnly  = "readOnly"
	ReadWrite = "readWrite"
	Immutable = "immutable"

	returnedAlways  = "always"
	returnedDefault = "default"
	returnedRequest = "request"
	returnedNever   = "never"

	// UniquenessNone is that of all attributes which extensions declare.
	UniquenessNone   = "none"
	uniquenessServer = "server"
)

// Attribute describes one attribute; its JSON is the form that /Schemas shows (RFC 7643 §7).
type Attribute struct {
	Name            string      `json:"name"`
	Type            Type        `json:"type"`
	MultiValued     bool        `json:"multiValued"`
	Description     string      `json:"description"`
	Required        bool        `json:"required"`
	CanonicalValues []string    `json:"canonicalValues,omitempty"`
	CaseExact       bool        `json:"caseExact"`
	Mutability      string      `json:"mutability"`
	Returned        string      `json:"returned"`
	Uniqueness      string      `json:"uniqueness"`
	ReferenceTypes  []string    `json:"referenceTypes,omitempty"`
	SubAttributes   []Attribute `json:"subAttributes,omitempty"`

	// unbounded lifts the bound on the number of values.
	unbounded bool
}

// Sub returns the sub-attribute of that name in any case, or nil.
func (a *Attribute) Sub(name string) *Attribute {
	return find(a.SubAttributes, name)
}

// IsSecret reports whether no client may learn the value, be it by reading or by asking.
func (a *Attribute) IsSecret() bool {
	return a.Returned == returnedNever
}

// Refers reports whether the `value` of the attribute is the id of a resource: `$ref` beside it says where that is found.
func (a *Attribute) Refers() bool {
	return a.Sub("$ref") != nil
}

// separator stands between the attribute's name and that of a sub-attribute: an extension is named by its URN.
func (a *Attribute) separator() string {
	if isURN(a.Name) {
		return ":"
	}
	return "."
}

func find(attributes []Attribute, name string) *Attribute {
	for i := range attributes {
		if strings.EqualFold(attributes[i].Name, name) {
			return &attributes[i]
		}
	}
	return nil
}

// What follows writes schemas down: a constructor per type, and refinements that return the changed attribute.

func attribute(name string, kind Type, description string) Attribute {
	return Attribute{Name: name, Type: kind, Description: description,
		Mutability: ReadWrite, Returned: returnedDefault, Uniqueness: UniquenessNone}
}

func text(name, description string) Attribute {
	return attribute(name, String, description)
}

func boolean(name, description string) Attribute {
	return attribute(name, Boolean, description)
}

func dateTime(name, description string) Attribute {
	return attribute(name, DateTime, description)
}

func binary(name, description string) Attribute {
	return attribute(name, Binary, description).exact()
}

func reference(name, description string, types ...string) Attribute {
	a := attribute(name, Reference, description).exact()
	a.ReferenceTypes = types
	return a
}

func complexOf(name, description string, subAttributes ...Attribute) Attribute {
	a := attribute(name, Complex, description)
	a.SubAttributes = subAttributes
	return a
}

// plural is a multi-valued attribute with the default sub-attributes of RFC 7643 §2.4 around the given value.
func plural(name, description string, value Attribute, types ...string) Attribute {
	return complexOf(name, description,
		value,
		text("display", "A name for this value, to be shown."),
		text("type", "What this value is for.").canonical(types...),
		boolean("primary", "Whether this value is the preferred one; true at most once."),
	).multiple()
}

// withRef adds the sub-attribute $ref: where the resource that value names is found.
func (a Attribute) withRef(types ...string) Attribute {
	a.SubAttributes = append(a.SubAttributes, reference("$ref", "Where the resource is found.", types...))
	return a
}

func (a Attribute) multiple() Attribute {
	a.MultiValued = true
	return a
}

func (a Attribute) anyNumber() Attribute {
	a.unbounded = true
	return a
}

func (a Attribute) required() Attribute {
	a.Required = true
	return a
}

func (a Attribute) exact() Attribute {
	a.CaseExact = true
	return a
}

func (a Attribute) unique() Attribute {
	a.Uniqueness = uniquenessServer
	return a
}

func (a Attribute) always() Attribute {
	a.Returned = returnedAlways
	return a
}

func (a Attribute) canonical(values ...string) Attribute {
	a.CanonicalValues = values
	return a
}

func (a Attribute) immutable() Attribute {
	a.Mutability = Immutable
	return a
}

// readOnly marks the attribute and all below it: the service provider alone sets them.
func (a Attribute) readOnly() Attribute {
	a.Mutability = ReadOnly
	subAttributes := make([]Attribute, len(a.SubAttributes))
	for i, sub := range a.SubAttributes {
		subAttributes[i] = sub.readOnly()
	}
	if len(subAttributes) > 0 {
		a.SubAttributes = subAttributes
	}
	return a
}
