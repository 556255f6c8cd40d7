package schema

import (
	"slices"
	"strings"
)

// Schema is a named list of attributes (RFC 7643 §7).
type Schema struct {
	ID          string      `json:"id"`
	Name        string      `json:"name"`
	Description string      `json:"description"`
	Attributes  []Attribute `json:"attributes"`
}

// ResourceType is a kind of resource: a core schema and the extensions declared for it (RFC 7643 §6).
type ResourceType struct {
	Name        string
	Endpoint    string
	Description string
	Schema      *Schema
	Extensions  []*Schema

	// attributes are all that a resource has at its top: the common ones, the core ones,
	// and each extension as one complex attribute named by its URN.
	attributes []Attribute
	// declared are those attributes that With has added.
	declared []Attribute
	// exceptional are the paths of all that is not returned by default.
	exceptional []Path
}

func newResourceType(name, endpoint, description string, core *Schema, extensions ...*Schema) *ResourceType {
	rt := &ResourceType{Name: name, Endpoint: endpoint, Description: description, Schema: core, Extensions: extensions}
	rt.attributes = append(common(), core.Attributes...)
	for _, extension := range extensions {
		rt.attributes = append(rt.attributes, complexOf(extension.ID, extension.Description, extension.Attributes...))
	}
	rt.exceptional = exceptional(nil, rt.attributes)
	return rt
}

// With returns the resource type with more extensions (RFC 7643 §3.3), as an administrator declares them for a directory.
func (rt *ResourceType) With(extensions ...*Schema) *ResourceType {
	if len(extensions) == 0 {
		return rt
	}
	extended := newResourceType(rt.Name, rt.Endpoint, rt.Description, rt.Schema, slices.Concat(rt.Extensions, extensions)...)
	extended.declared = extended.attributes[len(rt.attributes):]
	return extended
}

// Declared returns the extensions that With has added.
func (rt *ResourceType) Declared() []*Schema {
	return rt.Extensions[len(rt.Extensions)-len(rt.declared):]
}

func exceptional(parent Path, attributes []Attribute) (paths []Path) {
	for i := range attributes {
		path := append(slices.Clip(parent), &attributes[i])
		if path.Leaf().Returned != returnedDefault {
			paths = append(paths, path)
		}
		paths = append(paths, exceptional(path, path.Leaf().SubAttributes)...)
	}
	return paths
}

// Path leads from the top of a resource to an attribute: emails, value; or the URN of an extension, manager, value.
type Path []*Attribute

// Leaf returns the attribute that the path leads to.
func (p Path) Leaf() *Attribute {
	return p[len(p)-1]
}

// Names returns the keys to follow in a resource.
func (p Path) Names() []string {
	names := make([]string, len(p))
	for i, a := range p {
		names[i] = a.Name
	}
	return names
}

// String returns the path as RFC 7644 §3.10 writes it, in canonical case.
func (p Path) String() string {
	var text strings.Builder
	for i, a := range p {
		if i > 0 {
			text.WriteString(p[i-1].separator())
		}
		text.WriteString(a.Name)
	}
	return text.String()
}

// Lookup resolves an attribute name in any case, with or without sub-attribute and schema URN (RFC 7644 §3.10).
// An extension's URN alone resolves to the extension as one complex attribute.
func (rt *ResourceType) Lookup(name string) (Path, bool) {
	if top := find(rt.attributes, name); top != nil {
		return Path{top}, true
	}
	for _, extension := range rt.Extensions {
		if rest, ok := cutURN(name, extension.ID); ok {
			root := find(rt.attributes, extension.ID)
			path, ok := descend(root.SubAttributes, rest)
			return append(Path{root}, path...), ok
		}
	}
	if rest, ok := cutURN(name, rt.Schema.ID); ok {
		name = rest
	}
	return descend(rt.attributes, name)
}

// LookupFull is Lookup, with the URN of the core schema in front of the path. Resources do not nest their core attributes
// under it, so no resource of another type has anything there.
func (rt *ResourceType) LookupFull(name string) (Path, bool) {
	path, ok := rt.Lookup(name)
	if !ok {
		return nil, false
	}
	core := complexOf(rt.Schema.ID, rt.Schema.Description, rt.attributes...)
	return append(Path{&core}, path...), true
}

func descend(attributes []Attribute, name string) (Path, bool) {
	top, sub, hasSub := strings.Cut(name, ".")
	attribute := find(attributes, top)
	if attribute == nil {
		return nil, false
	}
	if !hasSub {
		return Path{attribute}, true
	}
	if subAttribute := attribute.Sub(sub); subAttribute != nil {
		return Path{attribute, subAttribute}, true
	}
	return nil, false
}

// Undeclared reports whether name is a URN outside the resource type's schemas: an extension that is kept as sent,
// or an attribute of one.
func (rt *ResourceType) Undeclared(name string) bool {
	if !isURN(name) || strings.EqualFold(name, rt.Schema.ID) {
		return false
	}
	if _, ok := cutURN(name, rt.Schema.ID); ok {
		return false
	}
	for _, extension := range rt.Extensions {
		if _, ok := cutURN(name, extension.ID); ok || strings.EqualFold(name, extension.ID) {
			return false
		}
	}
	return isPlain(name)
}
