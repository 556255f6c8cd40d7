package schema

import (
	"maps"
	"reflect"
	"slices"
)

// Changed returns the names of the attributes that differ between two states of a resource, sorted: sub-attributes behind
// a dot, those of extensions behind their URN, multi-valued attributes and undeclared extensions by their own name. What
// the service provider alone sets is left out. A resource that is created or deleted was or is nil.
func (rt *ResourceType) Changed(before, after map[string]any) []string {
	before, after = rt.Recase(before), rt.Recase(after)
	names := changed(nil, rt.attributes, before, after)
	undeclared := map[string]bool{}
	for _, state := range []map[string]any{before, after} {
		for name := range state {
			if rt.Undeclared(name) && !reflect.DeepEqual(before[name], after[name]) {
				undeclared[name] = true
			}
		}
	}
	names = slices.AppendSeq(names, maps.Keys(undeclared))
	slices.Sort(names)
	return names
}

func changed(parent Path, attributes []Attribute, before, after map[string]any) (names []string) {
	for i := range attributes {
		a := &attributes[i]
		if a.Mutability == ReadOnly || reflect.DeepEqual(before[a.Name], after[a.Name]) {
			continue
		}
		path := append(slices.Clip(parent), a)
		var below []string
		old, wasObject := asObject(before[a.Name])
		now, isObject := asObject(after[a.Name])
		if a.Type == Complex && !a.MultiValued && wasObject && isObject {
			below = changed(path, a.SubAttributes, old, now)
		}
		if len(below) == 0 {
			below = []string{path.String()}
		}
		names = append(names, below...)
	}
	return names
}

// asObject reads a value as an object; what is unassigned is an empty one.
func asObject(value any) (map[string]any, bool) {
	object, ok := value.(map[string]any)
	return object, ok || value == nil
}
