package webhook

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

const (
	// sideBySide is how many subjects are told of at a time.
	sideBySide = 8
	// maxRecord is about how many bytes of what is pending are recorded at once, so that no page outgrows an object.
	maxRecord = 256 << 10
)

// tell lets the receiver know of subjects what is wanted. It returns a Refused when the receiver refused some of it; the
// rest is told all the same.
func (s *system) tell(ctx context.Context, subjects []string) error {
	var refused error
	for _, round := range s.rounds(subjects) {
		for len(round) > 0 {
			n := s.fitting(round)
			err := s.deliver(ctx, round[:n])
			round = round[n:]
			if err != nil && !targets.IsRefused(err) {
				return err
			}
			refused = smaller(refused, err)
		}
	}
	return refused
}

// smaller is the first of two errors by their text, so that the same ones always give the same.
func smaller(a, b error) error {
	if a == nil || b != nil && b.Error() < a.Error() {
		return b
	}
	return a
}

// rounds are the subjects in the order in which they are told of: roles that the receiver has never heard of, people who
// lose something, other people, and roles that change or go.
func (s *system) rounds(subjects []string) [][]string {
	var added, losing, gaining, titles []string
	for _, r := range s.roles {
		if subject := roleSubject(r.Name); len(s.ledger.Entry(subject).Grants) == 0 {
			added = append(added, subject)
		}
	}
	for _, subject := range subjects {
		switch {
		case slices.Contains(added, subject):
		case strings.HasPrefix(subject, roleSubjectPrefix):
			titles = append(titles, subject)
		case s.loses(subject):
			losing = append(losing, subject)
		default:
			gaining = append(gaining, subject)
		}
	}
	return [][]string{added, losing, gaining, titles}
}

func (s *system) loses(subject string) bool {
	wanted := s.wanted[subject]
	return slices.ContainsFunc(s.ledger.Entry(subject).Grants, func(f string) bool {
		return !strings.HasPrefix(f, identityPrefix) && !slices.Contains(wanted, f)
	})
}

// fitting is how many of the subjects are recorded at once.
func (s *system) fitting(subjects []string) int {
	bytes := 0
	for n, subject := range subjects {
		p := s.people[subject]
		bytes += len(p.UserName) + len(p.Email) + len(p.DisplayName) + len(p.ExternalID)
		for _, f := range s.wanted[subject] {
			bytes += len(f)
		}
		if n > 0 && bytes > maxRecord || n == stepSize {
			return n
		}
	}
	return len(subjects)
}

// deliver first tells again what may not have arrived, for what comes after may depend on it. Then it puts the events on
// record that are to be told, and tells them, and puts on record that they are told.
func (s *system) deliver(ctx context.Context, subjects []string) error {
	var again []*parcel
	for _, subject := range subjects {
		if p := s.parcelOf(subject); p != nil && !s.refusedAlready(subject) {
			again = append(again, p)
		}
	}
	refused, down := s.send(ctx, again)
	if down != nil {
		return errors.Join(down, s.record(ctx, told(again)))
	}
	begun := told(again)
	var fresh []string
	for _, subject := range subjects {
		i := slices.IndexFunc(begun, func(e v1alpha1.LedgerEntry) bool { return e.Subject == subject })
		e := s.ledger.Entry(subject)
		if i >= 0 {
			e = begun[i]
		}
		if next, is := s.begin(subject, e); is {
			if i >= 0 {
				begun[i] = next
			} else {
				begun = append(begun, next)
			}
			if next.Pending != nil {
				fresh = append(fresh, subject)
			}
		}
	}
	if err := s.record(ctx, begun); err != nil {
		return err
	}
	parcels := make([]*parcel, 0, len(fresh))
	for _, subject := range fresh {
		parcels = append(parcels, s.parcelOf(subject))
	}
	more, down := s.send(ctx, parcels)
	if err := errors.Join(down, s.record(ctx, told(parcels))); err != nil {
		return err
	}
	return smaller(refused, more)
}

// refusedAlready says whether the receiver refused something of a subject of which nothing else is wanted since.
func (s *system) refusedAlready(subject string) bool {
	facts, is := s.refused[subject]
	return is && slices.Equal(facts, s.wanted[subject])
}

// begin is an entry with what is to be told as pending; false if there is nothing to be told, or not before something else.
func (s *system) begin(subject string, e v1alpha1.LedgerEntry) (v1alpha1.LedgerEntry, bool) {
	wanted := s.wanted[subject]
	if e.Pending != nil || slices.Equal(e.Grants, wanted) {
		return e, false
	}
	before, after := knownOf(e.Grants), knownOf(wanted)
	next := v1alpha1.LedgerEntry{Subject: subject, Grants: e.Grants}
	events := eventsBetween(before, after)
	if len(events) == 0 { // the record holds something that means nothing
		next.Grants = wanted
		return next, true
	}
	next.Pending = &v1alpha1.LedgerPending{
		Grants: wanted, Directory: before.directory(), Events: int64(len(events)), Time: metav1.NewTime(s.clock.Now()),
	}
	if p, is := s.people[subject]; is {
		next.Pending.Directory = p.Directory
		next.Pending.User = &v1alpha1.MemberIdentity{
			UserName: p.UserName, Email: p.Email, DisplayName: p.DisplayName, ExternalID: p.ExternalID,
		}
	}
	return next, true
}

// parcel is what is pending about one subject, and how far it was told.
type parcel struct {
	entry  v1alpha1.LedgerEntry
	events []event
	// outdated says that something else is wanted by now: what the receiver refuses of it does not keep the rest waiting.
	outdated bool
	// reached is what the receiver knows; answered and refused count its answers.
	reached           known
	answered, refused int
}

// parcelOf is what is pending about a subject, or nil.
func (s *system) parcelOf(subject string) *parcel {
	e := s.ledger.Entry(subject)
	if e.Pending == nil {
		return nil
	}
	before := knownOf(e.Grants)
	return &parcel{
		entry: e, events: eventsBetween(before, knownOf(e.Pending.Grants)), reached: before,
		outdated: !slices.Equal(e.Pending.Grants, s.wanted[subject]),
	}
}

// send makes the calls of parcels: those of one in order, those of several side by side. It returns a Refused, and why the
// receiver is down; then it begins no more calls.
func (s *system) send(ctx context.Context, parcels []*parcel) (refused, down error) {
	var mu sync.Mutex
	var stop atomic.Bool
	var group errgroup.Group
	group.SetLimit(sideBySide)
	for _, p := range parcels {
		group.Go(func() error {
			for i, e := range p.events {
				if stop.Load() {
					return nil
				}
				err := s.post(ctx, s.callFor(p.entry.Subject, e, p.entry.Pending.First+int64(i), p.entry.Pending))
				switch {
				case err == nil:
					e.apply(&p.reached)
				case !targets.IsRefused(err):
					stop.Store(true)
					mu.Lock()
					defer mu.Unlock()
					down = smaller(down, err)
					return nil
				case !p.outdated:
					mu.Lock()
					defer mu.Unlock()
					refused = smaller(refused, err)
					s.refused[p.entry.Subject] = s.wanted[p.entry.Subject]
					return nil
				default:
					p.refused++
				}
				p.answered++
			}
			return nil
		})
	}
	_ = group.Wait() // none of them fails
	return refused, down
}

// told are the entries of which the receiver has answered events, as it left them.
func told(parcels []*parcel) []v1alpha1.LedgerEntry {
	var entries []v1alpha1.LedgerEntry
	for _, p := range parcels {
		e := *p.entry.DeepCopy()
		switch {
		case p.answered == len(p.events):
			e.Grants, e.Pending = p.reached.facts(), nil
		case p.answered > 0 && p.refused == 0: // else the rest could not be told from what was refused
			e.Grants = p.reached.facts()
			e.Pending.First += int64(p.answered)
			e.Pending.Events -= int64(p.answered)
		default:
			continue
		}
		entries = append(entries, e)
	}
	return entries
}
