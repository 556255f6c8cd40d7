package store

import (
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// scan selects a page of a directory's objects: those by key, or all in order, that match. It returns the objects of the
// page and how many match in all. It holds the index's lock only to look up what to go through: what it goes through is a
// snapshot, so that a long filter does not hold up writers.
func scan[T client.Object](d *Directory, k kind[T], by *Key, match func(T) bool, start, count int) (page []T, total int) {
	var candidates func(yield func(T) bool)
	d.read(func(ix *directoryIndex) {
		t := k.table(ix)
		switch {
		case by != nil:
			found := slices.SortedFunc(slices.Values(t.lookup(*by)), compareCreation)
			candidates = slices.Values(found)
		case match == nil:
			page, total = t.page(start, count), t.order.Len()
		default:
			candidates = t.order.Copy().Scan
		}
	})
	if candidates == nil {
		return page, total
	}
	candidates(func(obj T) bool {
		if match != nil && !match(obj) {
			return true
		}
		if total >= start && len(page) < count {
			page = append(page, obj)
		}
		total++
		return true
	})
	return page, total
}

// lookup returns the objects with the key, in no order.
func (t *table[T]) lookup(k Key) []T {
	switch k.Attribute {
	case "id":
		if obj, ok := t.byName[k.Value]; ok {
			return []T{obj}
		}
		return nil
	case "externalId":
		return t.byKey[k]
	default:
		return t.byKey[Key{k.Attribute, schema.Fold(k.Value)}]
	}
}
