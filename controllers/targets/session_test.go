package targets

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	testingclock "k8s.io/utils/clock/testing"
)

// memory is a System in this process: the specs run the real ones; here it is about the order of what is done.
type memory struct {
	ours  Grants
	calls []string
	// before is called with each call, and may refuse a grant, or let the system be down.
	before func(call string) error
	looks  int
}

func (m *memory) Want(people []Person, _ []Role) Wanted {
	return Mapping{
		Subject:      func(p Person) (string, error) { return p.UserName, nil },
		Entitlements: func(role string) []string { return []string{role} },
	}.Want(people)
}

func (m *memory) Observe(context.Context) (*Observation, error) {
	m.looks++
	o := NewObservation()
	for g := range m.ours {
		o.Ours.Add(g)
	}
	return o, nil
}

func (m *memory) act(sign string, grants []Grant, do func(Grant)) ([]Grant, error) {
	return ByEntitlement(grants, func(e string, subjects []string) error {
		call := sign + strings.Join(subjects, ",") + ":" + e
		m.calls = append(m.calls, call)
		if m.before != nil {
			if err := m.before(call); err != nil {
				return err
			}
		}
		for _, s := range subjects {
			do(Grant{s, e})
		}
		return nil
	})
}

func (m *memory) Revoke(_ context.Context, grants []Grant) ([]Grant, error) {
	return m.act("-", grants, m.ours.remove)
}

func (m *memory) Grant(_ context.Context, grants []Grant) ([]Grant, error) {
	return m.act("+", grants, m.ours.Add)
}

// stage is a session with a memory and some people, who can change at any time.
type stage struct {
	*Session
	system  *memory
	clock   *testingclock.FakePassiveClock
	people  map[string][]string
	changes int
	orders  Orders
}

func newStage(step int, ours ...string) *stage {
	s := &stage{
		system: &memory{ours: set(ours...)}, clock: testingclock.NewFakePassiveClock(time.Unix(0, 0)), people: map[string][]string{},
	}
	s.Session = NewSession(Kind{StepSize: step}, s.system, s.clock, 30*time.Second)
	known := 0
	s.orders = Orders{
		Enforce: true, For: time.Minute,
		Before:  func(context.Context) error { return nil },
		Changed: func() bool { return known != s.changes },
		Want: func(context.Context) ([]Person, []Role, error) {
			known = s.changes
			var people []Person
			for name, roles := range s.people {
				people = append(people, Person{UserName: name, Active: true, Roles: roles})
			}
			return people, nil, nil
		},
	}
	return s
}

func (s *stage) has(name string, roles ...string) {
	s.people[name] = roles
	s.changes++
}

func (s *stage) run(t *testing.T) (Report, error) {
	t.Helper()
	return s.Run(context.Background(), s.orders)
}

func (s *stage) expectCalls(t *testing.T, calls ...string) {
	t.Helper()
	if !slices.Equal(s.system.calls, calls) {
		t.Errorf("the calls were %q, not %q", s.system.calls, calls)
	}
}

func TestSessionGoesStepByStep(t *testing.T) {
	s := newStage(2, "x:old", "y:old", "z:old")
	s.has("ada", "admin")
	s.has("bob", "admin")
	s.has("eve", "admin", "viewer")
	r, err := s.run(t)
	if err != nil || r.Plan.Size() != 0 || r.Granted != 4 || r.Revoked != 3 || r.Grants != 4 {
		t.Errorf("%+v, %v", r, err)
	}
	s.expectCalls(t, "-x,y:old", "-z:old", "+ada,bob:admin", "+eve:admin", "+eve:viewer")
}

func TestSessionLetsNoLeaverWaitForALargePush(t *testing.T) {
	s := newStage(1, "leaver:admin")
	s.has("leaver", "admin")
	for i := range 5 {
		s.has(fmt.Sprint("p", i), "viewer")
	}
	s.system.before = func(call string) error {
		if call == "+p1:viewer" {
			s.has("leaver")
		}
		return nil
	}
	if _, err := s.run(t); err != nil {
		t.Fatal(err)
	}
	s.expectCalls(t, "+p0:viewer", "+p1:viewer", "-leaver:admin", "+p2:viewer", "+p3:viewer", "+p4:viewer")
}

func TestSessionGoesOnBesideWhatIsRefused(t *testing.T) {
	s := newStage(10)
	s.has("ada", "a", "b", "c")
	s.system.before = func(call string) error {
		if call == "+ada:b" {
			return Refuse("b is not to be had")
		}
		return nil
	}
	r, err := s.run(t)
	if !IsRefused(err) || err.Error() != "b is not to be had" || r.Plan.Size() != 1 || r.Grants != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	s.expectCalls(t, "+ada:a", "+ada:b", "+ada:c")
	if !s.Due() {
		t.Error("after a refusal nobody knows what is there")
	}
}

func TestSessionStopsWhenTheSystemIsDown(t *testing.T) {
	s := newStage(10, "x:old")
	s.has("ada", "a", "b")
	down := errors.New("down")
	s.system.before = func(call string) error {
		if call == "+ada:a" {
			return down
		}
		return nil
	}
	r, err := s.run(t)
	if !errors.Is(err, down) || r.Revoked != 1 || r.Plan.Size() != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	s.expectCalls(t, "-x:old", "+ada:a")
	s.system.before = nil
	if r, err := s.run(t); err != nil || r.Plan.Size() != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestSessionReadsTheSystemOnlyWhenItIsTime(t *testing.T) {
	s := newStage(10)
	s.has("ada", "a")
	for range 3 {
		if r, err := s.run(t); err != nil || r.Drift != 0 {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	if s.system.looks != 1 {
		t.Errorf("it was read %d times", s.system.looks)
	}
	s.system.ours = set("eve:a")
	s.clock.SetTime(time.Unix(30, 0))
	if r, err := s.run(t); err != nil || r.Drift != 2 || r.Granted != 1 || r.Revoked != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := s.run(t); err != nil || r.Drift != 0 {
		t.Errorf("drift that was put right is told again: %+v, %v", r, err)
	}
}

func TestSessionObserves(t *testing.T) {
	s := newStage(10, "eve:a")
	s.has("ada", "a")
	s.orders.Enforce = false
	r, err := s.run(t)
	if err != nil || len(r.Plan.Grant) != 1 || len(r.Plan.Revoke) != 1 || r.Grants != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	s.expectCalls(t)
}

func TestSessionTakesTurns(t *testing.T) {
	s := newStage(1)
	s.has("ada", "a")
	s.has("bob", "a")
	s.system.before = func(string) error {
		s.clock.SetTime(s.clock.Now().Add(s.orders.For))
		return nil
	}
	r, err := s.run(t)
	if err != nil || r.Granted != 1 || r.Plan.Size() != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestSessionIsHeldBeforeTheFirstChange(t *testing.T) {
	s := newStage(1)
	held := 0
	s.orders.Before = func(context.Context) error { held++; return nil }
	if _, err := s.run(t); err != nil || held != 0 {
		t.Errorf("held %d times with nothing to change, %v", held, err)
	}
	s.has("ada", "a", "b")
	if _, err := s.run(t); err != nil || held != 1 {
		t.Errorf("held %d times, %v", held, err)
	}
	no := errors.New("no")
	s.has("bob", "a")
	s.orders.Before = func(context.Context) error { return no }
	if _, err := s.run(t); !errors.Is(err, no) {
		t.Errorf("%v", err)
	}
	s.expectCalls(t, "+ada:a", "+ada:b")
}
