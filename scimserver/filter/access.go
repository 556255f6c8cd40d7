package filter

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// condition is what is asked of a single value; its methods are called on values that are there.
type condition interface {
	holds(value reflect.Value) bool
}

// anyValue follows names from v, and reports whether the condition holds for a value that it comes to.
// There are several where an attribute is multi-valued.
func anyValue(v reflect.Value, names []string, c condition) bool {
	v = indirect(v)
	switch {
	case !v.IsValid():
		return false
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			if anyValue(v.Index(i), names, c) {
				return true
			}
		}
		return false
	case len(names) == 0:
		return c.holds(v)
	default:
		return anyValue(child(v, names[0]), names[1:], c)
	}
}

func indirect(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	return v
}

// child returns the attribute of that name, the zero Value if there is none.
func child(v reflect.Value, name string) reflect.Value {
	switch v.Kind() {
	case reflect.Map:
		if tree, ok := reflect.TypeAssert[map[string]any](v); ok {
			return reflect.ValueOf(tree[name])
		}
	case reflect.Struct:
		if f, ok := fieldsOf(v.Type())[name]; ok {
			return f.of(v)
		}
	}
	return reflect.Value{}
}

// field says where in a struct an attribute is.
type field struct {
	index     []int
	omitEmpty bool
}

func (f field) of(v reflect.Value) reflect.Value {
	for _, i := range f.index {
		if v = indirect(v); !v.IsValid() {
			return v
		}
		v = v.Field(i)
	}
	if f.omitEmpty && v.IsZero() {
		return reflect.Value{}
	}
	return v
}

// fieldCache holds a map[string]field per reflect.Type.
var fieldCache sync.Map

func fieldsOf(t reflect.Type) map[string]field {
	if cached, ok := fieldCache.Load(t); ok {
		return cached.(map[string]field)
	}
	fields := map[string]field{}
	collectFields(t, nil, fields)
	fieldCache.Store(t, fields)
	return fields
}

// collectFields adds the fields of t that have a JSON name. As in encoding/json a field hides those of the same name that
// come with an embedded struct.
func collectFields(t reflect.Type, parent []int, fields map[string]field) {
	var embedded []reflect.StructField
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "" && f.Anonymous:
			embedded = append(embedded, f)
		case name == "" || name == "-" || !f.IsExported():
		default:
			if _, hidden := fields[name]; !hidden {
				omitEmpty := strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero")
				fields[name] = field{index: indexBelow(parent, f), omitEmpty: omitEmpty}
			}
		}
	}
	for _, f := range embedded {
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			collectFields(inner, indexBelow(parent, f), fields)
		}
	}
}

func indexBelow(parent []int, f reflect.StructField) []int {
	return append(slices.Clip(parent), f.Index...)
}

// numberOf reads a json.Number, which is how trees hold numbers.
func numberOf(v reflect.Value) (float64, bool) {
	if v.Kind() != reflect.String {
		return 0, false
	}
	number, err := strconv.ParseFloat(v.String(), 64)
	return number, err == nil
}

var timeType = reflect.TypeFor[time.Time]()

// instantOf reads a time.Time, a struct around nothing but one, or an RFC 3339 string.
func instantOf(v reflect.Value) (time.Time, bool) {
	for v.Kind() == reflect.Struct && v.Type() != timeType && v.NumField() == 1 {
		v = v.Field(0)
	}
	switch {
	case v.Kind() == reflect.String:
		instant, err := time.Parse(time.RFC3339, v.String())
		return instant, err == nil
	case !v.IsValid() || v.Type() != timeType || !v.CanInterface():
		return time.Time{}, false
	case v.CanAddr():
		return *v.Addr().Interface().(*time.Time), true // spares the copy that Interface makes of a struct
	default:
		return v.Interface().(time.Time), true
	}
}
