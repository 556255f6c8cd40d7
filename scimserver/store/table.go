package store

import (
	"slices"
	"strings"

	"github.com/tidwall/btree"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Key is one value of an indexed attribute. Values of attributes that are not case-exact are folded.
type Key struct {
	// Attribute is id, userName, externalId, emails.value or email (see identity) of users; id, displayName, externalId or
	// members.value of groups.
	Attribute string
	Value     string
}

// table holds one directory's objects of one kind: by name, in order of creation, and by keys. Objects in it are shared
// and never modified. Times: put and remove O(log n), a page O(log n + page), a key O(1).
type table[T client.Object] struct {
	keysOf func(T) []Key
	byName map[string]T
	byKey  map[Key][]T
	// order is by creation and then by name, so that what is created during an import comes at the end and moves nothing
	// to another page. It has all objects; provisioned is the same order of those that are not mirrors.
	order, provisioned *btree.BTreeG[T]
}

func newTable[T client.Object](keysOf func(T) []Key) *table[T] {
	return &table[T]{
		keysOf: keysOf, byName: map[string]T{}, byKey: map[Key][]T{},
		order: btree.NewBTreeG(created[T]), provisioned: btree.NewBTreeG(created[T]),
	}
}

func created[T client.Object](a, b T) bool { return compareCreation(a, b) < 0 }

func compareCreation[T client.Object](a, b T) int {
	if c := a.GetCreationTimestamp().Compare(b.GetCreationTimestamp().Time); c != 0 {
		return c
	}
	return strings.Compare(a.GetName(), b.GetName())
}

func (t *table[T]) put(obj T) {
	t.remove(obj.GetName())
	t.byName[obj.GetName()] = obj
	t.order.Set(obj)
	if !isMirror(obj) {
		t.provisioned.Set(obj)
	}
	for _, k := range t.keysOf(obj) {
		t.byKey[k] = append(t.byKey[k], obj)
	}
}

func (t *table[T]) remove(name string) {
	old, ok := t.byName[name]
	if !ok {
		return
	}
	delete(t.byName, name)
	t.order.Delete(old)
	t.provisioned.Delete(old)
	for _, k := range t.keysOf(old) {
		left := slices.DeleteFunc(t.byKey[k], func(o T) bool { return o.GetName() == name })
		if len(left) == 0 {
			delete(t.byKey, k)
		} else {
			t.byKey[k] = left
		}
	}
}

// pageAt returns count objects of an order from start on (0-based).
func pageAt[T client.Object](order *btree.BTreeG[T], start, count int) []T {
	first, ok := order.GetAt(start)
	if !ok || count <= 0 {
		return nil
	}
	out := make([]T, 0, min(count, order.Len()-start))
	order.Ascend(first, func(obj T) bool {
		out = append(out, obj)
		return len(out) < count
	})
	return out
}

// pageAfter returns count objects of an order behind the place of pivot, which need not be in it.
func pageAfter[T client.Object](order *btree.BTreeG[T], pivot T, count int) []T {
	var out []T
	order.Ascend(pivot, func(obj T) bool {
		if compareCreation(obj, pivot) > 0 && len(out) < count {
			out = append(out, obj)
		}
		return len(out) < count
	})
	return out
}

// otherHolder is an object with this key whose name is not the given one.
func (t *table[T]) otherHolder(k Key, name string) (T, bool) {
	for _, obj := range t.byKey[k] {
		if obj.GetName() != name {
			return obj, true
		}
	}
	var none T
	return none, false
}
