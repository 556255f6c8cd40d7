package scimserver_test

import (
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// The reference meaning of PATCH (RFC 7644 §3.5.2) on plain JSON. It knows operations taken apart, not their syntax, and
// shares no code with package patch, so that the two can be compared.

// operation is one of a request: a change, or without path the changes of all attributes that its value names.
type operation struct {
	op      string
	noPath  bool
	changes []change
}

// change is what happens to one attribute.
type change struct {
	attribute []string // the keys that lead to it
	where     *selection
	sub       string // the sub-attribute of the elements
	value     any    // nil: none, or null
}

// selection is the filter of a path, as text and as what it means.
type selection struct {
	text  string
	holds func(element map[string]any) bool
	says  map[string]any // what the element has that the filter describes; nil if it describes none
}

// path is how RFC 7644 §3.10 writes what a change is about.
func (c change) path() string {
	path := c.attribute[0]
	for i, name := range c.attribute[1:] {
		if i == 0 && strings.HasPrefix(path, "urn:") {
			path += ":" + name
		} else {
			path += "." + name
		}
	}
	if c.where != nil {
		path += "[" + c.where.text + "]"
	}
	if c.sub != "" {
		path += "." + c.sub
	}
	return path
}

// wire is the operation as a client sends it.
func (o operation) wire() map[string]any {
	sent := map[string]any{"op": o.op}
	if o.noPath {
		value := map[string]any{}
		for _, c := range o.changes {
			value[c.path()] = c.value
		}
		sent["value"] = value
		return sent
	}
	c := o.changes[0]
	sent["path"] = c.path()
	if o.op != "remove" || c.value != nil {
		sent["value"] = c.value
	}
	return sent
}

var (
	errRequired  = errors.New("a required attribute cannot be removed")
	errNoTarget  = errors.New("the filter selects nothing, and describes nothing to add")
	errPrimaries = errors.New("more than one value is primary")
	// errUndefined: an operation made one element twice or more than one primary, and another follows. The RFC does not say
	// what that then works on: only the result of all must be a resource.
	errUndefined = errors.New("the operations go through what is no resource")
)

// meaning returns what a resource is after all operations, in order, or why nothing happens.
func meaning(resource map[string]any, operations []operation) (map[string]any, error) {
	result := copied(resource)
	for _, o := range operations {
		for _, c := range o.changes {
			if !defined(result) {
				return nil, errUndefined
			}
			if err := c.carryOut(o.op, result); err != nil {
				return nil, err
			}
		}
	}
	for name := range result {
		if !multiValued(name) {
			continue
		}
		list, err := set(name, elements(result[name]))
		if err != nil {
			return nil, err
		}
		put(result, name, list)
	}
	return result, nil
}

// defined reports whether every list is a set with one primary value at most.
func defined(resource map[string]any) bool {
	for name, value := range resource {
		if !multiValued(name) {
			continue
		}
		list := elements(value)
		if distinct, err := set(name, list); err != nil || len(distinct) != len(list) {
			return false
		}
	}
	return true
}

func (c change) carryOut(op string, resource map[string]any) error {
	name := c.attribute[0]
	required := "displayName"
	if resource["userName"] != nil {
		required = "userName"
	}
	if name == required && (op == "remove" || c.value == nil) {
		return errRequired
	}
	if !multiValued(name) {
		assign(resource, c.attribute, op, c.value)
		return nil
	}
	list := elements(resource[name])
	var err error
	if c.where == nil && c.sub == "" {
		list, err = c.wholeList(op, list)
	} else {
		list, err = c.someElements(op, list)
	}
	put(resource, name, list)
	return err
}

// assign sets or unassigns a single value. Of an object that is given for a complex attribute or an extension only the
// sub-attributes that it names change (§3.5.2.1, §3.5.2.3).
func assign(object map[string]any, path []string, op string, value any) {
	name := path[0]
	given, isObject := value.(map[string]any)
	switch {
	case len(path) == 1 && (op == "remove" || value == nil):
		delete(object, name)
		return
	case len(path) == 1 && !isObject:
		object[name] = value
		return
	}
	below, _ := object[name].(map[string]any)
	if below == nil {
		below = map[string]any{}
	}
	if len(path) > 1 {
		assign(below, path[1:], op, value)
	}
	for sub, v := range given {
		if len(path) == 1 {
			assign(below, []string{sub}, op, v)
		}
	}
	object[name] = below
	if len(below) == 0 {
		delete(object, name)
	}
}

func (c change) wholeList(op string, list []map[string]any) ([]map[string]any, error) {
	name := c.attribute[0]
	given, err := set(name, elements(c.value))
	if err != nil {
		return nil, err
	}
	switch {
	case op == "replace", op == "remove" && c.value == nil:
		return given, nil
	case op == "remove": // the values to remove are listed, as Entra ID does it
		return slices.DeleteFunc(list, func(e map[string]any) bool {
			return slices.ContainsFunc(given, func(g map[string]any) bool { return same(name, e, g) })
		}), nil
	}
	var union []map[string]any
	for _, e := range list {
		union = insert(name, union, e)
	}
	list = union
	for _, g := range given { // add
		// "the service provider SHALL set the value of the attribute to false for any previously existing primary" (§3.5.2),
		// of which an operation before may have left more than one
		if g["primary"] == true {
			demote(list)
		}
		if slices.ContainsFunc(list, func(e map[string]any) bool { return reflect.DeepEqual(e, g) }) {
			continue // "If the target location already contains the value specified, no changes SHOULD be made"
		}
		list = insert(name, list, g)
	}
	return list, nil
}

// someElements changes the elements that the filter selects, or all if there is none.
func (c change) someElements(op string, list []map[string]any) ([]map[string]any, error) {
	selected := slices.Collect(func(yield func(int) bool) {
		for i, e := range list {
			if (c.where == nil || c.where.holds(e)) && !yield(i) {
				return
			}
		}
	})
	if op == "remove" {
		for _, i := range selected {
			if c.sub == "" {
				list[i] = nil
			} else {
				delete(list[i], c.sub)
			}
		}
		return slices.DeleteFunc(list, func(e map[string]any) bool { return len(e) == 0 }), nil
	}
	given := map[string]any{}
	if c.sub != "" {
		given[c.sub] = c.value
	} else {
		given = c.value.(map[string]any)
	}
	if len(selected) == 0 {
		return c.added(op, list, given)
	}
	// "the service provider SHALL set the value of the attribute to false for any previously existing primary" (§3.5.2)
	if given["primary"] == true {
		demote(list)
	}
	for _, i := range selected {
		if op == "replace" && c.sub == "" {
			list[i] = maps.Clone(c.where.says) // what selected it remains true of it
			if list[i] == nil {
				list[i] = map[string]any{}
			}
		}
		maps.Copy(list[i], given)
	}
	return list, nil
}

// added makes the element that a filter describes and none is. Where a whole element is replaced there must be one.
func (c change) added(op string, list []map[string]any, given map[string]any) ([]map[string]any, error) {
	element := map[string]any{}
	if c.where != nil {
		if c.where.says == nil || op == "replace" && c.sub == "" {
			return list, errNoTarget
		}
		maps.Copy(element, c.where.says)
		maps.Copy(element, given)
		if !c.where.holds(element) {
			return list, errNoTarget
		}
	}
	maps.Copy(element, given)
	if element["primary"] == true {
		demote(list)
	}
	return append(list, element), nil
}

// demote makes no element the primary one.
func demote(list []map[string]any) {
	for _, e := range list {
		if e["primary"] == true {
			e["primary"] = false
		}
	}
}

// set is a list of values without repetition (RFC 7643 §2.4), of which at most one is primary.
func set(name string, list []map[string]any) ([]map[string]any, error) {
	var distinct []map[string]any
	primaries := 0
	for _, e := range list {
		if name == "addresses" || e["value"] != nil {
			distinct = insert(name, distinct, e)
		}
	}
	for _, e := range distinct {
		if e["primary"] == true {
			primaries++
		}
	}
	if primaries > 1 {
		return nil, errPrimaries
	}
	return distinct, nil
}

// insert adds an element, or what it says to the one that is the same.
func insert(name string, list []map[string]any, element map[string]any) []map[string]any {
	at := slices.IndexFunc(list, func(e map[string]any) bool { return same(name, e, element) })
	if at < 0 {
		return append(list, maps.Clone(element))
	}
	maps.Copy(list[at], element)
	return list
}

// same reports whether two elements are of one value and type; one without type can be of any. Addresses have no value, and
// are the same when all but the mark of the primary one is.
func same(name string, x, y map[string]any) bool {
	if name == "addresses" {
		x, y = maps.Clone(x), maps.Clone(y)
		delete(x, "primary")
		delete(y, "primary")
		return reflect.DeepEqual(x, y)
	}
	if name == "members" {
		return x["value"] == y["value"]
	}
	tx, _ := x["type"].(string)
	ty, _ := y["type"].(string)
	vx, _ := x["value"].(string)
	vy, _ := y["value"].(string)
	return strings.EqualFold(vx, vy) && (tx == "" || ty == "" || strings.EqualFold(tx, ty))
}

func multiValued(name string) bool {
	return name == "members" || slices.Contains(pluralNames, name)
}

func elements(value any) (list []map[string]any) {
	values, _ := value.([]any)
	for _, v := range values {
		list = append(list, maps.Clone(v.(map[string]any)))
	}
	return list
}

func put(resource map[string]any, name string, list []map[string]any) {
	if len(list) == 0 {
		delete(resource, name)
		return
	}
	values := make([]any, len(list))
	for i, e := range list {
		values[i] = e
	}
	resource[name] = values
}

// copied is a deep copy.
func copied(tree map[string]any) (same map[string]any) {
	if err := json.Unmarshal([]byte(inJSON(tree)), &same); err != nil {
		panic(err)
	}
	return same
}

func inJSON(tree map[string]any) string {
	text, err := json.Marshal(tree)
	if err != nil {
		panic(err)
	}
	return string(text)
}
