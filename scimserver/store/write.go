package store

import (
	"context"
	"errors"
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
	// unique is the key that one object of a directory may hold.
	unique func(T) Key
	// equal says whether two objects are the same resource state.
	equal func(a, b T) bool
	// restore puts back what from had: everything, or only what must be unique.
	restore func(obj, from T, whole bool)
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

// create writes a new object and verifies that its unique key is its own.
func create[T client.Object](ctx context.Context, d *Directory, k kind[T], obj T) error {
	if err := checkFree(ctx, d, k, k.unique(obj), obj.GetName()); err != nil {
		return err
	}
	err := fromAPI(d.store.client.Create(ctx, obj))
	if err == nil {
		err = verify(ctx, d, k, obj)
	} else if !errors.Is(err, ErrUnavailable) {
		return err // refused, so nothing was written
	}
	if err != nil {
		// The name is random and nobody else's, so whatever is there by that name is this write.
		d.tidy(ctx, "an unacknowledged resource", obj.GetName(), func(ctx context.Context) error {
			return client.IgnoreNotFound(d.store.client.Delete(ctx, obj))
		})
	}
	return err
}

// checkFree refuses a key that is already held. The index may be behind another replica that has just given the key
// free, so its word for "taken" is confirmed live; "free" is only a hint, which verify confirms after the write.
func checkFree[T client.Object](ctx context.Context, d *Directory, k kind[T], key Key, name string) error {
	var holder T
	var held bool
	d.read(func(ix *directoryIndex) { holder, held = k.table(ix).otherHolder(key, name) })
	if !held {
		return nil
	}
	switch live, err := fetch(ctx, d, k, holder.GetName()); {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	case k.unique(live) == key:
		return taken(key.Attribute, live.GetName())
	default:
		return nil
	}
}

// verify waits until the index shows the write, and with it every earlier one, and looks whether anybody else holds the
// unique key. Of two replicas that race at least one sees the other.
func verify[T client.Object](ctx context.Context, d *Directory, k kind[T], obj T) error {
	if err := k.feed.waitFor(ctx, obj); err != nil {
		return err
	}
	var holder T
	var held bool
	d.read(func(ix *directoryIndex) { holder, held = k.table(ix).otherHolder(k.unique(obj), obj.GetName()) })
	if held {
		return taken(k.unique(obj).Attribute, holder.GetName())
	}
	return nil
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
			unlock = locks.lock(d.key, k.unique(obj), k.unique(next))
		}
		if k.equal(obj, next) {
			if live {
				return obj, nil
			}
			if obj, err = fetch(ctx, d, k, id); err != nil {
				return obj, err
			}
			live = true
			continue
		}
		renamed := k.unique(obj) != k.unique(next)
		if renamed {
			if err := checkFree(ctx, d, k, k.unique(next), id); err != nil {
				return obj, err
			}
		}
		stamp(next, d.store.now())
		err = d.store.client.Update(ctx, next)
		switch {
		case apierrors.IsConflict(err):
			if obj, err = fetch(ctx, d, k, id); err != nil {
				return obj, err
			}
			live = true
			continue
		case err != nil:
			return obj, fromAPI(err)
		case renamed:
			err = verify(ctx, d, k, next)
		default:
			err = k.feed.waitFor(ctx, next)
		}
		if err != nil {
			if renamed {
				d.tidy(ctx, "an unacknowledged name", id, func(ctx context.Context) error { return restore(ctx, d, k, next, obj) })
			}
			return obj, err
		}
		return next, nil
	}
}

// restore puts an object back to what it was before the write: as a whole while nobody has changed it since, else only
// the name, and nothing if the name has been changed again.
func restore[T client.Object](ctx context.Context, d *Directory, k kind[T], written, before T) error {
	for {
		now, err := fetch(ctx, d, k, written.GetName())
		if errors.Is(err, ErrNotFound) || (err == nil && k.unique(now) != k.unique(written)) {
			return nil
		}
		if err != nil {
			return err
		}
		k.restore(now, before, now.GetResourceVersion() == written.GetResourceVersion())
		if err := d.store.client.Update(ctx, now); !apierrors.IsConflict(err) {
			return client.IgnoreNotFound(err)
		}
	}
}

// remove deletes an object after check has agreed to its latest state.
func remove[T client.Object](ctx context.Context, d *Directory, k kind[T], id string, check func(T) error) (T, error) {
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
			continue
		}
		if err != nil {
			return obj, fromAPI(err)
		}
		return obj, k.feed.waitGone(ctx, obj)
	}
}

// detached bounds a write by its own timeout only: a caller who hangs up must not leave it half done.
func detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
}

func stamp(obj client.Object, now time.Time) {
	annotations := obj.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[v1alpha1.LastModifiedAnnotation] = now.UTC().Format("2006-01-02T15:04:05.000Z")
	obj.SetAnnotations(annotations)
}

// lastModified is when the SCIM server last changed the object, else when it was created.
func lastModified(obj client.Object) time.Time {
	created := obj.GetCreationTimestamp().UTC()
	if at, err := time.Parse(time.RFC3339, obj.GetAnnotations()[v1alpha1.LastModifiedAnnotation]); err == nil && at.After(created) {
		return at
	}
	return created
}
