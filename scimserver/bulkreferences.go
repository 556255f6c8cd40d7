package scimserver

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/scim-operator/scim-operator/scimserver/filter"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// referencePrefix stands before the bulkId of an operation where the id of what it makes is meant (RFC 7644 §3.7.2).
const referencePrefix = "bulkId:"

var quotedReference = regexp.MustCompile(`"` + referencePrefix + `([^"\\]+)"`)

// references replaces bulkIds by ids. It returns false for a bulkId that has no id yet, and whatever consists of that
// reference alone is then left out: the member, the manager.
type references func(bulkID string) (id string, ok bool)

// resolve returns the data of an operation with its references replaced. Those are the strings `bulkId:…` where the schema
// wants the id of a resource; a name that begins so is a name. The data itself is not changed.
func (r references) resolve(method string, rt *schema.ResourceType, data map[string]any) map[string]any {
	if method != http.MethodPatch {
		return r.resource(rt, data)
	}
	resolved := maps.Clone(data)
	for key, value := range data {
		operations, ok := value.([]any)
		if !ok || !strings.EqualFold(key, "Operations") {
			continue
		}
		changed := make([]any, len(operations))
		for i, operation := range operations {
			changed[i] = operation
			if object, ok := operation.(map[string]any); ok {
				changed[i] = r.operation(rt, object)
			}
		}
		resolved[key] = changed
	}
	return resolved
}

func (r references) resource(rt *schema.ResourceType, object map[string]any) map[string]any {
	resolved := make(map[string]any, len(object))
	for key, value := range object {
		if path, ok := rt.Lookup(key); ok {
			if value, ok = r.attribute(path, value); !ok {
				continue
			}
		}
		resolved[key] = value
	}
	return resolved
}

// operation is one of a PATCH. What is wrong with it is left for the PATCH to say.
func (r references) operation(rt *schema.ResourceType, operation map[string]any) map[string]any {
	sent, _, _ := schema.Member(operation, "path")
	text, _ := sent.(string)
	path, _, err := filter.ParsePath(rt, text)
	hasPath := err == nil && len(path) > 0
	resolved := maps.Clone(operation)
	for key, value := range operation {
		object, isObject := value.(map[string]any)
		switch {
		case strings.EqualFold(key, "path") && hasPath && slices.ContainsFunc(path, (*schema.Attribute).Refers):
			resolved[key] = r.selection(text)
		case strings.EqualFold(key, "value") && hasPath:
			resolved[key], _ = r.attribute(path, value)
		case strings.EqualFold(key, "value") && isObject:
			resolved[key] = r.resource(rt, object)
		}
	}
	return resolved
}

// selection is a path whose filter compares with ids.
func (r references) selection(path string) string {
	return quotedReference.ReplaceAllStringFunc(path, func(quoted string) string {
		if id, ok := r(quotedReference.FindStringSubmatch(quoted)[1]); ok {
			return `"` + id + `"`
		}
		return quoted
	})
}

func (r references) attribute(path schema.Path, value any) (any, bool) {
	var parent *schema.Attribute
	if len(path) > 1 {
		parent = path[len(path)-2]
	}
	return r.value(parent, path.Leaf(), value)
}

// value returns false when nothing is left of the value.
func (r references) value(parent, a *schema.Attribute, value any) (any, bool) {
	if a.Mutability == schema.ReadOnly {
		return value, true // it does not count
	}
	switch v := value.(type) {
	case string:
		bulkID, isReference := strings.CutPrefix(v, referencePrefix)
		if isReference && (a.Refers() || parent != nil && parent.Refers() && a.Name == "value") {
			return r(bulkID)
		}
	case []any:
		resolved := make([]any, 0, len(v))
		for _, element := range v {
			if element, ok := r.value(parent, a, element); ok {
				resolved = append(resolved, element)
			}
		}
		return resolved, true
	case map[string]any:
		return r.complex(a, v)
	}
	return value, true
}

func (r references) complex(a *schema.Attribute, object map[string]any) (any, bool) {
	resolved := make(map[string]any, len(object))
	for key, value := range object {
		if sub := a.Sub(key); sub != nil {
			var ok bool
			if value, ok = r.value(a, sub, value); !ok && sub.Name == "value" {
				return nil, false
			} else if !ok {
				continue
			}
		}
		resolved[key] = value
	}
	return resolved, true
}
