package store

import (
	"context"
	"errors"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// kind is what the write protocol needs to know of users and of groups.
type kind[T client.Object] struct {
	resourceType string // its name in SCIM

	feed      *feed[T]
	empty     func() T
	directory func(T) directoryKey
	table     func(*directoryIndex) *table[T]
	// importable says whether clients see mirrors, and lists the others.
	importable func(*policy) v1alpha1.Importable
	// unique are the keys that one object of a directory may hold.
	unique func(*policy, T) []Key
	// equal says whether two objects are the same resource state.
	equal func(a, b T) bool
	// restore puts back what from had: all of it, or only what the keys were made of.
	restore func(obj, from T, whole bool, keys []Key)
}

// find returns an object of the directory from the index, or asks once live, since another replica may have just made
// it. It returns ErrNotFound for an object of another directory, too.
func find[T client.Object](ctx context.Context, d *Directory, k kind[T], id string) (obj T, live bool, err error) {
	var ok bool
	d.read(func(ix *directoryIndex) { obj, ok = k.table(ix).byName[id] })
	if ok {
		return obj, false, nil
	}
	obj, err = fetch(ctx, d, k, id)
	return obj, true, err
}

// fetch asks the API server, which answers with the latest state.
func fetch[T client.Object](ctx context.Context, d *Directory, k kind[T], id string) (T, error) {
	obj := k.empty()
	if len(validation.IsDNS1123Subdomain(id)) > 0 {
		return obj, ErrNotFound
	}
	err := d.store.client.Get(ctx, client.ObjectKey{Namespace: d.key.namespace, Name: id}, obj)
	if err == nil && k.directory(obj) != d.key {
		err = ErrNotFound
	}
	return obj, fromAPIOr(err)
}

// fromAPIOr lets this package's own errors pass.
func fromAPIOr(err error) error {
	if errors.Is(err, ErrNotFound) {
		return ErrNotFound
	}
	return fromAPI(err)
}

// create writes a new object, verifies that its unique keys are its own, and returns it as it was stored. It returns
// errNotFormer if there is one of that name.
func create[T client.Object](ctx context.Context, d *Directory, k kind[T], p *policy, obj T) (T, error) {
	ctx, span := begin(ctx, "create "+k.resourceType)
	defer span.End()
	keys := k.unique(p, obj)
	if err := checkFree(ctx, d, k, p, keys, obj.GetName()); err != nil {
		return obj, err
	}
	err := d.store.client.Create(ctx, obj)
	if apierrors.IsAlreadyExists(err) {
		return obj, errNotFormer
	}
	if err = fromAPI(err); err == nil {
		err = verify(ctx, d, k, keys, obj)
	} else if !errors.Is(err, ErrUnavailable) {
		return obj, err // refused, so nothing was written
	}
	if err != nil {
		d.tidy(ctx, "an unacknowledged resource", obj.GetName(), func(ctx context.Context) error {
			return takeBack(ctx, d, k, obj)
		})
		return obj, err
	}
	made := stored(d, k, obj)
	d.note(nil, made)
	return made, nil
}

// stored is a written object as the index shows it, which may say more than what was sent: what a webhook has added. It is
// what was sent, where the index shows a later state already.
func stored[T client.Object](d *Directory, k kind[T], sent T) T {
	shown := sent
	d.read(func(ix *directoryIndex) {
		if obj, ok := k.table(ix).byName[sent.GetName()]; ok && obj.GetResourceVersion() == sent.GetResourceVersion() {
			shown = obj
		}
	})
	return shown
}

// takeBack deletes what create has written, if it has, and nobody has changed it since.
func takeBack[T client.Object](ctx context.Context, d *Directory, k kind[T], obj T) error {
	for {
		there, err := fetch(ctx, d, k, obj.GetName())
		switch {
		case errors.Is(err, ErrNotFound):
			return nil
		case err != nil:
			return err
		case !madeBy(k, there, obj):
			return nil
		}
		err = d.store.client.Delete(ctx, there, client.Preconditions{UID: new(there.GetUID()), ResourceVersion: new(there.GetResourceVersion())})
		if !apierrors.IsConflict(err) {
			return client.IgnoreNotFound(err)
		}
	}
}

// madeBy reports whether an object is what a creation made, unchanged. If the creation was not answered, what is there by that
// name may be another replica's, who gave the same person the same id: then it says something else, or was stamped otherwise.
func madeBy[T client.Object](k kind[T], there, created T) bool {
	if created.GetUID() == "" {
		return k.equal(there, created) && sameStamp(there, created)
	}
	return there.GetUID() == created.GetUID() && there.GetGeneration() == created.GetGeneration() && sameStamp(there, created)
}

// checkFree refuses keys of which one is already held. The index may be behind another replica that has just given a key
// free, so its word for "taken" is confirmed live; "free" is only a hint, which verify confirms after the write.
func checkFree[T client.Object](ctx context.Context, d *Directory, k kind[T], p *policy, keys []Key, name string) error {
	for _, key := range keys {
		var holder T
		var held bool
		d.read(func(ix *directoryIndex) { holder, held = k.table(ix).otherHolder(key, name) })
		if !held {
			continue
		}
		switch live, err := fetch(ctx, d, k, holder.GetName()); {
		case errors.Is(err, ErrNotFound):
		case err != nil:
			return err
		case slices.Contains(k.unique(p, live), key):
			return taken(key.Attribute, live.GetName())
		}
	}
	return nil
}

// verify waits until the index shows the write, and with it every earlier one, and looks whether anybody else holds one of
// the keys. Of two replicas that race at least one sees the other.
func verify[T client.Object](ctx context.Context, d *Directory, k kind[T], keys []Key, obj T) (err error) {
	ctx, span := begin(ctx, "verify "+k.resourceType)
	defer span.End()
	if err := k.feed.waitFor(ctx, obj); err != nil {
		return err
	}
	d.read(func(ix *directoryIndex) {
		for _, key := range keys {
			if holder, held := k.table(ix).otherHolder(key, obj.GetName()); held {
				d.store.metrics.undone.WithLabelValues(k.resourceType).Inc()
				span.AddEvent(eventTaken)
				err = taken(key.Attribute, holder.GetName())
				return
			}
		}
	})
	return err
}

// tidy makes the writes that must follow another one even if that failed or its caller has gone: taking back what was not
// acknowledged, deleting what nothing refers to. If it fails, what is left over grants nothing and is removed or marked by
// the controllers.
func (d *Directory) tidy(ctx context.Context, what, id string, f func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTimeout)
	defer cancel()
	if err := f(ctx); err != nil {
		d.store.options.Log.Error(err, "Something is left over from a write", "left", what,
			"namespace", d.key.namespace, "directory", d.key.name, "id", id)
	}
}

// update replays change on the object until the result is stored or found to be no change. change gets a shared object,
// which it must not modify, and returns a new one. It takes the names from locks; a caller who holds them passes nil.
func update[T client.Object](ctx context.Context, d *Directory, k kind[T], locks *keyLock, id string, change func(T) (T, error)) (T, error) {
	ctx, span := begin(ctx, "update "+k.resourceType)
	defer span.End()
	p := d.policy()
	obj, live, err := find(ctx, d, k, id)
	if err != nil {
		return obj, err
	}
	var unlock func()
	defer func() {
		if unlock != nil {
			unlock()
		}
	}()
	for {
		next, err := change(obj)
		if err != nil {
			if live {
				return obj, err
			}
			// What the index shows may be old; a refusal is as final as a write, and confirmed as one.
			if obj, err = fetch(ctx, d, k, id); err != nil {
				return obj, err
			}
			live = true
			continue
		}
		if unlock == nil {
			unlock = locks.lock(d.key, slices.Concat(k.unique(p, obj), k.unique(p, next))...)
		}
		if k.equal(obj, next) {
			if live {
				span.AddEvent(eventUnchanged)
				return obj, nil
			}
			if obj, err = fetch(ctx, d, k, id); err != nil {
				return obj, err
			}
			live = true
			continue
		}
		gained := without(k.unique(p, next), held(p, k, obj))
		if err := checkFree(ctx, d, k, p, gained, id); err != nil {
			return obj, err
		}
		d.stamp(ctx, next)
		err = d.store.client.Update(ctx, next)
		switch {
		case apierrors.IsConflict(err):
			span.AddEvent(eventConflict)
			if obj, err = fetch(ctx, d, k, id); err != nil {
				return obj, err
			}
			live = true
			continue
		case err != nil:
			return obj, fromAPI(err)
		}
		if err := verify(ctx, d, k, gained, next); err != nil {
			if len(gained) > 0 {
				d.tidy(ctx, "an unacknowledged name", id, func(ctx context.Context) error {
					return restore(ctx, d, k, p, gained, next, obj)
				})
			}
			return obj, err
		}
		next = stored(d, k, next)
		d.note(obj, next)
		return next, nil
	}
}

// without returns the keys that are not among others.
func without(keys, others []Key) []Key {
	return slices.DeleteFunc(slices.Clone(keys), func(k Key) bool { return slices.Contains(others, k) })
}

// restore puts an object back to what it was before the write gained it the keys: as a whole while nobody has changed it
// since, else only what those keys are made of that it still has.
func restore[T client.Object](ctx context.Context, d *Directory, k kind[T], p *policy, gained []Key, written, before T) error {
	for {
		now, err := fetch(ctx, d, k, written.GetName())
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		kept := without(gained, without(gained, k.unique(p, now)))
		if len(kept) == 0 {
			return nil
		}
		k.restore(now, before, now.GetResourceVersion() == written.GetResourceVersion(), kept)
		if err := d.store.client.Update(ctx, now); !apierrors.IsConflict(err) {
			return client.IgnoreNotFound(err)
		}
	}
}

// remove deletes an object after check has agreed to its latest state.
func remove[T client.Object](ctx context.Context, d *Directory, k kind[T], id string, check func(T) error) (T, error) {
	ctx, span := begin(ctx, "delete "+k.resourceType)
	defer span.End()
	for {
		obj, err := fetch(ctx, d, k, id)
		if err != nil {
			return obj, err
		}
		if err := check(obj); err != nil {
			return obj, err
		}
		err = d.store.client.Delete(ctx, obj, client.Preconditions{UID: new(obj.GetUID()), ResourceVersion: new(obj.GetResourceVersion())})
		if apierrors.IsConflict(err) {
			span.AddEvent(eventConflict)
			continue
		}
		if err != nil {
			return obj, fromAPI(err)
		}
		d.note(obj, nil)
		return obj, k.feed.waitGone(ctx, obj)
	}
}

// detached bounds a write by its own timeout only: a caller who hangs up must not leave it half done.
func detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
}

// stamp notes on an object, beside what counts as its state, when it was written, by which request and in which trace.
func (d *Directory) stamp(ctx context.Context, obj client.Object) {
	annotations := obj.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[v1alpha1.LastModifiedAnnotation] = d.store.now().UTC().Format("2006-01-02T15:04:05.000Z")
	if d.request != "" {
		annotations[v1alpha1.RequestAnnotation] = d.request
	}
	markTrace(ctx, annotations)
	obj.SetAnnotations(annotations)
}

// sameStamp reports whether two objects were stamped by the same write.
func sameStamp(a, b client.Object) bool {
	return a.GetAnnotations()[v1alpha1.LastModifiedAnnotation] == b.GetAnnotations()[v1alpha1.LastModifiedAnnotation] &&
		a.GetAnnotations()[v1alpha1.RequestAnnotation] == b.GetAnnotations()[v1alpha1.RequestAnnotation]
}

// lastModified is when the SCIM server last changed the object, else when it was created.
func lastModified(obj client.Object) time.Time {
	created := obj.GetCreationTimestamp().UTC()
	if at, err := time.Parse(time.RFC3339, obj.GetAnnotations()[v1alpha1.LastModifiedAnnotation]); err == nil && at.After(created) {
		return at
	}
	return created
}
