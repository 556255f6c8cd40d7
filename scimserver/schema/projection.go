package schema

import "strings"

// Projection is what a client asked to see of each resource (RFC 7644 §3.9), less what it may not see.
type Projection struct {
	resourceType *ResourceType

	hidden selection // not shown whatever was asked for, or because it was not asked for
	always selection // shown whatever was asked for
	only   selection // nil: everything
	except selection
}

// selection is a set of attribute names; below a name are the sub-attributes, or nil for all of it.
type selection map[string]selection

// Projection parses the parameters attributes and excludedAttributes, each a list of names or of comma-separated names.
// Names that the resource type does not have select nothing.
// It returns an *Error of type invalidValue when both are given.
func (rt *ResourceType) Projection(attributes, excluded []string) (*Projection, error) {
	p := &Projection{resourceType: rt, always: selection{}, only: rt.selection(attributes), except: rt.selection(excluded)}
	if p.only != nil && p.except != nil {
		return nil, Errorf(InvalidValue, "attributes and excludedAttributes exclude each other: send one of them")
	}
	for _, path := range rt.exceptional {
		names := path.Names()
		switch path.Leaf().Returned {
		case returnedAlways:
			p.always.add(names[0], names[1:]...)
		case returnedRequest:
			if !p.only.covers(names) {
				p.hide(names)
			}
		case returnedNever:
			p.hide(names)
		}
	}
	return p, nil
}

func (p *Projection) hide(names []string) {
	if p.hidden == nil {
		p.hidden = selection{}
	}
	p.hidden.add(names[0], names[1:]...)
}

func (rt *ResourceType) selection(lists []string) selection {
	var selected selection
	for _, list := range lists {
		for name := range strings.SplitSeq(list, ",") {
			if name = strings.TrimSpace(name); name == "" {
				continue
			}
			if selected == nil {
				selected = selection{}
			}
			rt.selectName(selected, name)
		}
	}
	return selected
}

func (rt *ResourceType) selectName(selected selection, name string) {
	if path, ok := rt.Lookup(name); ok {
		names := path.Names()
		selected.add(names[0], names[1:]...)
		return
	}
	if rt.Undeclared(name) {
		// The name can be an extension's or that of an attribute in one: whichever the resource has is selected.
		selected.add(name)
		if i := strings.LastIndexByte(name, ':'); isURN(name[:i]) {
			selected.add(name[:i], name[i+1:])
		}
	}
}

func (s selection) add(name string, sub ...string) {
	below, known := s[name]
	switch {
	case known && below == nil: // all of it is selected already
	case len(sub) == 0:
		s[name] = nil
	default:
		if below == nil {
			below = selection{}
			s[name] = below
		}
		below.add(sub[0], sub[1:]...)
	}
}

// covers reports whether the selection names the attribute or what it is part of.
func (s selection) covers(names []string) bool {
	for _, name := range names {
		below, known := s[name]
		if !known || below == nil {
			return known
		}
		s = below
	}
	return false
}

// Empty reports whether resources are shown whole.
func (p *Projection) Empty() bool {
	return p.only == nil && p.except == nil && p.hidden == nil
}

// Includes reports whether the top-level attribute, or a part of it, is to be shown; name is in canonical case.
func (p *Projection) Includes(name string) bool {
	if _, ok := p.always[name]; ok {
		return true
	}
	if p.only != nil {
		_, ok := p.only[name]
		return ok
	}
	below, ok := p.except[name]
	return !ok || below != nil
}

// Apply returns the part of the resource to show. The result shares its values with the resource, which stays as it is.
func (p *Projection) Apply(resource map[string]any) map[string]any {
	resource = p.resourceType.Recase(resource)
	if p.hidden != nil {
		resource = cutObject(resource, nil, p.hidden, nil)
	}
	return cutObject(resource, p.only, p.except, p.always)
}

var nothing = selection{}

// cut returns of value what only names, if it names anything, without what except names, but with what always names;
// nil if nothing is left.
func cut(value any, only, except, always selection) any {
	if only == nil && except == nil {
		return value
	}
	switch v := value.(type) {
	case []any:
		var kept []any
		for _, element := range v {
			if element = cut(element, only, except, always); element != nil {
				kept = append(kept, element)
			}
		}
		if kept == nil {
			return nil
		}
		return kept
	case map[string]any:
		if kept := cutObject(v, only, except, always); len(kept) > 0 {
			return kept
		}
		return nil
	default:
		return value
	}
}

func cutObject(object map[string]any, only, except, always selection) map[string]any {
	kept := make(map[string]any, len(object))
	for name, value := range object {
		onlyBelow, wanted := only[name]
		exceptBelow, excepted := except[name]
		alwaysBelow, needed := always[name]
		switch {
		case needed && alwaysBelow == nil:
			value = cut(value, nil, exceptBelow, nil)
		case (wanted || only == nil) && (!excepted || exceptBelow != nil):
			value = cut(value, onlyBelow, exceptBelow, alwaysBelow)
		case needed:
			value = cut(value, nothing, nil, alwaysBelow)
		default:
			continue
		}
		if value != nil {
			kept[name] = value
		}
	}
	return kept
}
