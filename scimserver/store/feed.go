package store

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// feed carries the objects of one kind into the index, through client-go's Reflector: it is the Reflector's store. There
// is no second copy and no queue in between, so the index is never behind what the Reflector has delivered.
type feed[T client.Object] struct {
	index  *index
	client client.WithWatch
	list   client.ObjectList
	kind   T
	only   client.ListOption

	put    func(T)
	remove func(T)

	// Guarded by the index's lock.
	objects map[client.ObjectKey]T
	// seen is the resource version up to which the index shows this kind.
	seen   uint64
	synced bool

	mu sync.Mutex
	// brokenSince is when the watch was last lost; zero while it is open.
	brokenSince time.Time
}

func newFeed[T client.Object](ix *index, c client.WithWatch, kind T, list client.ObjectList, put, remove func(T)) *feed[T] {
	return &feed[T]{index: ix, client: c, kind: kind, list: list, put: put, remove: remove, objects: map[client.ObjectKey]T{}, brokenSince: time.Now()}
}

// run lists and watches until ctx ends.
func (f *feed[T]) run(ctx context.Context) {
	lw := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			list := f.list.DeepCopyObject().(client.ObjectList)
			return list, f.client.List(ctx, list, f.options(o)...)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			w, err := f.client.Watch(ctx, f.list.DeepCopyObject().(client.ObjectList), f.options(o)...)
			if err != nil {
				return nil, err
			}
			f.setBroken(time.Time{})
			return &noticedWatch{Interface: w, stopped: func() { f.setBroken(time.Now()) }}, nil
		},
	}
	r := cache.NewReflectorWithOptions(cache.ToListWatcherWithWatchListSemantics(lw, f.client), f.kind, f, cache.ReflectorOptions{
		Name: fmt.Sprintf("%T", f.kind),
		// A lost watch makes reads stale, so it is tried again soon: at most every five seconds.
		Backoff: &wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 10, Cap: 5 * time.Second},
	})
	r.RunWithContext(ctx)
}

func (f *feed[T]) options(o metav1.ListOptions) []client.ListOption {
	options := []client.ListOption{&client.ListOptions{Raw: &o}}
	if f.only != nil {
		options = append(options, f.only)
	}
	return options
}

// Add is called by the Reflector.
func (f *feed[T]) Add(obj any) error { return f.Update(obj) }

// Update is called by the Reflector.
func (f *feed[T]) Update(obj any) error {
	o, version, err := f.accept(obj)
	if err != nil {
		return err
	}
	f.index.change(func() {
		f.set(o)
		f.seen = max(f.seen, version)
	})
	return nil
}

// Delete is called by the Reflector, with the object as it was and the resource version of the deletion.
func (f *feed[T]) Delete(obj any) error {
	o, version, err := f.accept(obj)
	if err != nil {
		return err
	}
	f.index.change(func() {
		f.unset(client.ObjectKeyFromObject(o))
		f.seen = max(f.seen, version)
	})
	return nil
}

// Replace is called by the Reflector after it has listed. The whole list becomes visible in one step.
func (f *feed[T]) Replace(list []any, resourceVersion string) error {
	version, err := strconv.ParseUint(resourceVersion, 10, 64)
	if err != nil {
		return fmt.Errorf("resource version of a list of %T: %w", f.kind, err)
	}
	objects := make([]T, 0, len(list))
	for _, obj := range list {
		o, _, err := f.accept(obj)
		if err != nil {
			return err
		}
		objects = append(objects, o)
	}
	f.index.change(func() {
		listed := make(map[client.ObjectKey]bool, len(objects))
		for _, o := range objects {
			f.set(o)
			listed[client.ObjectKeyFromObject(o)] = true
		}
		for key := range f.objects {
			if !listed[key] {
				f.unset(key)
			}
		}
		f.seen = max(f.seen, version)
		f.synced = true
	})
	return nil
}

// Resync is called by the Reflector; there is nothing that could have got lost.
func (f *feed[T]) Resync() error { return nil }

// Bookmark is called by the Reflector when the API server says how far the watch has come without a change.
func (f *feed[T]) Bookmark(resourceVersion string) error {
	version, err := strconv.ParseUint(resourceVersion, 10, 64)
	if err != nil {
		return err
	}
	f.index.change(func() { f.seen = max(f.seen, version) })
	return nil
}

func (f *feed[T]) set(o T) {
	f.objects[client.ObjectKeyFromObject(o)] = o
	f.put(o)
}

func (f *feed[T]) unset(key client.ObjectKey) {
	if old, ok := f.objects[key]; ok {
		delete(f.objects, key)
		f.remove(old)
	}
}

// accept checks an object and strips what the index never reads.
func (f *feed[T]) accept(obj any) (T, uint64, error) {
	o, ok := obj.(T)
	if !ok {
		return o, 0, fmt.Errorf("a watch of %T delivered %T", f.kind, obj)
	}
	version, err := strconv.ParseUint(o.GetResourceVersion(), 10, 64)
	if err != nil {
		return o, 0, fmt.Errorf("resource version of %T %s: %w", o, o.GetName(), err)
	}
	o.SetManagedFields(nil)
	return o, version, nil
}

// waitFor returns when the index shows the object's version and with it every earlier change of the kind.
func (f *feed[T]) waitFor(ctx context.Context, o T) error {
	version, err := strconv.ParseUint(o.GetResourceVersion(), 10, 64)
	if err != nil {
		return fmt.Errorf("resource version of %T %s: %w", o, o.GetName(), err)
	}
	return f.wait(ctx, func() bool { return f.seen >= version })
}

// waitGone returns when the index no longer shows the object.
func (f *feed[T]) waitGone(ctx context.Context, o T) error {
	return f.wait(ctx, func() bool {
		shown, ok := f.objects[client.ObjectKeyFromObject(o)]
		return !ok || shown.GetUID() != o.GetUID()
	})
}

func (f *feed[T]) wait(ctx context.Context, shows func() bool) error {
	ctx, span := begin(ctx, "wait for the index")
	defer span.End()
	return f.index.wait(ctx, shows)
}

func (f *feed[T]) setBroken(at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.brokenSince = at
}

// fresh says why the index cannot be trusted for this kind, if so.
func (f *feed[T]) fresh(maxStaleness time.Duration) error {
	f.index.mu.RLock()
	synced := f.synced
	f.index.mu.RUnlock()
	if !synced {
		return fmt.Errorf("%w: %T has not been read yet", ErrUnavailable, f.kind)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.brokenSince.IsZero() && time.Since(f.brokenSince) > maxStaleness {
		return fmt.Errorf("%w: the watch of %T has been broken for more than %s", ErrUnavailable, f.kind, maxStaleness)
	}
	return nil
}

// noticedWatch tells when the Reflector lets go of a watch, which it does when the watch ends for whatever reason.
type noticedWatch struct {
	watch.Interface
	stopped func()
	once    sync.Once
}

func (w *noticedWatch) Stop() {
	w.once.Do(w.stopped)
	w.Interface.Stop()
}
