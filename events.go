package main

import (
	"context"
	"sync/atomic"

	"github.com/go-logr/logr"
	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
)

const (
	eventsPerSecond = 10
	eventsAtOnce    = 201 // those of a request that changes a group and a hundred of its members
	maxQueuedEvents = 3_000
)

// pacedEvents records Events at a pace that leaves the API server to the writes that they tell of. A mass import outruns them;
// then those that find no place in the queue are left out. The audit log leaves out none.
type pacedEvents struct {
	events.EventRecorder
	log     logr.Logger
	queue   chan func()
	leftOut atomic.Int64
}

func newPacedEvents(recorder events.EventRecorder, log logr.Logger) *pacedEvents {
	return &pacedEvents{EventRecorder: recorder, log: log, queue: make(chan func(), maxQueuedEvents)}
}

// Eventf implements events.EventRecorder. It never waits.
func (p *pacedEvents) Eventf(regarding, related runtime.Object, kind, reason, action, note string, args ...any) {
	select {
	case p.queue <- func() { p.EventRecorder.Eventf(regarding, related, kind, reason, action, note, args...) }:
	default:
		p.leftOut.Add(1)
	}
}

// Start implements manager.Runnable.
func (p *pacedEvents) Start(ctx context.Context) error {
	pace := rate.NewLimiter(eventsPerSecond, eventsAtOnce)
	for {
		select {
		case <-ctx.Done():
			return nil
		case record := <-p.queue:
			if pace.Wait(ctx) != nil {
				return nil
			}
			if n := p.leftOut.Swap(0); n > 0 {
				p.log.Info("There were more changes than events are written for; the audit log has all of them", "left out", n)
			}
			record()
		}
	}
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: every replica serves SCIM.
func (*pacedEvents) NeedLeaderElection() bool { return false }
