package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// curve is what one thing costs at several sizes.
type curve struct {
	Name   string  `json:"name"`
	Unit   string  `json:"unit"`
	Of     string  `json:"of"`
	Points []point `json:"points"`
}

// point is the cost at one size, turn by turn.
type point struct {
	Size int       `json:"size"`
	Cost []float64 `json:"cost"`
}

// measureSizes asks the same of directories of all sizes, in turns: how long one call takes, one at a time.
func measureSizes(ctx context.Context, p plan, s *stage, r *report) error {
	for _, size := range p.sizes {
		name := sized(size)
		if err := s.directory(ctx, namespace, name, false); err != nil {
			return err
		}
		if err := s.people(ctx, name, size, size); err != nil {
			return err
		}
	}
	o, err := s.startOperator(ctx, "--controllers=false")
	if err != nil {
		return err
	}
	defer o.stop()
	ids := map[int][]string{}
	for _, size := range p.sizes {
		l, err := o.list(ctx, sized(size), "count=100&attributes=id")
		if err != nil {
			return err
		}
		for _, u := range l.Resources {
			ids[size] = append(ids[size], u.ID)
		}
	}
	get := func(path func(size int) string) func(context.Context, int, int) error {
		return func(ctx context.Context, size, _ int) error {
			_, err := o.ask(ctx, http.StatusOK, http.MethodGet, sized(size), path(size), nil)
			return err
		}
	}
	newcomers := map[int][]string{}
	for _, cost := range []struct {
		name, of string
		calls    int
		call     func(ctx context.Context, size, i int) error
		prepare  func(ctx context.Context, size, calls int) error
	}{
		{name: "GET by id", of: "users", calls: 400,
			call: get(func(size int) string { return "/Users/" + ids[size][pick(len(ids[size]))] })},
		{name: "userName eq", of: "users", calls: 400, call: get(func(size int) string {
			return "/Users?filter=" + url.QueryEscape(fmt.Sprintf("userName eq %q", userName(sized(size), pick(size))))
		})},
		{name: "page of 100 anywhere", of: "users", calls: 100, call: get(func(size int) string {
			return fmt.Sprintf("/Users?count=100&startIndex=%d", 1+pick(max(1, size-100)))
		})},
		{name: "one member more", of: "members", calls: 30,
			prepare: func(ctx context.Context, size, calls int) (err error) {
				newcomers[size], err = o.newcomers(ctx, sized(size), calls)
				return err
			},
			call: func(ctx context.Context, size, i int) error {
				return o.addMember(ctx, sized(size), s.groups[sized(size)], newcomers[size][i])
			}},
	} {
		c := curve{Name: cost.name, Unit: "ms", Of: cost.of, Points: make([]point, len(p.sizes))}
		for round := range p.rounds {
			for i := range p.sizes {
				if round%2 == 1 {
					i = len(p.sizes) - 1 - i // in both orders, so that what else the machine does hits all sizes
				}
				size := p.sizes[i]
				if cost.prepare != nil {
					if err := cost.prepare(ctx, size, cost.calls); err != nil {
						return err
					}
				}
				took := make([]float64, cost.calls)
				for j := range took {
					began := time.Now()
					if err := cost.call(ctx, size, j); err != nil {
						return err
					}
					took[j] = time.Since(began).Seconds() * 1000
				}
				c.Points[i].Size = size
				c.Points[i].Cost = append(c.Points[i].Cost, median(slices.Sorted(slices.Values(took))))
			}
		}
		r.Curves = append(r.Curves, c)
		fmt.Println(c)
	}
	return nil
}

// String is the curve in words.
func (c curve) String() string {
	words := make([]string, len(c.Points))
	for i, p := range c.Points {
		words[i] = fmt.Sprintf("%s %s at %d", readable(median(slices.Sorted(slices.Values(p.Cost)))), c.Unit, p.Size)
	}
	return c.Name + ": " + strings.Join(words, ", ")
}

// sized is the name of the directory, and of the people in it, of that size.
func sized(n int) string { return fmt.Sprintf("of-%d", n) }

// newcomers makes people who are in no group yet.
func (o *operator) newcomers(ctx context.Context, directory string, n int) ([]string, error) {
	ids := make([]string, n)
	for i := range ids {
		o.made++
		body, err := userResource(directory+"-newcomer", o.made)
		if err != nil {
			return nil, err
		}
		answer, err := o.ask(ctx, http.StatusCreated, http.MethodPost, directory, "/Users", body)
		if err != nil {
			return nil, err
		}
		var u struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(answer, &u); err != nil {
			return nil, err
		}
		ids[i] = u.ID
	}
	return ids, nil
}

func (o *operator) addMember(ctx context.Context, directory, group, id string) error {
	body := fmt.Appendf(nil, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],`+
		`"Operations":[{"op":"add","path":"members","value":[{"value":%q}]}]}`, id)
	_, err := o.ask(ctx, http.StatusNoContent, http.MethodPatch, directory, "/Groups/"+group, body)
	return err
}
