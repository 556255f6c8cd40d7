package main

import (
	"context"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// headStart bounds for how long the controllers let the SCIM server read first: whatever keeps it from being ready must not
// keep them from taking access away.
const headStart = time.Minute

// patientCache is the controllers' cache. It begins to read when the SCIM server has read everything: both read all people,
// and those who wait for an answer at a start are the server's clients.
type patientCache struct {
	cache.Cache
	// first returns when the cache may begin, or with an error when ctx ends before.
	first func(ctx context.Context) error
}

func (c *patientCache) Start(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, headStart)
	_ = c.first(waiting) // if it takes longer they read at the same time
	cancel()
	return c.Cache.Start(ctx)
}

// readingAfter makes caches that begin to read after first.
func readingAfter(first func(ctx context.Context) error) cache.NewCacheFunc {
	return func(config *rest.Config, o cache.Options) (cache.Cache, error) {
		c, err := cache.New(config, o)
		return &patientCache{c, first}, err
	}
}

// untilEnd has what waits return when the process is to end, too: a manager ends what it starts only after all has started.
func untilEnd(end context.Context, wait func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(end, cancel)()
		return wait(ctx)
	}
}

// runBeside runs the SCIM server beside the manager, which starts what it is given only after its caches have read
// everything. When one of the two ends so does the other. An error of the manager is returned at once: it may say that
// another replica leads, and then nothing that the controllers have under way must go on. end cancels ctx.
func runBeside(ctx context.Context, end context.CancelFunc, mgr manager.Manager, serve func(context.Context) error) error {
	defer end()
	served := make(chan error, 1)
	go func() {
		defer end()
		served <- serve(ctx)
	}()
	if err := mgr.Start(ctx); err != nil {
		return err
	}
	return <-served
}
