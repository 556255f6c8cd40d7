package patch

import (
	"maps"
	"reflect"
	"slices"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// checkMutability refuses what no resource allows. Whether a read-only attribute keeps its value is for Apply to see.
func checkMutability(o Operation) error {
	if o.Path.isReadOnly() {
		return nil
	}
	leaf := o.Path.attribute.Leaf()
	_, sub := o.Path.split()
	switch {
	case o.Path.leadsToReadOnly(),
		sub != nil && sub.Mutability == schema.Immutable,
		o.Path.filter != nil && o.Op != Remove && !hasMutable(leaf):
		return schema.Errorf(schema.Mutability, "%s cannot be changed", o.Path)
	case leaf.Required && o.Value == nil:
		return schema.Errorf(schema.Mutability, "%s is required and cannot be removed", o.Path)
	default:
		return nil
	}
}

// hasMutable reports whether an element of the attribute can be changed in place.
func hasMutable(a *schema.Attribute) bool {
	return a.Type != schema.Complex || slices.ContainsFunc(a.SubAttributes, func(sub schema.Attribute) bool {
		return sub.Mutability == schema.ReadWrite
	})
}

// checkUnchanged lets a client send a read-only attribute as it is. Removing one is refused even where there is none: the
// resource need not have what is computed when it is read, such as the groups of a user.
func (o Operation) checkUnchanged(resource map[string]any) error {
	if o.Op == Remove {
		return schema.Errorf(schema.Mutability, "%s is read-only and cannot be removed", o.Path)
	}
	changed := maps.Clone(resource)
	if err := o.apply(changed); err != nil {
		return err
	}
	if !reflect.DeepEqual(changed, resource) {
		return schema.Errorf(schema.Mutability, "%s is read-only: leave it out, or send it as it is", o.Path)
	}
	return nil
}
