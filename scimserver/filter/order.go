package filter

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// maxSortKey is how many bytes of a value its place in an order depends on.
const maxSortKey = 1024

// Order sorts resources by one attribute (RFC 7644 §3.4.2.3). Text is in the order of its code points, folded unless the
// attribute is case-exact; dates are in the order of their instants. Of a multi-valued attribute the primary value counts,
// else the first. It is immutable, so any number of goroutines may use it.
type Order struct {
	names      []string
	kind       schema.Type
	exact      bool
	descending bool
}

// ParseOrder reads the parameters sortBy, the name of an attribute, and sortOrder. Names of attributes are resolved as by
// Parse; resources without a value, of another type or not, are at the end.
// It returns a *schema.Error of type invalidValue that says what would be accepted.
func ParseOrder(rt *schema.ResourceType, sortBy, sortOrder string, others ...*schema.ResourceType) (*Order, error) {
	path, ok := resolver(rt, others...)(strings.TrimSpace(sortBy))
	if !ok {
		return nil, schema.Errorf(schema.InvalidValue, "sortBy: there is no attribute %.100q; see /Schemas", sortBy)
	}
	if path.Leaf().Type == schema.Complex {
		value := path.Leaf().Sub("value")
		if value == nil {
			return nil, schema.Errorf(schema.InvalidValue, "sortBy: %s is complex: name one of its sub-attributes, such as %s",
				path, append(path, &path.Leaf().SubAttributes[0]))
		}
		path = append(path, value)
	}
	if slices.ContainsFunc(path, (*schema.Attribute).IsSecret) {
		return nil, schema.Errorf(schema.InvalidValue, "sortBy: %s is never returned, so nothing can be sorted by it", path)
	}
	o := &Order{names: path.Names(), kind: path.Leaf().Type, exact: path.Leaf().CaseExact}
	switch strings.ToLower(strings.TrimSpace(sortOrder)) {
	case "", "ascending":
	case "descending":
		o.descending = true
	default:
		return nil, schema.Errorf(schema.InvalidValue, "sortOrder must be ascending or descending")
	}
	return o, nil
}

// Uses reports whether the order depends on the top-level attribute; the name is in canonical case.
func (o *Order) Uses(attribute string) bool {
	return o.names[0] == attribute
}

// Key returns what a resource, in a form that Match takes, is sorted by; empty if it has no value.
func (o *Order) Key(resource any) string {
	value := preferred(reflect.ValueOf(resource), o.names)
	switch {
	case !value.IsValid():
		return ""
	case o.kind == schema.DateTime:
		if instant, ok := instantOf(value); ok {
			return instant.UTC().Format("2006-01-02T15:04:05.000000000Z") // in order as text
		}
		return ""
	case o.kind == schema.Integer || o.kind == schema.Decimal:
		if number, ok := numberOf(value); ok {
			return numberKey(number)
		}
		return ""
	case value.Kind() == reflect.Bool && value.Bool():
		return "true"
	case value.Kind() == reflect.Bool:
		return "false"
	case value.Kind() != reflect.String:
		return ""
	case o.exact:
		return cutText(value.String())
	default:
		return cutText(schema.Fold(value.String()))
	}
}

// Compare puts two keys in order. Resources without a value come last in either direction: who sorts wants to see values
// first. (RFC 7644 would have them first where the order is descending.)
func (o *Order) Compare(a, b string) int {
	switch {
	case a == b:
		return 0
	case a == "":
		return 1
	case b == "":
		return -1
	case o.descending:
		return strings.Compare(b, a)
	default:
		return strings.Compare(a, b)
	}
}

// preferred follows names from v to a single value, the zero Value if there is none.
func preferred(v reflect.Value, names []string) reflect.Value {
	v = indirect(v)
	if v.Kind() == reflect.Slice {
		return preferred(primary(v), names)
	}
	if !v.IsValid() || len(names) == 0 {
		return v
	}
	return preferred(child(v, names[0]), names[1:])
}

// primary returns the element marked as primary, else the first (RFC 7643 §2.4).
func primary(list reflect.Value) reflect.Value {
	for i := range list.Len() {
		mark := indirect(child(indirect(list.Index(i)), "primary"))
		if mark.Kind() == reflect.Bool && mark.Bool() {
			return list.Index(i)
		}
	}
	if list.Len() == 0 {
		return reflect.Value{}
	}
	return list.Index(0)
}

// numberKey writes a number so that texts are in order as the numbers are: the bits of a positive one are, and those of a
// negative one are in reverse.
func numberKey(number float64) string {
	bits := math.Float64bits(number + 0) // no -0
	if number < 0 {
		bits = ^bits
	} else {
		bits |= 1 << 63
	}
	return fmt.Sprintf("%016x", bits)
}

// cutText cuts at the end of a character.
func cutText(s string) string {
	if len(s) <= maxSortKey {
		return s
	}
	end := maxSortKey
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}
