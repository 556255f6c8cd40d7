package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

const (
	// checkTimeout bounds the search for an order that explains one subject's history.
	checkTimeout = 2 * time.Minute
	// maxUndecided is of how many subjects the search may end without a result: where many requests were never answered,
	// there are too many orders.
	maxUndecided = 2
)

// userState is the register of one userName.
type userState struct {
	exists    bool
	id, value string
	// doubtful: made by a request that was never answered, so that its id is not known and the server may yet take it back.
	doubtful bool
}

// users is what the writes of one userName promise: acknowledged ones take effect once, at one instant between request and
// answer, and stay. Of two that race for a name both may lose, so that 409 is always allowed; that it does not last is seen
// by lookAtTheEnd and by the next create.
var users = (&porcupine.NondeterministicModel{
	Init: func() []any { return []any{userState{}} },
	Step: func(state, input, _ any) []any {
		s, e := state.(userState), input.(event)
		var next []any
		for _, n := range stepUser(s, e) {
			next = append(next, n)
		}
		return next
	},
	DescribeOperation: func(input, _ any) string { return input.(event).String() },
}).ToModel()

// stepUser are the states that the event can lead to; none when it cannot have happened in state s.
func stepUser(s userState, e event) []userState {
	held := s.exists && (s.id == e.id || s.doubtful)
	created := userState{exists: true, id: e.id, value: e.value}
	switch e.op {
	case create:
		switch {
		case e.outcome == taken:
			return []userState{s}
		case e.outcome == unknown && s.exists:
			return []userState{s}
		case e.outcome == unknown:
			return []userState{s, {exists: true, value: e.value, doubtful: true}}
		case !s.exists || s.doubtful:
			return []userState{created}
		}
	case write:
		switch {
		case e.outcome == unknown && held:
			return []userState{s, created}
		case e.outcome == unknown:
			return []userState{s}
		case e.outcome == done && held:
			return []userState{created}
		case e.outcome == missing && (!held || s.doubtful):
			return []userState{s}
		}
	case remove:
		switch {
		case e.outcome == unknown && held:
			return []userState{s, {}}
		case e.outcome == unknown:
			return []userState{s}
		case e.outcome == done && held:
			return []userState{{}}
		case e.outcome == missing && (!held || s.doubtful):
			return []userState{s}
		}
	case glance:
		switch {
		case e.outcome == missing && e.id == "" && (!s.exists || s.doubtful):
			return []userState{{}}
		case e.outcome == missing && e.id != "" && (!held || s.doubtful):
			return []userState{s}
		case e.outcome == done && held && s.value == e.value:
			return []userState{created}
		}
	}
	return nil
}

// membership is whether one person is in the group.
var membership = (&porcupine.NondeterministicModel{
	Init: func() []any { return []any{false} },
	Step: func(state, input, _ any) []any {
		inside, e := state.(bool), input.(event)
		switch {
		case e.op == glance && inside == (e.outcome == done):
			return []any{inside}
		case e.op == glance:
			return nil
		case e.outcome == unknown && inside != (e.op == join):
			return []any{inside, e.op == join}
		default:
			return []any{e.op == join}
		}
	},
	DescribeOperation: func(input, _ any) string { return input.(event).String() },
}).ToModel()

func (e event) String() string {
	return fmt.Sprintf("%s %s %s %s → %s at replica %d",
		[]string{"create", "write", "delete", "read", "join", "quit", "glance"}[e.op], e.subject, e.id, e.value,
		[]string{"?", "done", "409", "missing"}[e.outcome], e.replica)
}

// verify looks for an order of all writes that explains what every client saw, subject by subject, and for reads that broke
// their promise.
func (w *workload) verify(out string) error {
	bySubject := map[string][]event{}
	outcomes := map[outcome]int{}
	for _, e := range w.history {
		bySubject[e.subject] = append(bySubject[e.subject], e)
		outcomes[e.outcome]++
	}
	fmt.Printf("%d operations: %d done, %d without a sure answer, %d conflicts, %d not found\n",
		len(w.history), outcomes[done], outcomes[unknown], outcomes[taken], outcomes[missing])
	var wrong []error
	undecided := 0
	for subject, events := range bySubject {
		model := users
		if slices.Contains(w.crowd, subject) || slices.Contains(w.commuters, subject) {
			model = membership
		}
		operations := operationsOf(events)
		verdict, info := porcupine.CheckOperationsVerbose(model, operations, checkTimeout)
		if verdict == porcupine.Unknown && undecided < maxUndecided {
			undecided++
			fmt.Println("no order of the writes of", subject, "was found or ruled out in", checkTimeout)
			continue
		}
		if verdict == porcupine.Ok {
			continue
		}
		path := filepath.Join(out, subject+".html")
		wrong = append(wrong, fmt.Errorf("the history of %s is not linearizable (%s): see %s", subject, verdict, path),
			draw(path, model, info))
		for _, e := range events {
			fmt.Fprintf(os.Stderr, "%9.3f %9.3f client %d %s\n", e.call.Seconds(), e.back.Seconds(), e.client, e)
		}
	}
	return errors.Join(append(wrong, checkReads(w.history)...)...)
}

func draw(path string, model porcupine.Model, info porcupine.LinearizationInfo) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return porcupine.Visualize(model, info, file)
}

// operationsOf are the events that are linearizable: all but reads. What was never answered may take effect until the end.
func operationsOf(events []event) []porcupine.Operation {
	var operations []porcupine.Operation
	for _, e := range events {
		if e.op == read || e.outcome == unknown && e.id == "" && e.op != create && e.op != join && e.op != quit {
			continue
		}
		back := e.back.Nanoseconds()
		if e.outcome == unknown {
			back = math.MaxInt64
		}
		operations = append(operations, porcupine.Operation{
			ClientId: e.client, Input: e, Output: e, Call: e.call.Nanoseconds(), Return: back,
		})
	}
	return operations
}

// checkReads: a read at a replica shows every write that this replica had acknowledged before, or a later one.
func checkReads(history []event) (broken []error) {
	byID := map[string][]event{}
	for _, e := range history {
		if e.id != "" && (e.op == create || e.op == write || e.op == remove) && e.outcome != missing && e.outcome != taken {
			byID[e.id] = append(byID[e.id], e)
		}
	}
	for _, r := range history {
		if r.op != read || r.outcome == unknown || r.id == "" {
			continue
		}
		for _, own := range byID[r.id] {
			if own.outcome != done || own.replica != r.replica || own.back > r.call {
				continue
			}
			// own was acknowledged here before the read began; what the read shows must not have ended before own began.
			for _, old := range byID[r.id] {
				if old.outcome == done && old.op != remove && r.outcome == done && old.value == r.value &&
					old.value != own.value && old.back < own.call {
					broken = append(broken, fmt.Errorf("replica %d showed %q of %s at %v, though it had acknowledged %q at %v",
						r.replica, r.value, r.subject, r.call, own.value, own.back))
				}
			}
			if r.outcome == missing && own.op != remove && !slices.ContainsFunc(byID[r.id], func(e event) bool {
				return e.op == remove && e.call < r.back
			}) {
				broken = append(broken, fmt.Errorf("replica %d did not find %s at %v, though it had acknowledged %q at %v",
					r.replica, r.id, r.call, own.value, own.back))
			}
		}
	}
	return broken
}
