package schema

import (
	"encoding/json"
	"maps"
	"slices"
)

// The elements of a multi-valued attribute are a set: RFC 7643 §2.4 wants no two with the same `type` and `value`.
// Two elements are the same when their values are equal and their types do not differ; a type left out differs from none.

// Union returns list with more added. An element that is there already takes over the sub-attributes of the new one.
// The arguments, in canonical form, stay as they are.
func (a *Attribute) Union(list, more []any) []any {
	union := make([]any, 0, len(list)+len(more))
	index := make(map[string][]int, cap(union))
	for _, element := range slices.Concat(list, more) {
		key := a.identity(element)
		at := slices.IndexFunc(index[key], func(i int) bool { return sameType(union[i], element) })
		if at < 0 {
			index[key] = append(index[key], len(union))
			union = append(union, element)
			continue
		}
		i := index[key][at]
		union[i] = merge(union[i], element)
	}
	return union
}

// Without returns the elements of list that are the same as none of gone.
func (a *Attribute) Without(list, gone []any) []any {
	index := make(map[string][]any, len(gone))
	for _, element := range gone {
		key := a.identity(element)
		index[key] = append(index[key], element)
	}
	var rest []any
	for _, element := range list {
		isSame := func(other any) bool { return sameType(element, other) }
		if !slices.ContainsFunc(index[a.identity(element)], isSame) {
			rest = append(rest, element)
		}
	}
	return rest
}

// identity is the value of an element as the attribute compares it. Where there is no value it is all that the element says,
// without the mark that it is the primary one, which comes and goes.
func (a *Attribute) identity(element any) string {
	object, isObject := element.(map[string]any)
	if !isObject {
		return a.key(element)
	}
	if value := a.Sub("value"); value != nil {
		return value.key(object["value"])
	}
	said := maps.Clone(object)
	delete(said, "primary")
	return a.key(said)
}

// key is equal for values that the attribute takes for equal.
func (a *Attribute) key(value any) string {
	if s, ok := value.(string); ok {
		if a.CaseExact {
			return s
		}
		return Fold(s)
	}
	encoded, _ := json.Marshal(value) // cannot fail: the value is a JSON tree
	return string(encoded)
}

func sameType(x, y any) bool {
	typeOf := func(element any) string {
		object, _ := element.(map[string]any)
		kind, _ := object["type"].(string)
		return Fold(kind)
	}
	tx, ty := typeOf(x), typeOf(y)
	return tx == "" || ty == "" || tx == ty
}

func merge(old, more any) any {
	from, isObject := old.(map[string]any)
	with, isObjectToo := more.(map[string]any)
	if !isObject || !isObjectToo {
		return more
	}
	merged := maps.Clone(from)
	maps.Copy(merged, with)
	return merged
}
