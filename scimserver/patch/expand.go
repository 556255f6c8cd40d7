package patch

import (
	"maps"
	"slices"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

func withPath(rt *schema.ResourceType, op Op, text string, value any) ([]Operation, error) {
	if isDiscarded(rt, text) {
		return nil, nil
	}
	path, err := parsePath(rt, text)
	if err != nil {
		return nil, err
	}
	return expand(op, path, value)
}

// withoutPath makes an operation of each attribute in the value (RFC 7644 §3.5.2.1, §3.5.2.3). The keys can be paths, too,
// as Entra ID sends them. Like in a PUT, read-only and unknown attributes are ignored, except that id must be right.
func withoutPath(rt *schema.ResourceType, op Op, value any) ([]Operation, error) {
	if op == Remove {
		return nil, schema.Errorf(schema.NoTarget, "remove needs a path")
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, schema.Errorf(schema.InvalidValue, "an operation without path needs an object as its value")
	}
	var operations []Operation
	seen := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		folded := schema.Fold(key)
		if seen[folded] {
			return nil, schema.Errorf(schema.InvalidSyntax, "%.100q occurs twice, in different case", key)
		}
		seen[folded] = true
		path, err := parsePath(rt, key)
		if isUnknown(err) || isDiscarded(rt, key) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if path.leadsToReadOnly() && (path.String() != "id" || object[key] == nil) {
			continue
		}
		expanded, err := expand(op, path, object[key])
		if err != nil {
			return nil, err
		}
		operations = append(operations, expanded...)
	}
	return operations, nil
}

// expand makes operations on attributes of which each has a single value or is multi-valued: an object given for a complex
// attribute or an extension changes the sub-attributes that it names (RFC 7644 §3.5.2.3).
func expand(op Op, path Path, value any) ([]Operation, error) {
	if path.undeclared != "" {
		return []Operation{{op, path, value}}, nil
	}
	if op != Remove && value != nil && path.mergesObjects() {
		return expandObject(op, path, value)
	}
	operation, err := convert(op, path, value)
	if err != nil {
		return nil, err
	}
	if err := checkMutability(operation); err != nil {
		return nil, err
	}
	if operation.Value == nil && changesNothing(op, path, value) {
		return nil, nil
	}
	return []Operation{operation}, nil
}

// changesNothing reports whether an operation is void if no values are left of what was sent: an empty list adds nothing
// to a multi-valued attribute, and removes nothing, while a removal that lists no values at all removes everything.
func changesNothing(op Op, path Path, sent any) bool {
	return path.attribute.Leaf().MultiValued && (op == Add || op == Remove && path.filter == nil && sent != nil)
}

func expandObject(op Op, path Path, value any) ([]Operation, error) {
	complexAttribute := path.attribute.Leaf()
	object, isObject := value.(map[string]any)
	if !isObject {
		// A bare string stands for the `value`; Convert knows, and refuses everything else.
		converted, err := path.attribute.Convert(value)
		if err != nil {
			return nil, err
		}
		if converted == nil {
			return expand(op, path, nil)
		}
		object, _ = converted.(map[string]any)
	}
	var operations []Operation
	seen := map[*schema.Attribute]bool{}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		sub := complexAttribute.Sub(key)
		if sub == nil || sub.Mutability == schema.ReadOnly {
			continue
		}
		below := Path{attribute: append(slices.Clone(path.attribute), sub)}
		if seen[sub] {
			return nil, schema.Errorf(schema.InvalidSyntax, "%s occurs twice, in different case", below)
		}
		seen[sub] = true
		expanded, err := expand(op, below, object[key])
		if err != nil {
			return nil, err
		}
		operations = append(operations, expanded...)
	}
	return operations, nil
}

func convert(op Op, path Path, value any) (Operation, error) {
	operation := Operation{Op: op, Path: path}
	leaf := path.attribute.Leaf()
	if op == Remove && (!leaf.MultiValued || path.filter != nil) {
		return operation, nil // the path says it all
	}
	var err error
	if path.filter != nil && leaf.MultiValued {
		operation.Value, err = path.attribute.ConvertElement(value)
	} else {
		operation.Value, err = path.attribute.Convert(value)
	}
	return operation, err
}
