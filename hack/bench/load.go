package main

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// clients is how many ask at the same time, as a busy identity provider and a bare client alike.
const clients = 32

// pick is a number below n, other each time.
func pick(n int) int {
	return rand.IntN(n) //nolint:gosec // which resource is read is no secret
}

// perSecond is the rate at which the clients get n calls done.
func perSecond(ctx context.Context, n int, call func(ctx context.Context, i int) error) (float64, error) {
	g, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	began := time.Now()
	for range clients {
		g.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || ctx.Err() != nil {
					return ctx.Err()
				}
				if err := call(ctx, i); err != nil {
					return err
				}
			}
		})
	}
	err := g.Wait()
	return float64(n) / time.Since(began).Seconds(), err
}

// perSecondFor is the rate at which the clients get calls done for that long.
func perSecondFor(ctx context.Context, d time.Duration, call func(ctx context.Context, i int) error) (float64, error) {
	g, ctx := errgroup.WithContext(ctx)
	var next, done atomic.Int64
	began := time.Now()
	for range clients {
		g.Go(func() error {
			for time.Since(began) < d {
				if err := call(ctx, int(next.Add(1))-1); err != nil {
					return err
				}
				done.Add(1)
			}
			return nil
		})
	}
	err := g.Wait()
	return float64(done.Load()) / time.Since(began).Seconds(), err
}

// side is one of two that are compared: a turn returns what it measured.
type side func(ctx context.Context, turn int) (float64, error)

// inTurns lets two sides measure one after the other, in both orders, so that what else the machine does hits both.
func inTurns(ctx context.Context, rounds int, ours, peer side) (comparison, error) {
	var c comparison
	for turn := range rounds {
		first, second := &c.Ours, &c.Peer
		one, other := ours, peer
		if turn%2 == 1 {
			first, second, one, other = second, first, other, one
		}
		for _, s := range []struct {
			into *[]float64
			take side
		}{{first, one}, {second, other}} {
			value, err := s.take(ctx, turn)
			if err != nil {
				return c, err
			}
			*s.into = append(*s.into, value)
		}
	}
	return c, nil
}
