// Package filter parses and evaluates SCIM filters (RFC 7644 §3.4.2.2), and the order of a list (§3.4.2.3).
//
// A filter is checked against the schema when it is parsed: names, types and operators. It then matches resources in
// either of two forms: JSON trees with names in canonical case, or Go structs (best given by pointer) whose `json` tags
// are the names of the attributes, an extension being a field tagged with its URN. A field that encoding/json would omit
// is not present.
//
// Where the RFC leaves room: `ne` is the negation of `eq`, so it also holds where the attribute is absent, and holds for
// a multi-valued attribute only if no value is equal. `eq null` means not present and `ne null` present. A complex
// attribute without sub-attribute means its `value`. Dates compare as instants.
package filter

import (
	"reflect"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// Filter is a parsed filter. It is immutable, so any number of goroutines may use it.
type Filter struct {
	root expression
}

// Parse parses a filter on resources of a type. Where a search goes through several types, an attribute that only one of
// the others has can be named, too: a resource of this type has no value for it.
// It returns a *schema.Error of type invalidFilter that names the place and, where it can, the mend.
func Parse(rt *schema.ResourceType, text string, others ...*schema.ResourceType) (*Filter, error) {
	p := parser{text: text, scimType: schema.InvalidFilter, resolve: resolver(rt, others...)}
	return p.filter()
}

// ParsePath parses the path of a PATCH operation (RFC 7644 §3.5.2 figure 7): an attribute, with an optional filter that
// selects among its values and an optional sub-attribute. The filter, nil if there is none, is one on the elements of the
// multi-valued attribute in the path.
// It returns a *schema.Error: invalidFilter for what is wrong in the brackets, else invalidPath.
func ParsePath(rt *schema.ResourceType, text string) (schema.Path, *Filter, error) {
	p := parser{text: text, scimType: schema.InvalidPath, resolve: rt.Lookup}
	return p.path()
}

// Match reports whether the filter is true of the resource, or of the element if the filter came from ParsePath.
func (f *Filter) Match(resource any) bool {
	return f.root.match(reflect.ValueOf(resource))
}

// Equality returns the string that an attribute must equal in every resource that matches, if the filter says so at its
// top or in a part joined by `and`. The path is in canonical case, with the sub-attribute (emails.value) or, if that is
// `value`, without. Letter case is as the client wrote it.
func (f *Filter) Equality(path string) (value string, ok bool) {
	c, ok := equality(f.root, "", path)
	if !ok {
		return "", false
	}
	return c.text, true
}

// Uses reports whether the filter refers to the top-level attribute; the name is in canonical case.
func (f *Filter) Uses(attribute string) bool {
	return f.root.uses(attribute)
}

// Element returns an element of which the filter, one from ParsePath, is true: the values that it demands.
// It returns false if the filter is not just equalities joined by `and`.
func (f *Filter) Element() (map[string]any, bool) {
	element := map[string]any{}
	if !describe(f.root, element) || !f.Match(element) {
		return nil, false
	}
	return element, true
}
