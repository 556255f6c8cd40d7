package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// soon is when to look again at what other caches have yet to show.
const soon = 500 * time.Millisecond

// kube is what every controller works with: reads from the cache, live reads where a cache is not proof enough, writes, and
// who is told of what they mean for people.
type kube struct {
	client.Client
	live   client.Reader
	clock  clock.PassiveClock
	access accessReporter
}

// find reads an object from the cache without copying it: it must not be changed. It is nil when there is none.
func find[T any, P interface {
	*T
	client.Object
}](ctx context.Context, r client.Reader, namespace, name string) (P, error) {
	obj := P(new(T))
	err := r.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, obj, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return obj, nil
}

// list reads the objects that an index holds under a value from the cache, without copying them.
func (k kube) list(ctx context.Context, into client.ObjectList, namespace, index, value string) error {
	return k.List(ctx, into, client.InNamespace(namespace), client.MatchingFields{index: value},
		client.UnsafeDisableDeepCopy)
}

// listAll reads all objects of a kind in a namespace from the cache, without copying them.
func (k kube) listAll(ctx context.Context, into client.ObjectList, namespace string) error {
	return k.List(ctx, into, client.InNamespace(namespace), client.UnsafeDisableDeepCopy)
}

// goneLive says whether an object that the cache does not show does not exist indeed.
func (k kube) goneLive(ctx context.Context, obj client.Object, namespace, name string) (bool, error) {
	err := k.live.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, obj)
	return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
}

// applyStatus applies an object's status. An object that went away in the meantime is no error.
func (k kube) applyStatus(ctx context.Context, cfg runtime.ApplyConfiguration, manager string) error {
	return client.IgnoreNotFound(k.Status().Apply(ctx, cfg, client.FieldOwner(manager), client.ForceOwnership))
}

// remove deletes exactly the version of the object that was seen.
func (k kube) remove(ctx context.Context, obj client.Object) error {
	_, err := k.removeSeen(ctx, obj)
	return err
}

// removeSeen deletes exactly the version of the object that was seen, and says whether it was there.
func (k kube) removeSeen(ctx context.Context, obj client.Object) (bool, error) {
	uid, version := obj.GetUID(), obj.GetResourceVersion()
	err := k.Delete(ctx, obj, client.Preconditions{UID: &uid, ResourceVersion: &version})
	return err == nil, client.IgnoreNotFound(err)
}

// destroy deletes an object whatever its version; an object that is gone already is no error.
func (k kube) destroy(ctx context.Context, obj client.Object) error {
	uid := obj.GetUID()
	return client.IgnoreNotFound(k.Delete(ctx, obj, client.Preconditions{UID: &uid}))
}

// retryConflict turns a conflict with another writer, which the next look cures, from an error into that look.
func retryConflict(result reconcile.Result, err error) (reconcile.Result, error) {
	if apierrors.IsConflict(err) {
		return reconcile.Result{RequeueAfter: soon}, nil
	}
	return result, err
}

// memberFrom reads an apply configuration, which holds the API server's answer, as the object that it is.
func memberFrom(cfg any) (*v1alpha1.AppMembership, error) {
	raw, err := json.Marshal(cfg)
	if err != nil {
		return nil, fmt.Errorf("read the answer to an apply: %w", err)
	}
	m := &v1alpha1.AppMembership{}
	if err := json.Unmarshal(raw, m); err != nil {
		return nil, fmt.Errorf("read the answer to an apply: %w", err)
	}
	return m, nil
}

// deleting says whether an object is being deleted.
func deleting(obj metav1.Object) bool { return !obj.GetDeletionTimestamp().IsZero() }

// annotate sets one annotation of an object.
func annotate(o client.Object, key, value string) {
	annotations := o.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[key] = value
	o.SetAnnotations(annotations)
}
