package schema

import (
	"encoding/json"
	"maps"
	"slices"
)

// Normalize returns the canonical form of a resource that a client sent or a PATCH resulted in: what is to be stored.
// Names are in canonical case and values as Path.Convert makes them; read-only and unknown attributes, and with them
// every password, are left out; `schemas` names exactly what is there. Undeclared extensions are kept as sent and
// shared with tree; tree itself is not changed.
// It returns an *Error that names the attribute when a value is wrong, missing, repeated or out of bounds.
func (rt *ResourceType) Normalize(tree map[string]any) (map[string]any, error) {
	resource, err := converter{}.object(rt.attributes, tree, "")
	if err != nil {
		return nil, err
	}
	undeclared, err := rt.undeclaredExtensions(tree)
	if err != nil {
		return nil, err
	}
	if n := len(undeclared) + rt.countDeclared(resource); n > maxExtensions {
		return nil, Errorf(InvalidValue, "the resource has %d extensions, more than %d", n, maxExtensions)
	}
	maps.Copy(resource, undeclared)
	resource["schemas"] = rt.schemasOf(resource)
	return resource, nil
}

func (rt *ResourceType) undeclaredExtensions(tree map[string]any) (map[string]any, error) {
	extensions := map[string]any{}
	seen := map[string]bool{}
	for _, urn := range rt.undeclaredIn(tree) {
		extension, isObject := tree[urn].(map[string]any)
		if !isObject || len(extension) == 0 {
			continue
		}
		if err := checkExtension(urn, extension); err != nil {
			return nil, err
		}
		folded := Fold(urn)
		if seen[folded] {
			return nil, Errorf(InvalidSyntax, "%s occurs twice, in different case", urn)
		}
		seen[folded] = true
		extensions[urn] = extension
	}
	return extensions, nil
}

// undeclaredIn are the undeclared names in a resource, sorted.
func (rt *ResourceType) undeclaredIn(resource map[string]any) (names []string) {
	for name := range resource {
		if rt.Undeclared(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (rt *ResourceType) countDeclared(resource map[string]any) (n int) {
	for i := range rt.declared {
		if resource[rt.declared[i].Name] != nil {
			n++
		}
	}
	return n
}

func checkExtension(urn string, extension map[string]any) error {
	if len(urn) > maxExtensionURNLen {
		return Errorf(InvalidValue, "an extension's URN is longer than %d bytes", maxExtensionURNLen)
	}
	if deeperThan(maxExtensionDepth, extension) {
		return Errorf(InvalidValue, "%s is nested deeper than %d", urn, maxExtensionDepth)
	}
	if hasHugeNumber(extension) {
		return Errorf(InvalidValue, "%s has a number beyond 1.8e308: send it as a string", urn)
	}
	encoded, err := json.Marshal(extension)
	if err != nil {
		return Errorf(InvalidValue, "%s is not JSON", urn)
	}
	if len(encoded) > maxExtensionBytes {
		return Errorf(InvalidValue, "%s is larger than %d bytes", urn, maxExtensionBytes)
	}
	return nil
}

func deeperThan(limit int, value any) bool {
	if limit < 0 {
		return true
	}
	switch v := value.(type) {
	case map[string]any:
		for _, child := range v {
			if deeperThan(limit-1, child) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, func(child any) bool { return deeperThan(limit-1, child) })
	}
	return false
}

// hasHugeNumber reports whether a number is in value that no double holds (RFC 8259 §6): it could not be stored.
func hasHugeNumber(value any) bool {
	switch v := value.(type) {
	case json.Number:
		_, err := v.Float64()
		return err != nil
	case map[string]any:
		for _, child := range v {
			if hasHugeNumber(child) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, hasHugeNumber)
	}
	return false
}

// schemasOf lists the core schema and the extensions that the resource has; what the client listed does not count.
func (rt *ResourceType) schemasOf(resource map[string]any) []any {
	schemas := []any{rt.Schema.ID}
	for _, extension := range rt.Extensions {
		if resource[extension.ID] != nil {
			schemas = append(schemas, extension.ID)
		}
	}
	for _, urn := range rt.undeclaredIn(resource) {
		schemas = append(schemas, urn)
	}
	return schemas
}
