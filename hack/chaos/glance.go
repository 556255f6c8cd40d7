package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// A glance is a look past the operator at what is stored, which tells at once when a write was lost that a later one would
// cover up.

// glanceAtUser looks at a user whom a client knows.
func (w *workload) glanceAtUser(ctx context.Context, dice *rand.Rand) {
	e := event{client: workers, op: glance, subject: fmt.Sprintf("user.%d", dice.IntN(userNames))}
	w.mu.Lock()
	e.id = w.holder[e.subject]
	w.mu.Unlock()
	if e.id == "" {
		return
	}
	var u v1alpha1.ScimUser
	e.call = time.Since(w.began)
	err := w.live(ctx, e.id, &u)
	e.back = time.Since(w.began)
	switch {
	case err == nil:
		e.outcome, e.value = done, u.Spec.Title
	case apierrors.IsNotFound(err):
		e.outcome = missing
	default:
		return
	}
	w.record(e)
}

// glanceAtMember looks whether a person is in a group. The slice counts only if the group names its epoch before and
// after, and it is not sealed: then that is what it said at that instant.
func (w *workload) glanceAtMember(ctx context.Context, client int, group, id string) {
	e := event{client: client, op: glance, subject: id, outcome: missing, call: time.Since(w.began)}
	var before, after v1alpha1.ScimGroup
	var s v1alpha1.ScimMemberSlice
	if w.live(ctx, group, &before) != nil {
		return
	}
	if m := before.Spec.Membership; m != nil {
		home := v1alpha1.SliceName(group, m.Epoch, v1alpha1.HomeShard(e.subject, m.Shards))
		if w.live(ctx, home, &s) != nil || s.Spec.Sealed || w.live(ctx, group, &after) != nil ||
			after.Spec.Membership == nil || after.Spec.Membership.Epoch != m.Epoch {
			return
		}
		if slices.Contains(s.Spec.Members, e.subject) {
			e.outcome = done
		}
	}
	e.back = time.Since(w.began)
	w.record(e)
}

func (w *workload) live(ctx context.Context, name string, into client.Object) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return w.cluster.admin.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, into)
}
