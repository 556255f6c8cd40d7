package store

import (
	"context"

	"github.com/tidwall/btree"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// A mirror is an object of origin App: the controllers make it for what the app has, a local member or a role, so that the
// identity provider can find it and take it over, or so that its name is known to be taken. Any write of the identity
// provider takes it over: then it is an object like any other.
//
// Clients see mirrors where the policy says importable: All. Elsewhere mirrors are hidden, which means that for clients they
// do not exist; but they hold their unique keys.

func isMirror[T client.Object](obj T) bool {
	switch obj := any(obj).(type) {
	case *v1alpha1.ScimUser:
		return obj.Spec.Origin == v1alpha1.OriginApp
	case *v1alpha1.ScimGroup:
		return obj.Spec.Origin == v1alpha1.OriginApp
	default:
		return false
	}
}

func hidden[T client.Object](importable v1alpha1.Importable, obj T) bool {
	return isMirror(obj) && importable != v1alpha1.ImportableAll
}

// findShown is find for clients, from whom mirrors may be hidden. That something is hidden is confirmed live, since another
// replica may have just taken it over.
func findShown[T client.Object](ctx context.Context, d *Directory, k kind[T], id string) (T, error) {
	importable := k.importable(d.policy())
	obj, live, err := find(ctx, d, k, id)
	if err == nil && !live && hidden(importable, obj) {
		obj, err = fetch(ctx, d, k, id)
	}
	if err == nil && hidden(importable, obj) {
		err = ErrNotFound
	}
	return obj, err
}

// shown returns what the index shows clients under an id.
func shown[T client.Object](ix *directoryIndex, k kind[T], id string) (T, bool) {
	obj, ok := k.table(ix).byName[id]
	return obj, ok && !hidden(k.importable(ix.policy), obj)
}

// listed is what a list goes through that names nothing in particular.
func listed[T client.Object](ix *directoryIndex, k kind[T]) *btree.BTreeG[T] {
	return k.table(ix).listed(k.importable(ix.policy))
}

func (t *table[T]) listed(importable v1alpha1.Importable) *btree.BTreeG[T] {
	switch importable {
	case v1alpha1.ImportableAll:
		return t.order
	case v1alpha1.ImportableNone:
		return btree.NewBTreeG(created[T])
	default:
		return t.provisioned
	}
}

// held are the unique keys that an object has for good: a mirror gives way to what the identity provider owns, so that
// taking it over is gaining all of them.
func held[T client.Object](p *policy, k kind[T], obj T) []Key {
	if isMirror(obj) {
		return nil
	}
	return k.unique(p, obj)
}
