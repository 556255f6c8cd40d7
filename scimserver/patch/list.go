package patch

import (
	"maps"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// applyList changes the values of a multi-valued attribute.
func (o Operation) applyList(target *schema.Attribute, list []any) ([]any, error) {
	_, sub := o.Path.split()
	if o.Path.filter != nil || sub != nil {
		return o.applyElements(sub, list)
	}
	values, _ := o.Value.([]any)
	switch {
	case o.Op == Replace:
		return values, nil
	case o.Op == Add:
		union := target.Union(o.yieldingPrimary(list), values)
		if target.Exceeds(len(union)) {
			return nil, schema.Errorf(schema.InvalidValue, "%s would have too many values", o.Path)
		}
		return union, nil
	case o.Value == nil:
		return nil, nil
	default: // beyond RFC 7644 §3.5.2.2: Entra ID lists the values to remove
		return target.Without(list, values), nil
	}
}

// applyElements changes the elements that the filter selects, all if there is no filter.
func (o Operation) applyElements(sub *schema.Attribute, list []any) ([]any, error) {
	yielding := o.yieldingPrimary(list)
	var changed []any
	found := false
	for i, element := range list {
		if o.Path.filter != nil && !o.Path.filter.Match(element) {
			changed = append(changed, yielding[i])
			continue
		}
		found = true
		if object, _ := yielding[i].(map[string]any); object != nil {
			if object = o.applyElement(sub, object); len(object) > 0 {
				changed = append(changed, object)
			}
		}
	}
	if found {
		return changed, nil
	}
	created, err := o.create(sub)
	if err != nil || len(created) == 0 {
		return changed, err
	}
	if created["primary"] == true { // the filter can say so, too
		changed = withoutPrimary(changed)
	}
	return append(changed, created), nil
}

func (o Operation) applyElement(sub *schema.Attribute, element map[string]any) map[string]any {
	unassigns := o.Op == Remove || o.Value == nil
	switch {
	case sub != nil && unassigns:
		element = maps.Clone(element)
		delete(element, sub.Name)
		return element
	case sub != nil:
		return merged(element, map[string]any{sub.Name: o.Value})
	case unassigns:
		return nil
	case o.Op == Replace:
		element, _ = o.Path.filter.Element() // what selects the element remains true of it
	}
	value, _ := o.Value.(map[string]any)
	return merged(element, value)
}

// create makes the element that the filter describes, where it selects none. That goes beyond RFC 7644 §3.5.2.3, but is how
// Entra ID sets the first work address: emails[type eq "work"].value.
func (o Operation) create(sub *schema.Attribute) (map[string]any, error) {
	if o.Value == nil {
		return nil, nil
	}
	if o.Path.filter == nil {
		return o.applyElement(sub, map[string]any{}), nil
	}
	described, ok := o.Path.filter.Element()
	if ok && (sub != nil || o.Op == Add) {
		if created := o.applyElement(sub, described); o.Path.filter.Match(created) {
			return created, nil
		}
	}
	return nil, schema.Errorf(schema.NoTarget, "no value of %s matches the filter in the path", o.Path)
}

// yieldingPrimary returns list, without its primary value if the operation sets another (RFC 7644 §3.5.2).
func (o Operation) yieldingPrimary(list []any) []any {
	if !o.setsPrimary() {
		return list
	}
	return withoutPrimary(list)
}

func withoutPrimary(list []any) []any {
	yielding := make([]any, len(list))
	for i, element := range list {
		if object, ok := element.(map[string]any); ok && object["primary"] == true {
			element = merged(object, map[string]any{"primary": false})
		}
		yielding[i] = element
	}
	return yielding
}

func (o Operation) setsPrimary() bool {
	switch value := o.Value.(type) {
	case bool:
		_, sub := o.Path.split()
		return value && sub != nil && sub.Name == "primary"
	case map[string]any:
		return value["primary"] == true
	case []any:
		for _, element := range value {
			if object, ok := element.(map[string]any); ok && object["primary"] == true {
				return true
			}
		}
	}
	return false
}

// merged returns a new object with the attributes of both.
func merged(old, with map[string]any) map[string]any {
	both := make(map[string]any, len(old)+len(with))
	maps.Copy(both, old)
	maps.Copy(both, with)
	return both
}
