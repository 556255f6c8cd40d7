package schema

import (
	"maps"
	"reflect"
)

// What is said here of extensions is about declared ones: in the schemas of RFC 7643 nothing that is stored is read-only,
// hidden, or, except for members, immutable.

// Replacement returns what current becomes when a client replaces it by sent, which is normalized (RFC 7644 §3.5.1). Values
// that the client cannot send or does not know, because they are read-only or a GET does not show them, are kept, and so are
// immutable ones that it leaves out. It returns an *Error of type mutability when an immutable value would change.
func (rt *ResourceType) Replacement(current, sent map[string]any) (map[string]any, error) {
	next := carry(rt.declared, current, sent, func(a *Attribute) bool {
		return a.Mutability == ReadOnly || a.Mutability == Immutable || a.Returned == returnedRequest || a.IsSecret()
	})
	next["schemas"] = rt.schemasOf(next)
	return next, checkImmutable(rt.declared, current, next, "")
}

// Revision returns the canonical form of patched, which a PATCH made of current. An extension that the PATCH does not change
// is kept as it is, even if it does not fit a declaration that came later: nothing in it must hinder a deactivation.
// It returns an *Error as Normalize does, or of type mutability when an immutable value would change.
func (rt *ResourceType) Revision(current, patched map[string]any) (map[string]any, error) {
	tree := maps.Clone(patched)
	unchanged := map[string]any{}
	for i := range rt.declared {
		urn := rt.declared[i].Name
		if old, ok := current[urn]; ok && reflect.DeepEqual(old, patched[urn]) {
			unchanged[urn] = old
			delete(tree, urn)
		}
	}
	next, err := rt.Normalize(tree)
	if err != nil {
		return nil, err
	}
	next = carry(rt.declared, current, next, func(a *Attribute) bool { return a.Mutability == ReadOnly })
	maps.Copy(next, unchanged)
	next["schemas"] = rt.schemasOf(next)
	return next, checkImmutable(rt.declared, current, next, "")
}

// carry returns a copy of next to which the values of current are added that are to be kept and that next does not have.
func carry(attributes []Attribute, current, next map[string]any, keep func(*Attribute) bool) map[string]any {
	carried := make(map[string]any, len(next))
	maps.Copy(carried, next)
	for i := range attributes {
		a := &attributes[i]
		old := current[a.Name]
		if old == nil {
			continue
		}
		if keep(a) {
			if carried[a.Name] == nil {
				carried[a.Name] = old
			}
			continue
		}
		oldObject, isObject := old.(map[string]any)
		newObject, _ := next[a.Name].(map[string]any)
		if !isObject {
			continue
		}
		if below := carry(a.SubAttributes, oldObject, newObject, keep); len(below) > 0 {
			carried[a.Name] = below
		}
	}
	return carried
}

// checkImmutable refuses a next in which an immutable value differs from that of current. A value that does not fit the
// declaration can be corrected. The prefix stands before the names of the attributes.
func checkImmutable(attributes []Attribute, current, next map[string]any, prefix string) error {
	for i := range attributes {
		a := &attributes[i]
		old := current[a.Name]
		if old == nil {
			continue
		}
		where := prefix + a.Name
		if a.Mutability == Immutable {
			fitting, err := converter{keepReadOnly: true}.attribute(a, old, where)
			if err == nil && fitting != nil && !reflect.DeepEqual(fitting, next[a.Name]) && !reflect.DeepEqual(old, next[a.Name]) {
				return Errorf(Mutability, "%s is immutable and has a value: leave it out of a PUT, or send it as it is", where)
			}
			continue
		}
		oldObject, isObject := old.(map[string]any)
		newObject, _ := next[a.Name].(map[string]any)
		if !isObject {
			continue
		}
		if err := checkImmutable(a.SubAttributes, oldObject, newObject, where+a.separator()); err != nil {
			return err
		}
	}
	return nil
}
