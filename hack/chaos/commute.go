package main

import (
	"context"
	"math/rand/v2"
)

// commute moves one person there by one replica and back by another, which may not have heard of the first move: it must
// not take what it knows for the present and answer that there is nothing to do. While it is paused it hears of nothing, and
// wakes up to the request and the news at once. Nobody else moves this person, so that a move that was not made shows.
func (w *workload) commute(ctx context.Context, client int, id string, dice *rand.Rand) error {
	for ; ctx.Err() == nil; wait(ctx, pause) {
		here := dice.IntN(replicas)
		there := (here + 1 + dice.IntN(replicas-1)) % replicas
		out, back := join, quit
		if dice.IntN(2) == 0 {
			out, back = quit, join
		}
		// What was begun is finished, so that its outcome is known where it can be.
		finishing := context.WithoutCancel(ctx)
		if err := w.move(finishing, &event{client: client, replica: here, subject: id}, w.commuterGroup, out); err != nil {
			return err
		}
		if err := w.move(finishing, &event{client: client, replica: there, subject: id}, w.commuterGroup, back); err != nil {
			return err
		}
		w.glanceAtMember(finishing, client, w.commuterGroup, id)
	}
	return nil
}
