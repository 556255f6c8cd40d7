package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// seers are how many people the operator's controllers see to at the same time.
const seers = 8

// creations creates people, each under another name.
type creations struct {
	*stage
	n, made int
}

// measureCreates compares POST /Users with a bare client that creates the same objects, and with the least that could stand
// in the operator's place: the server alone, then with the controllers at work.
func measureCreates(ctx context.Context, p plan, s *stage, r *report) error {
	if err := measureAlone(ctx, p, s.binary, r); err != nil {
		return err
	}
	return (&creations{stage: s, n: p.writes}).attended(ctx, p, r)
}

// measureAlone measures the server without controllers, on a stage of its own, where nobody has to see to those whom it creates.
func measureAlone(ctx context.Context, p plan, binary string, r *report) (err error) {
	s, err := setTheStage(ctx, binary)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.clear()) }()
	return (&creations{stage: s, n: p.writes}).alone(ctx, p, r)
}

// pair is a rate that is compared with another one.
type pair struct {
	name, peerName string
	goal           float64
	ours, peer     side
}

// compare adds the figures of pairs, each measured in as many turns.
func compare(ctx context.Context, rounds int, r *report, pairs ...pair) error {
	for _, pair := range pairs {
		compared, err := inTurns(ctx, rounds, pair.ours, pair.peer)
		if err != nil {
			return err
		}
		r.add(figure{Name: pair.name, Unit: "/s", PeerName: pair.peerName, comparison: compared, Goal: pair.goal, AtLeast: true})
	}
	return nil
}

// alone measures the server without controllers, in more turns than others: garbage collections of the API server move a turn
// by more than what is measured.
func (c *creations) alone(ctx context.Context, p plan, r *report) error {
	const name = "POST /Users, server alone"
	rounds := 2*p.rounds - 1
	o, err := c.startOperator(ctx, "--controllers=false")
	if err != nil {
		return err
	}
	defer o.stop()
	bare, err := c.startBareServer(bareCreator, nil)
	if err != nil {
		return err
	}
	defer bare.stop()
	if err := compare(ctx, rounds, r,
		pair{name, "bare client", 0.85, c.post(o), c.create(nil)},
		pair{name, "HTTP server that creates unchecked", 0.85, c.post(o), c.post(bare)},
	); err != nil {
		return err
	}
	return c.least(ctx, rounds, r, o)
}

// least measures the least that can stand in the operator's place: beside it, and beside the bare client, which tells how much
// of the way to it is no work of the operator's.
func (c *creations) least(ctx context.Context, rounds int, r *report, o *operator) error {
	const name = "HTTP server that answers when its informer shows the creation"
	verifier, err := c.startBareServer(bareVerifier, nil)
	if err != nil {
		return err
	}
	defer verifier.stop()
	return compare(ctx, rounds, r,
		pair{name, "bare client", 0.85, c.post(verifier), c.create(nil)},
		pair{"POST /Users, server alone", name, 0.85, c.post(o), c.post(verifier)},
	)
}

// attended measures the server while the controllers see to those who come: how fast they are posted, and how fast they have
// their role, which is when the next turn begins.
func (c *creations) attended(ctx context.Context, p plan, r *report) error {
	o, err := c.startOperator(ctx)
	if err != nil {
		return err
	}
	defer o.stop()
	post := c.post(o)
	return compare(ctx, p.rounds, r,
		pair{"POST /Users, controllers at work", "bare client", 0.85, func(ctx context.Context, turn int) (float64, error) {
			rate, err := post(ctx, turn)
			if err != nil {
				return 0, err
			}
			return rate, o.untilIdle(ctx, c.n)
		}, c.create(nil)},
		pair{"people posted, until all have their role", "bare client, and another that makes the controllers' applies", 0.7,
			c.untilDone(func(ctx context.Context, turn int) error {
				if _, err := post(ctx, turn); err != nil {
					return err
				}
				return o.untilIdle(ctx, c.n)
			}), c.untilDone(c.createAndSee)},
	)
}

// untilDone is the rate at which a turn's people are done with.
func (c *creations) untilDone(do func(ctx context.Context, turn int) error) side {
	return func(ctx context.Context, turn int) (float64, error) {
		began := time.Now()
		err := do(ctx, turn)
		return float64(c.n) / time.Since(began).Seconds(), err
	}
}

// createAndSee creates people as a bare client, and makes the controllers' applies about each as another.
func (c *creations) createAndSee(ctx context.Context, turn int) error {
	g, ctx := errgroup.WithContext(ctx)
	created := make(chan *v1alpha1.ScimUser, c.n)
	for range seers {
		g.Go(func() error {
			for u := range created {
				if err := c.applyBare(ctx, u, []string{"member"}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	_, err := c.create(created)(ctx, turn)
	close(created)
	return errors.Join(err, g.Wait())
}

// post is the rate at which people are posted to a server.
func (c *creations) post(o *operator) side {
	return func(ctx context.Context, _ int) (float64, error) {
		first := c.next()
		return perSecond(ctx, c.n, func(ctx context.Context, i int) error {
			body, err := userResource(written, first+i)
			if err != nil {
				return err
			}
			_, err = o.ask(ctx, http.StatusCreated, http.MethodPost, written, "/Users", body)
			return err
		})
	}
}

// create is the rate at which a bare client creates the same objects, and hands them on if anybody takes them.
func (c *creations) create(created chan<- *v1alpha1.ScimUser) side {
	return func(ctx context.Context, _ int) (float64, error) {
		first := c.next()
		return perSecond(ctx, c.n, func(ctx context.Context, i int) error {
			u := userObject(written, first+i)
			if err := c.bare.Create(ctx, u); err != nil {
				return err
			}
			if created != nil {
				created <- u // there is room for all
			}
			return nil
		})
	}
}

// next is the number of the first person of a turn.
func (c *creations) next() int {
	c.made += c.n
	return c.made
}
