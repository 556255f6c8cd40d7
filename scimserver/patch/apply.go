package patch

import (
	"maps"
	"strings"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// Apply returns the resource as it is after all operations, or an error and nothing is done. The resource itself, a JSON
// tree in canonical case, stays as it is; the result shares with it what no operation changed.
// It returns a *schema.Error: mutability if a read-only attribute would change, noTarget if a filter selects nothing to
// replace, invalidValue or invalidPath if the resource is not as the operation supposes.
func Apply(resource map[string]any, operations []Operation) (map[string]any, error) {
	result := maps.Clone(resource)
	if result == nil {
		result = map[string]any{}
	}
	for _, o := range operations {
		if o.Path.isReadOnly() {
			if err := o.checkUnchanged(result); err != nil {
				return nil, err
			}
			continue
		}
		if err := o.apply(result); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// apply changes the resource at its top level; what is below is copied first.
func (o Operation) apply(resource map[string]any) error {
	if o.Path.undeclared != "" {
		return o.applyUndeclared(resource)
	}
	target, _ := o.Path.split()
	return edit(resource, target.Names(), func(old any) (any, error) {
		if !target.Leaf().MultiValued {
			return o.Value, nil
		}
		list, _ := old.([]any)
		changed, err := o.applyList(target.Leaf(), list)
		if len(changed) == 0 {
			return nil, err
		}
		return changed, err
	})
}

// edit replaces in object the value that names lead to by what change makes of it, nil removing it. Objects on the way are
// copied, created, or dropped when they become empty.
func edit(object map[string]any, names []string, change func(old any) (any, error)) error {
	key := keyFor(object, names[0])
	var value any
	var err error
	if len(names) == 1 {
		value, err = change(object[key])
	} else {
		value, err = editBelow(object[key], names[1:], change)
	}
	switch {
	case err != nil:
		return err
	case value == nil:
		delete(object, key)
	default:
		object[key] = value
	}
	return nil
}

func editBelow(parent any, names []string, change func(old any) (any, error)) (any, error) {
	object, isObject := parent.(map[string]any)
	if parent != nil && !isObject {
		return nil, schema.Errorf(schema.InvalidPath, "the path leads through a value that is not an object")
	}
	edited := merged(object, nil)
	if err := edit(edited, names, change); err != nil || len(edited) == 0 {
		return nil, err
	}
	return edited, nil
}

// keyFor returns the key that object uses for a name, which in undeclared extensions can be in another case.
func keyFor(object map[string]any, name string) string {
	if _, ok := object[name]; ok {
		return name
	}
	for key := range object {
		if strings.EqualFold(key, name) {
			return key
		}
	}
	return name
}
