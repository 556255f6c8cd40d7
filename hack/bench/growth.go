package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

const (
	// atOnce is how many members come or go with one request, movers how many such requests are under way.
	atOnce, movers = 1000, 4
	// kills is how often the operator is killed while a group grows, and again while it shrinks.
	kills = 3
)

// measureGrowth lets a group grow until everybody of the large directory is in it, and shrink again until a hundred are left,
// through a server that is killed in the middle of it, again and again. It counts who is a member and should not be, and who
// should be and is not.
func measureGrowth(ctx context.Context, p plan, s *stage, r *report) error {
	g := &growth{stage: s}
	var err error
	if g.operator, err = s.startOperator(ctx, "--controllers=false"); err != nil {
		return err
	}
	defer func() { g.operator.stop() }()
	if err := g.gather(ctx, p.members); err != nil {
		return err
	}
	for _, phase := range []struct {
		name, operation string
		from, to        int
		members         []string
	}{
		{"grown to %d members", "add", 0, p.members, g.ids},
		{"shrunk from %d members", "remove", smallUsers, p.members, g.ids[:smallUsers]},
	} {
		began := time.Now()
		if err := g.move(ctx, phase.operation, g.ids[phase.from:phase.to]); err != nil {
			return err
		}
		took := time.Since(began)
		wrong, err := g.wrong(ctx, phase.members)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("a group "+phase.name, p.members)
		fmt.Fprintf(os.Stderr, "%s in %s, through %d kills; in %d slices\n", name, took.Round(time.Second), kills, g.slices)
		r.add(figure{
			Name: name + fmt.Sprintf(" through %d kills -9, members lost or left", kills), PeerName: "one",
			comparison: comparison{Ours: []float64{wrong}, Peer: []float64{1}}, Goal: 0,
		})
	}
	return nil
}

// growth is a group that grows and shrinks.
type growth struct {
	*stage
	ids    []string
	group  string
	slices int32

	mu       sync.RWMutex
	operator *operator
}

// gather lists the people, and makes the group.
func (g *growth) gather(ctx context.Context, n int) error {
	for len(g.ids) < n {
		l, err := g.operator.list(ctx, large, fmt.Sprintf("count=500&attributes=id&startIndex=%d", len(g.ids)+1))
		if err != nil {
			return err
		}
		if len(l.Resources) == 0 {
			return fmt.Errorf("directory %s lists %d users instead of %d", large, len(g.ids), n)
		}
		for _, u := range l.Resources {
			g.ids = append(g.ids, u.ID)
		}
	}
	g.ids = g.ids[:n]
	answer, err := g.operator.ask(ctx, http.StatusCreated, http.MethodPost, large, "/Groups",
		[]byte(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Growing"}`))
	if err != nil {
		return err
	}
	var made struct {
		ID string `json:"id"`
	}
	err = json.Unmarshal(answer, &made)
	g.group = made.ID
	return err
}

// move adds or removes all of them, and kills the operator meanwhile.
func (g *growth) move(ctx context.Context, operation string, ids []string) error {
	all, ctx := errgroup.WithContext(ctx)
	var next, moved atomic.Int64
	chunks := int64((len(ids) + atOnce - 1) / atOnce)
	for range movers {
		all.Go(func() error {
			for {
				i := next.Add(1) - 1
				if i >= chunks {
					return nil
				}
				if err := g.moveChunk(ctx, operation, ids[i*atOnce:min((i+1)*atOnce, int64(len(ids)))]); err != nil {
					return err
				}
				moved.Add(1)
			}
		})
	}
	all.Go(func() error {
		for kill := range int64(kills) {
			if err := until(ctx, time.Millisecond, func() (bool, error) {
				return moved.Load() >= chunks*(kill+1)/(kills+1), nil
			}); err != nil {
				return err
			}
			if err := g.kill(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	return all.Wait()
}

// moveChunk repeats a request until it is answered: who was killed may have carried out a part of it.
func (g *growth) moveChunk(ctx context.Context, operation string, ids []string) error {
	type member struct {
		Value string `json:"value"`
	}
	members := make([]member, len(ids))
	for i, id := range ids {
		members[i].Value = id
	}
	body, err := json.Marshal(map[string]any{
		"schemas":    []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
		"Operations": []any{map[string]any{"op": operation, "path": "members", "value": members}},
	})
	if err != nil {
		return err
	}
	return until(ctx, 50*time.Millisecond, func() (bool, error) {
		g.mu.RLock()
		o := g.operator
		g.mu.RUnlock()
		status, answer, err := o.do(ctx, http.MethodPatch, "http://"+o.scim+"/scim/v2/"+namespace+"/"+large+"/Groups/"+g.group, body)
		switch {
		case err != nil || status == http.StatusServiceUnavailable:
			return false, ctx.Err()
		case status != http.StatusNoContent:
			return false, fmt.Errorf("PATCH of %d members: %d %s", len(ids), status, answer)
		default:
			return true, nil
		}
	})
}

// kill ends the operator where it stands, and starts another.
func (g *growth) kill(ctx context.Context) error {
	g.operator.stop()
	o, err := g.startOperator(ctx, "--controllers=false")
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.operator = o
	return nil
}

// wrong is how many of the group's members are missing or too many.
func (g *growth) wrong(ctx context.Context, members []string) (float64, error) {
	answer, err := g.operator.ask(ctx, http.StatusOK, http.MethodGet, large, "/Groups/"+g.group, nil)
	if err != nil {
		return 0, err
	}
	var shown struct {
		Members []struct {
			Value string `json:"value"`
		} `json:"members"`
	}
	if err := json.Unmarshal(answer, &shown); err != nil {
		return 0, err
	}
	missing := make(map[string]bool, len(members))
	for _, id := range members {
		missing[id] = true
	}
	wrong := 0
	for _, m := range shown.Members {
		if !missing[m.Value] {
			wrong++
		}
		delete(missing, m.Value)
	}
	group := &v1alpha1.ScimGroup{}
	if err := g.admin.Get(ctx, client.ObjectKey{Namespace: namespace, Name: g.group}, group); err != nil {
		return 0, err
	}
	g.slices = group.Spec.Membership.Shards
	return float64(wrong + len(missing)), nil
}
