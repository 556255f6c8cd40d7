package controllers

import (
	"maps"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

const (
	// settleQuiet is how long no further removal must have been asked for before a batch of them is judged.
	settleQuiet = 300 * time.Millisecond
	// settleLimit is how long a batch is gathered at most.
	settleLimit = 3 * time.Second
	// solitude is how long no other removal must have been asked for before one that is never held.
	solitude = 10 * time.Second
	// restoreLimit is how long a directory waits at most until what was held before a restart has been found again.
	restoreLimit = time.Minute
)

// verdict is what the safeguard says to a removal.
type verdict int

const (
	passes   verdict = iota
	waits            // until its batch is judged
	withheld         // until an administrator approves it
)

// asked is a removal with the time when it was asked for.
type asked struct {
	removal
	at time.Time
}

// window counts the people who lost something since it began.
type window struct {
	start  time.Time
	people int
}

// ledger is what the safeguard knows of one directory's removals. Each person is in one of the maps at most.
type ledger struct {
	directory types.UID
	// loaded says that the directory's status has been read.
	loaded bool
	// waiting are those asked for, and not judged yet.
	waiting map[string]asked
	// held are those that wait for approval, since the first of them was held.
	held  map[string]removal
	since time.Time
	// released are those that may be carried out.
	released map[string]removal
	// expected are the people from whom something was held before a restart, until they have been looked at again, or the
	// time has come to go on without.
	expected map[string]bool
	restored time.Time
	// last is when the last removal was asked for that waits no more.
	last time.Time
	// window is the current one.
	window window
	// limit is what the held ones were judged by.
	limit v1alpha1.Safeguard
	// used is the plan that was approved last.
	used string
	// reported is what the directory's status says.
	reported heldReport
}

func newLedger(directory types.UID) *ledger {
	return &ledger{
		directory: directory, waiting: map[string]asked{}, held: map[string]removal{}, released: map[string]removal{},
		expected: map[string]bool{},
	}
}

// ask says what is to become of a removal now, and whether there is something new to judge or to report.
func (l *ledger) ask(r removal, now time.Time) (verdict, bool) {
	if r.within(l.released[r.id]) {
		return passes, false
	}
	delete(l.released, r.id)
	before, isHeld := l.held[r.id]
	if isHeld || l.expected[r.id] {
		delete(l.expected, r.id)
		l.hold(r, now)
		return withheld, !isHeld || !before.of(r)
	}
	if before, waiting := l.waiting[r.id]; waiting && before.of(r) {
		return waits, false
	}
	l.waiting[r.id] = asked{r, now}
	return waits, true
}

// forget drops a person who loses nothing, and says whether there is something new to judge or to report.
func (l *ledger) forget(id string) bool {
	delete(l.released, id)
	return l.withdraw(id)
}

// withdraw drops what a person was to lose and nobody has let pass, and says whether there is something new to judge or to
// report.
func (l *ledger) withdraw(id string) bool {
	a, waiting := l.waiting[id]
	if waiting {
		l.stopsWaiting(a)
	}
	_, isHeld := l.held[id]
	isExpected := l.expected[id]
	delete(l.held, id)
	delete(l.expected, id)
	l.endHold()
	return waiting || isHeld || isExpected
}

func (l *ledger) stopsWaiting(a asked) {
	delete(l.waiting, a.id)
	if a.at.After(l.last) {
		l.last = a.at
	}
}

func (l *ledger) hold(r removal, now time.Time) {
	if l.since.IsZero() {
		l.since = now.Truncate(time.Second)
	}
	l.held[r.id] = r
}

func (l *ledger) endHold() {
	if len(l.held)+len(l.expected) == 0 {
		l.since = time.Time{}
	}
}

// judgement is what becomes of the removals in a ledger.
type judgement struct {
	// release and hold are of those that waited, lift of those that were held.
	release, hold map[string]asked
	lift          map[string]removal
	// approved is the plan whose approval lifts them.
	approved string
	window   window
	// again is in how long to judge anew; zero is not before something else happens.
	again time.Duration
}

// judge decides about the removals that wait and those that are held, given what the administrator allows and approves,
// and how many active members the directory has.
func (l *ledger) judge(s v1alpha1.Safeguard, approve string, active int, now time.Time) judgement {
	j := judgement{window: l.window}
	if wait := l.restored.Sub(now); len(l.expected) > 0 && wait > 0 {
		j.again = wait
		return j
	}
	if now.Sub(j.window.start) >= s.Window.Duration {
		j.window = window{start: now.Truncate(time.Second)}
	}
	allowed := max(int(*s.Minimum), int(*s.Percent)*active/100)
	if plan := planOf(l.since, l.held); len(l.held) > 0 {
		changed := !equality.Semantic.DeepEqual(s, l.limit)
		switch {
		case approve == plan:
			j.lift, j.approved = l.held, plan
		case changed && j.window.people+len(l.held) <= allowed:
			j.lift = l.held
		}
		j.window.people += len(j.lift)
	}
	if j.again = l.unsettled(now); j.again == 0 && len(l.waiting) > 0 {
		if l.alone() || j.window.people+len(l.waiting) <= allowed {
			j.release = l.waiting
			j.window.people += len(l.waiting)
		} else {
			j.hold = l.waiting
		}
	}
	if len(j.release)+len(j.lift) == 0 {
		j.window = l.window
	}
	j.lift, j.release, j.hold = maps.Clone(j.lift), maps.Clone(j.release), maps.Clone(j.hold)
	return j
}

// unsettled is in how long the removals that wait can be judged.
func (l *ledger) unsettled(now time.Time) time.Duration {
	var first, last time.Time
	for _, a := range l.waiting {
		if first.IsZero() || a.at.Before(first) {
			first = a.at
		}
		if a.at.After(last) {
			last = a.at
		}
	}
	due := last.Add(settleQuiet)
	if limit := first.Add(settleLimit); limit.Before(due) {
		due = limit
	}
	return max(due.Sub(now), 0)
}

// alone says whether one removal waits, and no other has been asked for lately.
func (l *ledger) alone() bool {
	for _, a := range l.waiting {
		return len(l.waiting) == 1 && (l.last.IsZero() || a.at.Sub(l.last) >= solitude)
	}
	return false
}

// enter enters a judgement. What a person loses may have changed since: that is left to the next judgement.
func (l *ledger) enter(s v1alpha1.Safeguard, j judgement, now time.Time) {
	for id, a := range j.release {
		if l.waiting[id].at.Equal(a.at) {
			l.stopsWaiting(a)
			l.released[id] = a.removal
		}
	}
	for id, a := range j.hold {
		if l.waiting[id].at.Equal(a.at) {
			l.stopsWaiting(a)
			l.hold(a.removal, now)
		}
	}
	for id, r := range j.lift {
		if held, ok := l.held[id]; ok && held.of(r) {
			delete(l.held, id)
			l.released[id] = r
		}
	}
	l.endHold()
	if j.approved != "" {
		l.used = j.approved
	}
	l.window, l.limit = j.window, s
}

// after is the ledger as a judgement will leave it.
func (l *ledger) after(s v1alpha1.Safeguard, j judgement, now time.Time) *ledger {
	next := *l
	next.waiting, next.held, next.released = maps.Clone(l.waiting), maps.Clone(l.held), maps.Clone(l.released)
	next.enter(s, j, now)
	return &next
}

// restore enters what a directory's status says after a restart.
func (l *ledger) restore(r heldReport, limit v1alpha1.Safeguard, expected []string, now time.Time) {
	l.loaded, l.reported, l.limit, l.restored = true, r, limit, now.Add(restoreLimit)
	if r.windowStart != 0 {
		l.window = window{time.Unix(r.windowStart, 0), r.removed}
	}
	if r.people > 0 {
		l.since = time.Unix(r.since, 0)
	}
	for _, id := range expected {
		if a, waiting := l.waiting[id]; waiting {
			l.stopsWaiting(a)
			l.hold(a.removal, now)
		} else {
			l.expected[id] = true
		}
	}
	l.last = time.Time{}
	l.endHold()
}
