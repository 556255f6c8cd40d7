package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// leavers are how many people are deactivated, one after the other.
const leavers = 20

// measureControllers pushes a group through SCIM and measures until everybody has its role, how long a leaver keeps access
// meanwhile, and what a restart writes.
func measureControllers(ctx context.Context, p plan, s *stage, r *report) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // the watches end before the API server does, which waits for them
	o, err := s.startOperator(ctx)
	if err != nil {
		return err
	}
	defer o.stop()
	t, err := s.gather(ctx, o, p.pushed)
	if err != nil {
		return err
	}
	if err := t.measurePushes(ctx, p, o, r); err != nil {
		return err
	}
	if err := t.measureLeavers(ctx, o, r); err != nil {
		return err
	}

	return s.measureRestart(ctx, o, p.pushed, r)
}

// measureResync lets the controllers see to everybody there is, and measures what a restart writes then.
func measureResync(ctx context.Context, p plan, s *stage, r *report) error {
	o, err := s.startOperator(ctx)
	if err != nil {
		return err
	}
	defer o.stop()
	if err := o.untilIdle(ctx, p.users); err != nil {
		return err
	}
	return s.measureRestart(ctx, o, p.users, r)
}

// measureRestart counts what the operator writes after it has been stopped and started once more.
func (s *stage) measureRestart(ctx context.Context, o *operator, people int, r *report) error {
	o.stop() // with the Events that it had yet to write
	before, err := s.countWrites(ctx)
	if err != nil {
		return err
	}
	again, err := s.startOperator(ctx)
	if err != nil {
		return err
	}
	defer again.stop()
	if err := again.untilIdle(ctx, people); err != nil {
		return err
	}
	after, err := s.countWrites(ctx)
	if err != nil {
		return err
	}
	more := after.since(before)
	fmt.Fprintf(os.Stderr, "after a restart the operator wrote: %v\n", more)
	// A directory's counts are applied once by each process, whatever they are: that is not about people.
	aboutPeople := more["appmemberships"] + more["appmemberships/status"] + more["scimusers"] + more["scimusers/status"] + more["events"]
	r.add(figure{
		Name: fmt.Sprintf("applies about %d people by a restart", people), PeerName: "a push of one person, of one kind",
		comparison: comparison{Ours: []float64{aboutPeople}, Peer: []float64{1}}, Goal: 0,
	})
	return nil
}

// measurePushes compares pushes of a group with a bare client that makes the same applies.
func (t *team) measurePushes(ctx context.Context, p plan, o *operator, r *report) error {
	perPerson := writes{}
	c, err := inTurns(ctx, p.pushes, func(ctx context.Context, turn int) (float64, error) {
		before, err := t.countWrites(ctx)
		if err != nil {
			return 0, err
		}
		role := fmt.Sprintf("role-%d", turn)
		began := time.Now()
		if err := t.push(ctx, o, role); err != nil {
			return 0, err
		}
		if err := t.ours.until(ctx, func(f *follower) bool { return f.holders[role] == p.pushed }); err != nil {
			return 0, err
		}
		took := time.Since(began)
		if err := o.untilIdle(ctx, p.pushed); err != nil {
			return 0, err
		}
		after, err := t.countWrites(ctx)
		if err != nil {
			return 0, err
		}
		for resource, n := range after.since(before) {
			perPerson[resource] += n / float64(p.pushed*p.pushes)
		}
		return float64(p.pushed) / took.Seconds(), nil
	}, func(ctx context.Context, turn int) (float64, error) {
		var roles []string
		for i := range turn + 1 {
			roles = append(roles, fmt.Sprintf("role-%d", i))
		}
		return perSecond(ctx, p.pushed, func(ctx context.Context, i int) error {
			return t.applyBare(ctx, t.people[i], roles)
		})
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "writes per person: %v\n", perPerson)
	r.add(figure{
		Name: fmt.Sprintf("a group of %d pushed until all have its role, people", p.pushed), Unit: "/s",
		PeerName: "bare client, same three applies", comparison: c, Goal: 0.7, AtLeast: true,
	})
	for _, resource := range []string{"appmemberships", "appmemberships/status", "scimusers/status"} {
		r.add(figure{
			Name: "applies of " + resource + " per person pushed", PeerName: "one each",
			// A look before the cache shows the own status applies the same once more, which changes nothing.
			comparison: comparison{Ours: []float64{perPerson[resource]}, Peer: []float64{1}}, Goal: 1.01,
		})
	}
	return nil
}

// measureLeavers deactivates people while nothing else happens, and while a push runs.
func (t *team) measureLeavers(ctx context.Context, o *operator, r *report) error {
	leave := func(i int) (float64, error) {
		began := time.Now()
		if err := t.setActive(ctx, o, i, false); err != nil {
			return 0, err
		}
		err := t.ours.until(ctx, func(f *follower) bool { return !f.members[t.people[i].Name].Active })
		return time.Since(began).Seconds() * 1000, err
	}
	idle := make([]float64, leavers)
	for i := range idle {
		var err error
		if idle[i], err = leave(i); err != nil {
			return err
		}
	}
	const role = "busy"
	if err := t.push(ctx, o, role); err != nil {
		return err
	}
	left := 0
	var busy []float64
	for i := leavers; i < 2*leavers; i++ {
		took, err := leave(i)
		if err != nil {
			return err
		}
		t.ours.mu.Lock()
		left = len(t.people) - 2*leavers - t.ours.holders[role]
		t.ours.mu.Unlock()
		if left <= 0 {
			break
		}
		busy = append(busy, took)
	}
	if len(busy) == 0 {
		return fmt.Errorf("the push was over before anybody left")
	}
	fmt.Fprintf(os.Stderr, "%d left while the push ran; %d people were still to get the role\n", len(busy), left)
	for _, f := range []struct {
		name string
		took []float64
	}{{"a leaver until inactive", idle}, {fmt.Sprintf("the same while a group of %d is pushed", len(t.people)), busy}} {
		limit := make([]float64, len(f.took))
		for i := range limit {
			limit[i] = 1000
		}
		r.add(figure{Name: f.name, Unit: "ms", PeerName: "what it may take", comparison: comparison{f.took, limit}, Goal: 1})
	}
	return o.untilIdle(ctx, len(t.people))
}
