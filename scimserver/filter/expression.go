package filter

import (
	"reflect"
	"slices"
	"strings"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// expression is a node of the syntax tree.
type expression interface {
	match(resource reflect.Value) bool
	uses(attribute string) bool
}

type (
	and []expression
	or  []expression
	not struct{ expression }

	// valuePath is `names[filter]`: one element must satisfy all of the filter.
	valuePath struct {
		path   string
		names  []string
		filter expression
	}
)

func (e and) match(resource reflect.Value) bool {
	for _, part := range e {
		if !part.match(resource) {
			return false
		}
	}
	return true
}

func (e or) match(resource reflect.Value) bool {
	for _, part := range e {
		if part.match(resource) {
			return true
		}
	}
	return false
}

func (e not) match(resource reflect.Value) bool         { return !e.expression.match(resource) }
func (e *valuePath) match(resource reflect.Value) bool  { return anyValue(resource, e.names, e) }
func (e *comparison) match(resource reflect.Value) bool { return anyValue(resource, e.names, e) }

func (e *valuePath) holds(value reflect.Value) bool { return e.filter.match(value) }

func (e and) uses(attribute string) bool         { return slices.ContainsFunc(e, usesOf(attribute)) }
func (e or) uses(attribute string) bool          { return slices.ContainsFunc(e, usesOf(attribute)) }
func (e *valuePath) uses(attribute string) bool  { return e.names[0] == attribute }
func (e *comparison) uses(attribute string) bool { return e.names[0] == attribute }

func usesOf(attribute string) func(expression) bool {
	return func(e expression) bool { return e.uses(attribute) }
}

// equality returns the first comparison by `eq` to a string at the path that must hold for e to hold.
// The prefix stands before the paths in e.
func equality(e expression, prefix, path string) (*comparison, bool) {
	switch e := e.(type) {
	case and:
		for _, part := range e {
			if c, ok := equality(part, prefix, path); ok {
				return c, true
			}
		}
	case *valuePath:
		return equality(e.filter, e.path+".", path)
	case *comparison:
		full := prefix + e.path
		return e, e.operator == equal && e.isText() && (full == path || full == path+".value")
	}
	return nil, false
}

// describe fills element with what e demands, and reports whether e is no more than equalities joined by `and`.
func describe(e expression, element map[string]any) bool {
	switch e := e.(type) {
	case and:
		for _, part := range e {
			if !describe(part, element) {
				return false
			}
		}
		return true
	case *comparison:
		if e.operator != equal || strings.Contains(e.path, ".") {
			return false
		}
		if e.kind == schema.Boolean {
			element[e.path] = e.boolean
		} else {
			element[e.path] = e.text
		}
		return true
	default:
		return false
	}
}
