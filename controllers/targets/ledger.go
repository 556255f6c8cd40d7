package targets

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

const (
	// pageEntries and pageBytes bound what is put on one page, so that a change writes little.
	pageEntries = 250
	pageBytes   = 256 << 10
	// fullBytes is when an entry that grows is moved to another page, so that no page outgrows an object.
	fullBytes = 2 * pageBytes
)

// Ledger is a target's record of what it gave, kept in AppTargetLedgers. One process writes it; a second one, which believes
// to be the leader still, fails by the pages' resource versions. After an error it must be opened anew.
type Ledger struct {
	client client.Client
	target *v1alpha1.AppTarget
	pages  []*page
	homes  map[string]*page // by subject
}

// page is one object. Pages are numbered: an entry is only ever moved to a page of a higher number, and written there first,
// so that of two pages that hold it after a crash the higher one is right.
type page struct {
	number  int
	object  *v1alpha1.AppTargetLedger
	entries map[string]v1alpha1.LedgerEntry
	bytes   int
}

// OpenLedger reads a target's record from the API server itself, and mends what a crash left in it.
func OpenLedger(ctx context.Context, c client.Client, live client.Reader, target *v1alpha1.AppTarget) (*Ledger, error) {
	l := &Ledger{client: c, target: target, homes: map[string]*page{}}
	var list v1alpha1.AppTargetLedgerList
	for {
		if err := live.List(ctx, &list, client.InNamespace(target.Namespace),
			client.MatchingLabels{v1alpha1.TargetLabel: target.Name}, client.Limit(50), client.Continue(list.Continue)); err != nil {
			return nil, fmt.Errorf("read the record of what the target gave: %w", err)
		}
		for i := range list.Items {
			l.pages = append(l.pages, newPage(list.Items[i].DeepCopy()))
		}
		if list.Continue == "" {
			break
		}
	}
	slices.SortFunc(l.pages, func(a, b *page) int { return cmp.Compare(a.number, b.number) })
	return l, l.settle(ctx)
}

// settle gives each entry one home.
func (l *Ledger) settle(ctx context.Context) error {
	stale := map[*page]bool{}
	for _, p := range l.pages {
		for subject := range p.entries {
			if former := l.homes[subject]; former != nil {
				former.remove(subject)
				stale[former] = true
			}
			l.homes[subject] = p
		}
	}
	for p := range stale {
		if err := l.write(ctx, p); err != nil {
			return fmt.Errorf("mend the record of what the target gave: %w", err)
		}
	}
	return nil
}

func newPage(object *v1alpha1.AppTargetLedger) *page {
	p := &page{object: object, entries: map[string]v1alpha1.LedgerEntry{}}
	p.number, _ = strconv.Atoi(object.Name[strings.LastIndexByte(object.Name, '-')+1:])
	for _, e := range object.Spec.Entries {
		p.put(e)
	}
	return p
}

func (p *page) remove(subject string) { p.put(v1alpha1.LedgerEntry{Subject: subject}) }

func (p *page) put(e v1alpha1.LedgerEntry) {
	p.bytes += size(e) - size(p.entries[e.Subject])
	if len(e.Grants) == 0 && e.Pending == nil {
		delete(p.entries, e.Subject)
		return
	}
	p.entries[e.Subject] = e
}

// size is about what an entry takes as JSON; nothing for one that says nothing.
func size(e v1alpha1.LedgerEntry) int {
	n := 0
	for _, g := range e.Grants {
		n += len(g) + 4
	}
	if e.Pending != nil {
		n += 128
		for _, g := range e.Pending.Grants {
			n += len(g) + 4
		}
		if u := e.Pending.User; u != nil {
			n += len(u.UserName) + len(u.Email) + len(u.DisplayName) + len(u.ExternalID) + 64
		}
	}
	if n > 0 {
		n += len(e.Subject) + 32
	}
	return n
}

// Entry is what is on record about a subject; nothing is an entry without grants.
func (l *Ledger) Entry(subject string) v1alpha1.LedgerEntry {
	if p := l.homes[subject]; p != nil {
		return p.entries[subject]
	}
	return v1alpha1.LedgerEntry{Subject: subject}
}

// Entries are all that are on record, in no order.
func (l *Ledger) Entries() iter.Seq[v1alpha1.LedgerEntry] {
	return func(yield func(v1alpha1.LedgerEntry) bool) {
		for _, p := range l.pages {
			for _, e := range p.entries {
				if !yield(e) {
					return
				}
			}
		}
	}
}

// Has says whether a grant is on record.
func (l *Ledger) Has(g Grant) bool { return slices.Contains(l.Entry(g.Subject).Grants, g.Entitlement) }

// Claim puts grants on record. It is called before they are made.
func (l *Ledger) Claim(ctx context.Context, grants []Grant) error {
	return l.change(ctx, grants, func(e *v1alpha1.LedgerEntry, entitlement string) {
		if !slices.Contains(e.Grants, entitlement) {
			e.Grants = append(e.Grants, entitlement)
		}
	})
}

// Release takes grants off the record. It is called after they have been taken back.
func (l *Ledger) Release(ctx context.Context, grants []Grant) error {
	return l.change(ctx, grants, func(e *v1alpha1.LedgerEntry, entitlement string) {
		e.Grants = slices.DeleteFunc(e.Grants, func(g string) bool { return g == entitlement })
	})
}

func (l *Ledger) change(ctx context.Context, grants []Grant, f func(*v1alpha1.LedgerEntry, string)) error {
	changed := map[string]*v1alpha1.LedgerEntry{}
	for _, g := range grants {
		e := changed[g.Subject]
		if e == nil {
			on := l.Entry(g.Subject)
			e = on.DeepCopy()
			e.Subject = g.Subject
			changed[g.Subject] = e
		}
		f(e, g.Entitlement)
	}
	entries := make([]v1alpha1.LedgerEntry, 0, len(changed))
	for _, e := range changed {
		slices.Sort(e.Grants)
		if !slices.Equal(e.Grants, l.Entry(e.Subject).Grants) {
			entries = append(entries, *e)
		}
	}
	return l.Put(ctx, entries...)
}

// Put replaces what is on record about subjects, by one write for each page that holds any of them. An entry that says
// nothing is taken off. What is pending without a number gets the next ones of its directory. Page after page is numbered and
// written, so that a write that fails leaves no number on record whose events are not.
func (l *Ledger) Put(ctx context.Context, entries ...v1alpha1.LedgerEntry) error {
	touched := map[*page]bool{}
	unnumbered := map[*page][]*v1alpha1.LedgerPending{}
	for _, e := range entries {
		former := l.homes[e.Subject]
		p := l.pageFor(e, former)
		if former != nil && former != p {
			former.remove(e.Subject)
			touched[former] = true
		}
		p.put(e)
		touched[p] = true
		l.homes[e.Subject] = p
		if _, is := p.entries[e.Subject]; !is {
			delete(l.homes, e.Subject)
		}
		if e.Pending != nil && e.Pending.First == 0 {
			unnumbered[p] = append(unnumbered[p], e.Pending)
		}
	}
	for _, p := range slices.Backward(l.pages) { // where an entry was moved to comes before where it was
		if !touched[p] {
			continue
		}
		for _, pending := range unnumbered[p] {
			pending.First = l.last(pending.Directory) + 1
			p.advance(pending.Directory, pending.First+pending.Events-1)
		}
		if err := l.write(ctx, p); err != nil {
			return fmt.Errorf("record what the target gave: %w", err)
		}
	}
	return nil
}

// pageFor is the page for an entry: where it is, unless it outgrows that, else one with room, of a higher number than where it
// is.
func (l *Ledger) pageFor(e v1alpha1.LedgerEntry, former *page) *page {
	if former != nil && (len(former.entries) == 1 || former.bytes+size(e)-size(former.entries[e.Subject]) <= fullBytes) {
		return former
	}
	for _, p := range l.pages {
		if (former == nil || p.number > former.number) &&
			(len(p.entries) < pageEntries && p.bytes+size(e) <= pageBytes || len(p.entries) == 0) {
			return p
		}
	}
	number := 1
	if len(l.pages) > 0 {
		number += l.pages[len(l.pages)-1].number
	}
	p := newPage(&v1alpha1.AppTargetLedger{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: l.target.Namespace, Name: fmt.Sprintf("%s-%d", l.target.Name, number),
			Labels: map[string]string{v1alpha1.TargetLabel: l.target.Name},
		},
		Spec: v1alpha1.AppTargetLedgerSpec{TargetRef: v1alpha1.TargetReference{Name: l.target.Name}},
	})
	l.pages = append(l.pages, p)
	return p
}

func (p *page) advance(directory string, last int64) {
	for i := range p.object.Spec.Sequences {
		if o := &p.object.Spec.Sequences[i]; o.Directory == directory {
			o.Last = last
			return
		}
	}
	p.object.Spec.Sequences = append(p.object.Spec.Sequences, v1alpha1.LedgerSequence{Directory: directory, Last: last})
}

// Sequences are the last numbers that are on record, by directory.
func (l *Ledger) Sequences() map[string]int64 {
	all := map[string]int64{}
	for _, p := range l.pages {
		for _, s := range p.object.Spec.Sequences {
			all[s.Directory] = max(all[s.Directory], s.Last)
		}
	}
	return all
}

func (l *Ledger) last(directory string) int64 { return l.Sequences()[directory] }

func (l *Ledger) write(ctx context.Context, p *page) error {
	p.object.Spec.Entries = p.object.Spec.Entries[:0]
	for _, e := range p.entries {
		p.object.Spec.Entries = append(p.object.Spec.Entries, e)
	}
	slices.SortFunc(p.object.Spec.Entries, func(a, b v1alpha1.LedgerEntry) int {
		if a.Subject < b.Subject {
			return -1
		}
		return 1
	})
	if p.object.ResourceVersion == "" {
		return l.client.Create(ctx, p.object)
	}
	return l.client.Update(ctx, p.object)
}

// Destroy removes the record, once nothing that is on it matters.
func (l *Ledger) Destroy(ctx context.Context) error {
	for _, p := range l.pages {
		if p.object.ResourceVersion == "" {
			continue
		}
		if err := client.IgnoreNotFound(l.client.Delete(ctx, p.object)); err != nil {
			return fmt.Errorf("remove the record of what the target gave: %w", err)
		}
	}
	l.pages, l.homes = nil, map[string]*page{}
	return nil
}
