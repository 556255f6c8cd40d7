package store

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// intercepted starts a replica whose calls to the API server pass through the functions given.
func intercepted(funcs interceptor.Funcs) *Store {
	GinkgoHelper()
	s, err := New(cluster, Options{})
	Expect(err).NotTo(HaveOccurred())
	s = newStore(interceptor.NewClient(s.client, funcs), Options{MaxStaleness: time.Minute, Log: logr.Discard()})
	start(s)
	return s
}

// frozen is a replica whose index shows nothing that happened after it was made, until it is thawed.
type frozen struct {
	*Directory
	thaw func()
}

func frozenReplica(namespace string) frozen {
	GinkgoHelper()
	gate := make(chan struct{})
	s := intercepted(interceptor.Funcs{
		Watch: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) (watch.Interface, error) {
			w, err := c.Watch(ctx, list, opts...)
			if err != nil {
				return nil, err
			}
			listed := false
			return watch.Filter(w, func(e watch.Event) (watch.Event, bool) {
				// A watch begins with what there is, up to a bookmark.
				if listed {
					select {
					case <-gate:
					case <-ctx.Done():
					}
				}
				listed = listed || e.Type == watch.Bookmark
				return e, true
			}), nil
		},
	})
	thaw := sync.OnceFunc(func() { close(gate) })
	DeferCleanup(thaw)
	return frozen{Directory: s.Directory(namespace, "okta"), thaw: thaw}
}

// onceBefore returns now with f called before its first use.
func onceBefore(now func() time.Time, f func()) func() time.Time {
	once := sync.OnceFunc(f)
	return func() time.Time {
		once()
		return now()
	}
}

var errCrashed = errors.New("this replica has crashed")

// mortal is a replica that crashes before its nth write: from then on nothing it does reaches the API server.
type mortal struct {
	*Store
	left atomic.Int64
}

func mortalReplica() *mortal {
	GinkgoHelper()
	m := &mortal{}
	m.left.Store(1 << 40)
	alive := func() error {
		if m.left.Add(-1) < 0 {
			return errCrashed
		}
		return nil
	}
	m.Store = intercepted(interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
			if err := alive(); err != nil {
				return err
			}
			return c.Create(ctx, obj, opts...)
		},
		Update: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.UpdateOption) error {
			if err := alive(); err != nil {
				return err
			}
			return c.Update(ctx, obj, opts...)
		},
		Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
			if err := alive(); err != nil {
				return err
			}
			return c.Delete(ctx, obj, opts...)
		},
	})
	return m
}
