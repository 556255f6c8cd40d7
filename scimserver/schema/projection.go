package schema

import "strings"

// Projection is what a client asked to see of each resource (RFC 7644 §3.9). The zero value shows the default.
type Projection struct {
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
	p := &Projection{always: selection{}, only: rt.selection(attributes), except: rt.selection(excluded)}
	if p.only != nil && p.except != nil {
		return nil, Errorf(InvalidValue, "attributes and excludedAttributes exclude each other: send one of them")
	}
	for _, a := range rt.attributes {
		if a.Returned == returnedAlways {
			p.always[a.Name] = nil
		}
	}
	return p, nil
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

// Empty reports whether the client asked for nothing in particular.
func (p *Projection) Empty() bool {
	return p.only == nil && p.except == nil
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
	shown := make(map[string]any, len(resource))
	for name, value := range resource {
		if !p.Includes(name) {
			continue
		}
		if _, always := p.always[name]; !always {
			value = cut(value, p.only[name], p.except[name])
		}
		if value != nil {
			shown[name] = value
		}
	}
	return shown
}

// cut returns of value what only names, if it names anything, without what except names; nil if nothing is left.
func cut(value any, only, except selection) any {
	if only == nil && except == nil {
		return value
	}
	switch v := value.(type) {
	case []any:
		var kept []any
		for _, element := range v {
			if element = cut(element, only, except); element != nil {
				kept = append(kept, element)
			}
		}
		if kept == nil {
			return nil
		}
		return kept
	case map[string]any:
		kept := map[string]any{}
		for name, sub := range v {
			onlyBelow, wanted := only[name]
			exceptBelow, unwanted := except[name]
			if only != nil && !wanted || unwanted && exceptBelow == nil {
				continue
			}
			if sub = cut(sub, onlyBelow, exceptBelow); sub != nil {
				kept[name] = sub
			}
		}
		if len(kept) == 0 {
			return nil
		}
		return kept
	default:
		return value
	}
}
