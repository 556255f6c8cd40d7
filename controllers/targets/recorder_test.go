package targets_test

import (
	"slices"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	apiwatch "k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// recorder follows the objects in which a Kubernetes system keeps grants.
type recorder struct {
	mu     sync.Mutex
	object map[string][]string // what each holds
	lines  []string
	events int
}

// record follows the objects that a spec calls its own; holds says which grants one holds.
func record(w *world, list client.ObjectList, holds func(client.Object) (held []string, own bool), opts ...client.ListOption) *recorder {
	GinkgoHelper()
	c, err := client.NewWithWatch(installation.Plane.Config, client.Options{Scheme: k8s.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	watching, err := c.Watch(w.ctx, list, opts...)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(watching.Stop)
	r := &recorder{object: map[string][]string{}}
	go func() {
		for e := range watching.ResultChan() {
			if o, ok := e.Object.(client.Object); ok {
				if held, own := holds(o); own {
					r.note(e.Type, o, held)
				}
			}
		}
	}()
	return r
}

func (r *recorder) note(kind apiwatch.EventType, o client.Object, after []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := o.GetNamespace() + "/" + o.GetName()
	before := r.object[key]
	if kind == apiwatch.Deleted {
		after = nil
	}
	slices.Sort(after)
	for _, g := range before {
		if _, still := slices.BinarySearch(after, g); !still {
			r.lines = append(r.lines, "-"+g)
		}
	}
	for _, g := range after {
		if _, already := slices.BinarySearch(before, g); !already {
			r.lines = append(r.lines, "+"+g)
		}
	}
	r.object[key] = after
	r.events++
}

func (r *recorder) held() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := []string{}
	for _, part := range r.object {
		all = append(all, part...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (r *recorder) log() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.lines)
}

func (r *recorder) writes() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.events
}
