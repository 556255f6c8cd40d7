package targets

import (
	"context"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// Session is the work on one AppTarget: a System and what was last seen of it. What was seen is kept between runs, so that
// one person's change costs what that change costs; it is read again after an interval, for what others changed, and
// after every error, for then nobody knows what is there.
type Session struct {
	system   System
	stepSize int
	clock    clock.PassiveClock
	interval time.Duration

	seen   *Observation
	seenAt time.Time
	// unsettled says that the system, as it is, has more to settle.
	unsettled bool
}

// NewSession begins the work. Interval is how long what was seen is believed.
func NewSession(kind Kind, system System, c clock.PassiveClock, interval time.Duration) *Session {
	return &Session{system: system, stepSize: kind.StepSize, clock: c, interval: interval}
}

// Reopen goes on with the system opened anew, so that changed credentials are used.
func (s *Session) Reopen(system System) { s.system = system }

// Due says whether the system is to be read at the next run. It is not while it settles, so that it gets to the end of that.
func (s *Session) Due() bool {
	return s.seen == nil || !s.unsettled && s.clock.Since(s.seenAt) >= s.interval
}

// Orders say what a run is to do.
type Orders struct {
	// Want tells who is to have which role now.
	Want func(context.Context) ([]Person, []Role, error)
	// Changed says whether Want would tell something else than it last did. It is asked before every step, so that a removal
	// of access does not wait for what was planned before it.
	Changed func() bool
	// Enforce carries the plan out; otherwise the run only looks.
	Enforce bool
	// RevokeOnly carries nothing out but what takes access away.
	RevokeOnly bool
	// Adopt takes over what others made.
	Adopt bool
	// Before is called before the first change, if there is one.
	Before func(context.Context) error
	// For bounds the time in which steps are begun.
	For time.Duration
}

// Report is what a run has seen and done.
type Report struct {
	// Observed says that the system was read: without it, nothing else is known but Drift.
	Observed bool
	// Plan is what is yet to be changed.
	Plan Plan
	// Grants counts those of ours that are there; Foreign those that are wanted and that others made.
	Grants, Foreign int
	// LeftOut and Why are as in Wanted.
	LeftOut int
	Why     string
	// Awaited counts the people whom the system does not know yet; AwaitedFor names the cause for one of them.
	Awaited    int
	AwaitedFor string
	// Blocked and Conditions are as in Observation.
	Blocked    map[string]Obstacle
	Conditions []Condition
	// Unsettled says that there is more to be done soon, though perhaps nothing to be changed.
	Unsettled bool
	// Revoked and Granted count what the run carried out, Drift what others had changed.
	Revoked, Granted, Drift int
	// FailedRevocations and FailedGrants count what it tried and could not.
	FailedRevocations, FailedGrants int
}

// Run looks at the system if it is time to, and carries out what is to be changed, step by step, removals first. It returns
// what it saw and did also with an error. Changes that the system refuses do not keep others from being carried out; a
// system that is down ends the run.
func (s *Session) Run(ctx context.Context, o Orders) (Report, error) {
	var r Report
	wanted, err := s.want(ctx, o) // first, because it tells a system what to look for
	if err != nil {
		return r, err
	}
	if err := s.look(ctx, &r); err != nil {
		return r, err
	}
	err = s.enforce(ctx, o, &wanted, &r)
	r.describe(wanted, s.seen, o.Adopt)
	r.Unsettled = s.unsettled
	if err != nil {
		s.seen = nil
	}
	return r, err
}

// look reads the system, if it is due.
func (s *Session) look(ctx context.Context, r *Report) error {
	if !s.Due() {
		return nil
	}
	before := s.seen
	s.seen = nil
	ctx, span := begin(ctx, "observe")
	defer span.End()
	now, err := s.system.Observe(ctx)
	if err != nil {
		return err
	}
	if before != nil {
		r.Drift = drift(before, now)
	}
	s.seen, s.seenAt = now, s.clock.Now()
	return nil
}

func (s *Session) want(ctx context.Context, o Orders) (Wanted, error) {
	people, roles, err := o.Want(ctx)
	if err != nil {
		return Wanted{}, err
	}
	return s.system.Want(people, roles), nil
}

// enforce carries out the difference between what is wanted, which it keeps up to date, and what is there.
func (s *Session) enforce(ctx context.Context, o Orders, wanted *Wanted, r *Report) error {
	if !o.Enforce {
		return nil
	}
	var refused refusals
	begin := sync.OnceValue(func() error { return o.Before(ctx) })
	aside := Grants{} // what was refused is not tried again in this run
	plan := s.plan(o, *wanted)
	for begun := s.clock.Now(); s.clock.Since(begun) < o.For; {
		if o.Changed() {
			var err error
			if *wanted, err = s.want(ctx, o); err != nil {
				return err
			}
			plan = s.plan(o, *wanted).except(aside)
		}
		if plan.Size() == 0 {
			settler, is := s.system.(Settler)
			if !is || o.RevokeOnly || len(refused) > 0 {
				break
			}
			if err := s.settle(ctx, settler, begin); err != nil || !s.unsettled {
				return err
			}
			continue
		}
		if err := begin(); err != nil {
			return err
		}
		step, err := s.step(ctx, &plan, r)
		for _, g := range step {
			aside.Add(g)
		}
		if err != nil {
			if !IsRefused(err) {
				return err
			}
			refused = append(refused, err)
		}
	}
	return refused.asError()
}

// plan is what the orders let be carried out.
func (s *Session) plan(o Orders, wanted Wanted) Plan {
	plan := MakePlan(wanted, s.seen, o.Adopt)
	if o.RevokeOnly {
		plan.Grant = nil
	}
	return plan
}

// settle lets the system do one thing of those that it does when nothing is to be changed.
func (s *Session) settle(ctx context.Context, system Settler, begin func() error) error {
	s.unsettled = false
	if !system.Unsettled() {
		return nil
	}
	if err := begin(); err != nil {
		return err
	}
	if err := system.Settle(ctx); err != nil {
		return err
	}
	s.unsettled = system.Unsettled()
	return nil
}

// step takes the first changes off the plan, carries them out, and returns those that it could not.
func (s *Session) step(ctx context.Context, plan *Plan, r *Report) (undone []Grant, err error) {
	name, queue, act, note, count := "grant", &plan.Grant, s.system.Grant, s.seen.Ours.Add, &r.Granted
	if len(plan.Revoke) > 0 {
		name, queue, act, note, count = "revoke", &plan.Revoke, s.system.Revoke, s.seen.Ours.remove, &r.Revoked
	}
	n := min(len(*queue), s.stepSize)
	changes := (*queue)[:n]
	*queue = (*queue)[n:]
	ctx, span := begin(ctx, name)
	done, err := act(ctx, changes)
	endStep(span, n, len(done), err)
	carried := Grants{}
	for _, g := range done {
		note(g)
		s.seen.Unseen.remove(g)
		carried.Add(g)
	}
	*count += len(done)
	for _, g := range changes {
		if !carried.Has(g) {
			undone = append(undone, g)
		}
	}
	r.fail(count, len(undone))
	return undone, err
}

func (r *Report) describe(w Wanted, o *Observation, adopt bool) {
	r.Observed = true
	r.Plan = MakePlan(w, o, adopt)
	r.Grants, r.Foreign = len(o.Ours), foreign(w, o)
	r.LeftOut, r.Why = w.LeftOut, w.Why
	r.Awaited, r.AwaitedFor = awaited(w, o)
	r.Blocked, r.Conditions = o.Blocked, o.Conditions
}
