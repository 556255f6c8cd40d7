package patch

import (
	"errors"
	"slices"
	"strings"

	"github.com/scim-operator/scim-operator/scimserver/filter"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// Path is what an operation changes: an attribute, some values of it, or a sub-attribute.
type Path struct {
	attribute  schema.Path
	filter     *filter.Filter
	undeclared string // a URN that the resource type does not declare, instead of attribute
}

// Attribute returns the name of the top-level attribute, the URN if that is an extension.
// For an undeclared extension it is all that the client sent, since only the resource shows where the URN ends.
func (p Path) Attribute() string {
	if p.undeclared != "" {
		return p.undeclared
	}
	return p.attribute[0].Name
}

// Filter returns the filter that selects among the values of a multi-valued attribute, or nil.
func (p Path) Filter() *filter.Filter {
	return p.filter
}

// String returns the path without its filter, in canonical case.
func (p Path) String() string {
	if p.undeclared != "" {
		return p.undeclared
	}
	return p.attribute.String()
}

// split divides the path at the first multi-valued attribute, or at the end: the target holds the value to change, sub is
// the sub-attribute of its elements, nil if whole elements are meant.
func (p Path) split() (target schema.Path, sub *schema.Attribute) {
	for i, a := range p.attribute {
		if a.MultiValued && i+1 < len(p.attribute) {
			return p.attribute[:i+1], p.attribute[i+1]
		}
	}
	return p.attribute, nil
}

// mergesObjects reports whether the path leads to a single complex value, of which an object changes what it names.
func (p Path) mergesObjects() bool {
	leaf := p.attribute.Leaf()
	return leaf.Type == schema.Complex && !leaf.MultiValued && !p.isReadOnly()
}

func (p Path) isReadOnly() bool {
	return p.undeclared == "" && p.attribute[0].Mutability == schema.ReadOnly
}

// leadsToReadOnly reports whether the path is read-only at its end, whatever it is at its top.
func (p Path) leadsToReadOnly() bool {
	return slices.ContainsFunc(p.attribute, func(a *schema.Attribute) bool { return a.Mutability == schema.ReadOnly })
}

// isDiscarded reports whether the path names what may be sent but is never stored: a password is not kept, and schemas
// follows from the attributes.
func isDiscarded(rt *schema.ResourceType, path string) bool {
	path = strings.TrimSpace(path)
	if prefix := len(rt.Schema.ID) + 1; len(path) > prefix && strings.EqualFold(path[:prefix-1], rt.Schema.ID) {
		path = path[prefix:]
	}
	return strings.EqualFold(path, "password") || strings.EqualFold(path, "schemas")
}

func isUnknown(err error) bool {
	bad, ok := errors.AsType[*schema.Error](err)
	return ok && bad.ScimType == schema.InvalidPath
}

func parsePath(rt *schema.ResourceType, text string) (Path, error) {
	text = strings.TrimSpace(text)
	if rt.Undeclared(text) {
		return undeclaredPath(text)
	}
	attribute, values, err := filter.ParsePath(rt, text)
	return Path{attribute: attribute, filter: values}, err
}
