package controllers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// gate stands between the decision that somebody loses something and what carries it out. It asks the safeguard of the
// directory, and keeps the last holder of a protected role. It knows what was asked for since this process leads; what is
// still to be removed after a restart is asked for again.
type gate struct {
	kube
	mu      sync.Mutex
	ledgers map[types.NamespacedName]*ledger
	// ledgerOf names the directory in whose ledger a person is.
	ledgerOf map[types.NamespacedName]string
	// kept are the people who keep a protected role, with their directory.
	kept map[types.NamespacedName]map[string]string
	// lastHolder is held while a protected role is taken away, so that of two last holders one stays.
	lastHolder sync.Mutex
	// people is the queue of the membership controller, directories that of the directory controller, judgements that of
	// the safeguard.
	people, directories, judgements bell
}

func newGate(k kube) *gate {
	return &gate{
		kube: k, ledgers: map[types.NamespacedName]*ledger{}, ledgerOf: map[types.NamespacedName]string{},
		kept: map[types.NamespacedName]map[string]string{},
	}
}

// bell reaches the queue of another controller. Before that one runs, nobody is reached: it begins by looking at everything.
type bell struct{ reached atomic.Pointer[queue] }

func (b *bell) source() source.Source {
	return source.Func(func(_ context.Context, q queue) error {
		b.reached.Store(&q)
		return nil
	})
}

func (b *bell) ring(priority int, namespace string, names ...string) {
	if q := b.reached.Load(); q != nil {
		enqueue(*q, priority, namespace, names...)
	}
}

func (b *bell) ringAfter(pause time.Duration, object types.NamespacedName) {
	if q := b.reached.Load(); q != nil {
		(*q).AddAfter(reconcile.Request{NamespacedName: object}, pause)
	}
}

// carryOut lets act carry a removal out, all but the part that is to be kept for now.
func (g *gate) carryOut(ctx context.Context, namespace string, d *v1alpha1.ScimDirectory, lost removal,
	own []*v1alpha1.AppMembership, act func(keep) error,
) error {
	kept, err := g.consider(ctx, namespace, d, lost, own)
	if err != nil {
		return err
	}
	roles, err := g.protectedRoles(ctx, namespace, lost.less(kept))
	if err != nil {
		return err
	}
	if len(roles) == 0 {
		return act(kept)
	}
	g.lastHolder.Lock()
	defer g.lastHolder.Unlock()
	last, err := g.withoutOtherHolder(ctx, namespace, roles, own, g.holdsLive)
	if err != nil {
		return err
	}
	if len(last) > 0 {
		kept = g.keepRoles(namespace, d, lost, append(last, kept.last...))
	}
	return act(kept)
}

// consider is what is to be kept of a removal for now: the protected roles that nobody else seems to have, and all of it
// unless the safeguard lets the rest pass.
func (g *gate) consider(ctx context.Context, namespace string, d *v1alpha1.ScimDirectory, lost removal,
	own []*v1alpha1.AppMembership,
) (keep, error) {
	if lost.none() {
		g.forget(namespace, lost.id)
		return keep{}, nil
	}
	roles, err := g.protectedRoles(ctx, namespace, lost)
	if err != nil {
		return keep{}, err
	}
	last, err := g.withoutOtherHolder(ctx, namespace, roles, own, g.holds)
	if err != nil {
		return keep{}, err
	}
	kept := g.keepRoles(namespace, d, lost, last)
	if kept.anything() {
		// That is on record now, so that who gets the role from now on makes the person be looked at again: and before?
		if last, err = g.withoutOtherHolder(ctx, namespace, last, own, g.holds); err != nil {
			return keep{}, err
		}
		kept = g.keepRoles(namespace, d, lost, last)
	}
	rest := lost.less(kept)
	if rest.none() || d == nil || d.Spec.Safeguard == nil {
		g.withdraw(namespace, lost.id, (*ledger).withdraw)
		return kept, nil
	}
	switch g.ask(d, rest) {
	case waits:
		return keepAll(lost, ""), nil
	case withheld:
		return keepAll(lost, v1alpha1.ReasonChangesHeld), nil
	default:
		return kept, nil
	}
}

// ask asks a directory's safeguard.
func (g *gate) ask(d *v1alpha1.ScimDirectory, r removal) verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := types.NamespacedName{Namespace: d.Namespace, Name: d.Name}
	v, news := g.ledger(key, d.UID).ask(r, g.clock.Now())
	g.ledgerOf[types.NamespacedName{Namespace: d.Namespace, Name: r.id}] = d.Name
	if news {
		g.judgements.ringAfter(settleQuiet, key)
	}
	return v
}

// ledger is the one of a directory; another directory of the same name had another.
func (g *gate) ledger(key types.NamespacedName, directory types.UID) *ledger {
	l := g.ledgers[key]
	if l == nil || l.directory != directory {
		l = newLedger(directory)
		g.ledgers[key] = l
	}
	return l
}

// forget drops a person who loses nothing.
func (g *gate) forget(namespace, id string) {
	g.withdraw(namespace, id, (*ledger).forget)
	g.mu.Lock()
	defer g.mu.Unlock()
	for role, people := range g.kept {
		if role.Namespace == namespace {
			g.forgetKept(role, people, id)
		}
	}
}

func (g *gate) forgetKept(role types.NamespacedName, people map[string]string, id string) {
	if delete(people, id); len(people) == 0 {
		delete(g.kept, role)
	}
}

// withdraw drops a person from whom the safeguard has nothing to hold. What was let pass, and could not be carried out
// because of a protected role, may be carried out later.
func (g *gate) withdraw(namespace, id string, from func(*ledger, string) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	person := types.NamespacedName{Namespace: namespace, Name: id}
	directory, known := g.ledgerOf[person]
	if !known {
		return
	}
	key := types.NamespacedName{Namespace: namespace, Name: directory}
	l := g.ledgers[key]
	if l != nil && from(l, id) {
		g.judgements.ringAfter(settleQuiet, key)
	}
	if l == nil || l.released[id].id == "" {
		delete(g.ledgerOf, person)
	}
}

// wake makes people be looked at again: by the finalizer of their directory while that is being deleted.
func (g *gate) wake(ctx context.Context, priority int, namespace, directory string, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	d, err := find[v1alpha1.ScimDirectory](ctx, g, namespace, directory)
	if err != nil {
		return err
	}
	if d != nil && deleting(d) {
		g.directories.ring(priority, namespace, directory)
		return nil
	}
	g.people.ring(priority, namespace, ids...)
	return nil
}

// obstacles says what keeps the people of a directory that is being deleted.
func (g *gate) obstacles(d *v1alpha1.ScimDirectory) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	words := ""
	if l := g.ledgers[types.NamespacedName{Namespace: d.Namespace, Name: d.Name}]; l != nil && len(l.held) > 0 {
		words += fmt.Sprintf("; the safeguard holds back %s until the plan is approved that the condition %s names",
			people(len(l.held)), v1alpha1.ConditionChangesHeld)
	}
	var roles []string
	for role, people := range g.kept {
		for _, directory := range people {
			if role.Namespace == d.Namespace && directory == d.Name {
				roles = append(roles, role.Name)
			}
		}
	}
	if slices.Sort(roles); len(roles) > 0 {
		words += "; a person of this directory is the last active one who has the protected AppRole " +
			strings.Join(slices.Compact(roles), ", ") + ": give it to somebody else"
	}
	return words
}
