package schema

import (
	"maps"
	"slices"
)

// Recase returns a stored resource with the names that the declarations of its extensions use. The resource can be older than
// these, and then its extensions are as they were sent. It shares with tree, which stays as it is, all values.
func (rt *ResourceType) Recase(tree map[string]any) map[string]any {
	return recase(rt.declared, tree).(map[string]any)
}

func recase(attributes []Attribute, value any) any {
	if len(attributes) == 0 {
		return value
	}
	switch v := value.(type) {
	case []any:
		recased := make([]any, len(v))
		for i, element := range v {
			recased[i] = recase(attributes, element)
		}
		return recased
	case map[string]any:
		recased := make(map[string]any, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			a := find(attributes, key)
			if a == nil {
				recased[key] = v[key]
			} else if _, twice := v[a.Name]; key == a.Name || !twice {
				recased[a.Name] = recase(a.SubAttributes, v[key])
			}
		}
		return recased
	default:
		return value
	}
}
