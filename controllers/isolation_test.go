package controllers

import (
	"context"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"sigs.k8s.io/controller-runtime/pkg/cache"
)

// isolation is a namespace that the suite's manager does not see: the spec of that name runs its own, which it can stop,
// and whose clock it sets.
type isolation string

const (
	solitudeIsolation isolation = "isolated-solitude"
	windowIsolation   isolation = "isolated-window"
	restartIsolation  isolation = "isolated-restart"
	crashIsolation    isolation = "isolated-crash"
	holderIsolation   isolation = "isolated-holder"
	unseenIsolation   isolation = "isolated-unseen"
)

func outsideIsolation() fields.Selector {
	var others []fields.Selector
	for _, i := range []isolation{
		solitudeIsolation, windowIsolation, restartIsolation, crashIsolation, holderIsolation, unseenIsolation,
	} {
		others = append(others, fields.OneTermNotEqualSelector("metadata.namespace", string(i)))
	}
	return fields.AndSelectors(others...)
}

// isolatedWorld is a world with a clock of its own.
type isolatedWorld struct {
	*world
	offset atomic.Int64
}

func newIsolatedWorld(i isolation) *isolatedWorld {
	ctx, cancel := context.WithCancel(context.Background())
	DeferCleanup(cancel)
	Expect(k8s.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: string(i)}})).To(Succeed())
	return &isolatedWorld{world: &world{ctx, string(i)}}
}

// operate runs the controllers for the namespace.
func (w *isolatedWorld) operate() (stop func()) {
	GinkgoHelper()
	here := CacheOptions()
	here.DefaultNamespaces = map[string]cache.Config{w.ns: {}}
	return runManager(asControllers, here, Options{Clock: w})
}

func (w *isolatedWorld) pass(d time.Duration) { w.offset.Add(int64(d)) }

func (w *isolatedWorld) Now() time.Time { return time.Now().Add(time.Duration(w.offset.Load())) }

func (w *isolatedWorld) Since(t time.Time) time.Duration { return w.Now().Sub(t) }
