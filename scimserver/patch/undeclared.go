package patch

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// applyUndeclared changes an extension that no schema describes, or an attribute in one. Which of the two a URN means is
// seen from what the resource has and from the value: an object is a whole extension.
func (o Operation) applyUndeclared(resource map[string]any) error {
	urn := o.Path.undeclared
	object, isObject := o.Value.(map[string]any)
	if _, exists := resource[keyFor(resource, urn)]; exists || isObject {
		if o.Op != Remove && o.Value != nil && !isObject {
			return schema.Errorf(schema.InvalidValue, "%s is an extension: its value must be an object", urn)
		}
		return edit(resource, []string{urn}, func(old any) (any, error) {
			return o.mergeExtension(old, object), nil
		})
	}
	names := attributeNames(urn)
	if !strings.Contains(names[0], ":") || slices.Contains(names, "") {
		return schema.Errorf(schema.InvalidPath, "%s names no attribute of an extension", urn)
	}
	return edit(resource, names, func(old any) (any, error) {
		return o.changeOpaque(old), nil
	})
}

// attributeNames takes the URN of an attribute apart: the extension, the attribute, sub-attributes.
func attributeNames(urn string) []string {
	colon := strings.LastIndexByte(urn, ':')
	return append([]string{urn[:colon]}, strings.Split(urn[colon+1:], ".")...)
}

// maxUndeclaredPath bounds the length of a URN, and so how deep it can reach.
const maxUndeclaredPath = 1024

func undeclaredPath(urn string) (Path, error) {
	if len(urn) > maxUndeclaredPath {
		return Path{}, schema.Errorf(schema.InvalidPath, "a URN is longer than %d bytes", maxUndeclaredPath)
	}
	return Path{undeclared: urn}, nil
}

// mergeExtension sets the attributes that the value names; null removes one.
func (o Operation) mergeExtension(old any, value map[string]any) any {
	if o.Op == Remove || value == nil {
		return nil
	}
	known, _ := old.(map[string]any)
	extension := merged(known, nil)
	keys := make(map[string]string, len(extension))
	for key := range extension {
		keys[schema.Fold(key)] = key
	}
	for _, name := range slices.Sorted(maps.Keys(value)) {
		key, exists := keys[schema.Fold(name)]
		if !exists {
			key = name
		}
		if value[name] == nil {
			delete(extension, key)
		} else {
			extension[key] = value[name]
		}
	}
	if len(extension) == 0 {
		return nil
	}
	return extension
}

// changeOpaque changes a value of unknown type: it is replaced, only adding to an array appends what is not there yet.
func (o Operation) changeOpaque(old any) any {
	if o.Op == Remove {
		return nil
	}
	list, isList := old.([]any)
	more, addsList := o.Value.([]any)
	if o.Op == Replace || !isList || !addsList {
		return o.Value
	}
	list = slices.Clone(list)
	for _, element := range more {
		if !slices.ContainsFunc(list, func(e any) bool { return reflect.DeepEqual(e, element) }) {
			list = append(list, element)
		}
	}
	return list
}
