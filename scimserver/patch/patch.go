// Package patch applies SCIM PATCH operations (RFC 7644 §3.5.2) to resources.
//
// Parse turns a request into operations on single attributes, checked against the schema; Apply carries them out on a
// resource as schema.ResourceType.Normalize makes it. What Apply returns is to be normalized again, which drops what
// clients may send but not set and checks the whole.
package patch

// Op is what an operation does.
type Op string

// The operations of RFC 7644 §3.5.2.
const (
	Add     Op = "add"
	Remove  Op = "remove"
	Replace Op = "replace"
)

// Operation is one change of one attribute.
type Operation struct {
	Op   Op
	Path Path
	// Value is in canonical form (schema.Path.Convert): always an array for a multi-valued attribute without a filter.
	// It is nil for "unassigned", and for a removal that lists no values.
	Value any
}

// MemberIDs returns the `value` of each element in Value, such as the ids of members to add.
func (o Operation) MemberIDs() []string {
	elements, _ := o.Value.([]any)
	ids := make([]string, 0, len(elements))
	for _, element := range elements {
		object, _ := element.(map[string]any)
		if id, ok := object["value"].(string); ok {
			ids = append(ids, id)
		}
	}
	return ids
}
