package provider

import (
	"encoding/json"
	"fmt"
	"slices"
)

// The schemas of RFC 7643 §8.
const (
	UserSchema       = "urn:ietf:params:scim:schemas:core:2.0:User"
	EnterpriseSchema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	GroupSchema      = "urn:ietf:params:scim:schemas:core:2.0:Group"
)

// Resource is a SCIM resource with every attribute the server gave it, known
// or not: providers send all of them back in a PUT.
type Resource map[string]any

// ID is the resource's id, empty if it has none that is a string.
func (r Resource) ID() string {
	id, _ := r["id"].(string)
	return id
}

// values are the strings that a lookup by the attribute compares. Some providers look people up by email, which the
// standard does not have: it means emails.value.
func (r Resource) values(attribute string) []string {
	if value, isString := r[attribute].(string); isString {
		return []string{value}
	}
	var values []string
	if slices.Contains([]string{"email", "emails", "emails.value"}, attribute) {
		emails, _ := r["emails"].([]any)
		for _, element := range emails {
			email, _ := element.(map[string]any)
			if value, isString := email["value"].(string); isString {
				values = append(values, value)
			}
		}
	}
	return values
}

// Text shows a JSON value in a message.
func Text(value any) string {
	if value == nil {
		return "missing or null"
	}
	shown, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprintf("%v", value)
	}
	if len(shown) > excerpt {
		return string(shown[:excerpt]) + "…"
	}
	return string(shown)
}

// difference finds the first attribute of want that got does not hold, and
// names it; what got holds besides is the server's business. An attribute
// without a value equals an absent one (RFC 7643 §2.5).
func difference(want, got any, path string) (name string, wanted, found any) {
	if object, isObject := want.(map[string]any); isObject {
		other, _ := got.(map[string]any)
		for _, key := range sortedKeys(object) {
			if name, wanted, found = difference(object[key], other[key], join(path, key)); name != "" {
				return name, wanted, found
			}
		}
		return "", nil, nil
	}
	if list, isList := want.([]any); isList {
		other, _ := got.([]any)
		if len(list) != len(other) {
			return path, want, got
		}
		for i := range list {
			if name, wanted, found = difference(list[i], other[i], fmt.Sprintf("%s[%d]", path, i)); name != "" {
				return name, wanted, found
			}
		}
		return "", nil, nil
	}
	if want != got {
		return path, want, got
	}
	return "", nil, nil
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func sortedKeys(object map[string]any) []string {
	keys := make([]string, 0, len(object))
	for key := range object {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// Holds refuses a resource that lacks something of want.
func (a Answer) Holds(want, stored Resource) error {
	name, wanted, found := difference(map[string]any(want), map[string]any(stored), "")
	if name == "" {
		return nil
	}
	return a.Refuse(name+" "+Text(found), name+" "+Text(wanted)+", as pushed")
}
