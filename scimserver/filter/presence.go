package filter

import "reflect"

// presence is `pr`: a value, or something in a complex one, is not empty.
type presence struct{ names []string }

func (e *presence) match(resource reflect.Value) bool { return anyValue(resource, e.names, e) }
func (e *presence) uses(attribute string) bool        { return e.names[0] == attribute }

func (e *presence) holds(value reflect.Value) bool {
	switch value.Kind() {
	case reflect.String:
		return value.Len() > 0
	case reflect.Map:
		for entries := value.MapRange(); entries.Next(); {
			if anyValue(entries.Value(), nil, e) {
				return true
			}
		}
		return false
	case reflect.Struct:
		if instant, ok := instantOf(value); ok {
			return !instant.IsZero()
		}
		for name := range fieldsOf(value.Type()) {
			if anyValue(child(value, name), nil, e) {
				return true
			}
		}
		return false
	default:
		return true
	}
}
