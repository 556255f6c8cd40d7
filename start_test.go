package main

import (
	"context"
	"errors"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// notedCache notes when it begins to read.
type notedCache struct {
	cache.Cache
	steps *[]string
}

func (c notedCache) Start(context.Context) error {
	*c.steps = append(*c.steps, "the controllers read")
	return nil
}

func TestControllersReadAfterTheServerAndInAnyCase(t *testing.T) {
	var steps []string
	c := &patientCache{notedCache{steps: &steps}, func(ctx context.Context) error {
		if _, bounded := ctx.Deadline(); !bounded {
			t.Error("the controllers could wait forever")
		}
		steps = append(steps, "the server reads")
		return errors.New("it took too long")
	}}
	if err := c.Start(t.Context()); err != nil {
		t.Error(err)
	}
	if len(steps) != 2 || steps[0] != "the server reads" {
		t.Errorf("steps %q", steps)
	}
}

type startedManager struct {
	manager.Manager
	start func(context.Context) error
}

func (m startedManager) Start(ctx context.Context) error { return m.start(ctx) }

func TestServerAndManagerEndTogether(t *testing.T) {
	untilDone := func(ctx context.Context) error {
		<-ctx.Done()
		return nil
	}
	failed := errors.New("failed")
	fails := func(context.Context) error { return failed }
	never := func(context.Context) error { select {} }
	for name, c := range map[string]struct{ manage, serve func(context.Context) error }{
		"the server fails": {untilDone, fails},
		"the manager fails, while a request is answered": {fails, never},
	} {
		ctx, end := context.WithCancel(t.Context())
		if err := runBeside(ctx, end, startedManager{start: c.manage}, c.serve); !errors.Is(err, failed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
