package controllers

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

// Options are what the controllers cannot find out by themselves.
type Options struct {
	// ExternalURL is where identity providers reach the SCIM server, without a path: https://scim.example.com.
	ExternalURL string
	// Clock tells the time. Default: the real one.
	Clock clock.PassiveClock
	// SweepDelay is how old the slices of an epoch that no group names must be before they are deleted; longer than any
	// write of the SCIM server takes. Default: ten minutes.
	SweepDelay time.Duration
	// HandOverGrace is how long a directory that gives up the primary keeps it while no other directory asks for it, so
	// that clearing the flag on one directory and then setting it on another takes nobody's access away in between.
	// Default: five seconds.
	HandOverGrace time.Duration
	// TargetNetworks are the networks, beside public addresses, that AppTargets may call.
	TargetNetworks []netip.Prefix
	// TargetInterval is how often each AppTarget's system is read for what others changed. Default: 30 seconds.
	TargetInterval time.Duration
	// Events takes the events that tell of roles granted, of which an import brings many. Default: the manager's recorder, as
	// for all others.
	Events events.EventRecorder
	// Audit receives a record for every change of a person's roles. Default: none are written.
	Audit *slog.Logger
	// Registerer takes the metrics. Default: there are none.
	Registerer prometheus.Registerer
	// TracerProvider makes the spans of what follows from traced requests, and is to record all of them: whether a request is
	// traced is decided already. Default: there are none.
	TracerProvider trace.TracerProvider
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Audit == nil {
		o.Audit = slog.New(slog.DiscardHandler)
	}
	o.SweepDelay = cmp.Or(o.SweepDelay, 10*time.Minute)
	o.HandOverGrace = cmp.Or(o.HandOverGrace, 5*time.Second)
	o.TargetInterval = cmp.Or(o.TargetInterval, 30*time.Second)
	return o
}

// SetupWithManager registers the indexes and all controllers with the manager, whose cache must have been made with
// CacheOptions. It returns an error when the manager refuses one, such as when its scheme lacks a kind.
func SetupWithManager(mgr manager.Manager, o Options) error {
	o = o.withDefaults()
	if err := registerIndexes(mgr); err != nil {
		return err
	}
	kube := kube{Client: mgr.GetClient(), live: mgr.GetAPIReader(), clock: o.Clock}
	recorder := fittingNotes{mgr.GetEventRecorder(v1alpha1.FieldManager)}
	kube.access = accessReporter{events: recorder, granted: recorder, audit: o.Audit}
	if o.Events != nil {
		kube.access.granted = fittingNotes{o.Events}
	}
	gate := newGate(kube)
	ofTargets := newTargetMetrics(mgr.GetCache(), o.Clock)
	if o.Registerer != nil {
		if err := o.Registerer.Register(heldChanges{mgr.GetCache()}); err != nil {
			return fmt.Errorf("register the metric of what safeguards hold: %w", err)
		}
		if err := o.Registerer.Register(tokenExpiries{mgr.GetCache()}); err != nil {
			return fmt.Errorf("register the metric of tokens' expiry: %w", err)
		}
		if err := o.Registerer.Register(ofTargets); err != nil {
			return fmt.Errorf("register the metrics of targets: %w", err)
		}
	}
	for _, c := range []interface{ setup(manager.Manager) error }{
		&directoryReconciler{kube: kube, gate: gate, events: recorder, externalURL: o.ExternalURL, grace: o.HandOverGrace},
		&countsReconciler{kube: kube, written: map[types.NamespacedName]types.UID{}},
		&groupReconciler{kube: kube, events: recorder, sweepDelay: o.SweepDelay},
		&roleMirrorReconciler{kube: kube},
		&roleReconciler{kube: kube},
		&membershipReconciler{kube: kube, gate: gate, causes: newCauses("membership", "scim.resource", o.TracerProvider)},
		&safeguardReconciler{kube: kube, gate: gate, events: recorder},
		&localMemberReconciler{kube: kube},
		&memberMirrorReconciler{kube: kube},
		&tombstoneReconciler{kube: kube},
		&targetReconciler{
			kube: kube, events: recorder, metrics: ofTargets, config: mgr.GetConfig(),
			egress: targets.NewEgress(o.TargetNetworks), interval: o.TargetInterval,
			causes: newCauses("target", "scim.target", o.TracerProvider),
		},
	} {
		if err := c.setup(mgr); err != nil {
			return fmt.Errorf("set up %T: %w", c, err)
		}
	}
	return nil
}

// workers are the options of a controller with that many workers, which retries after a minute at the latest.
func workers(n int) controller.Options {
	return controller.Options{
		MaxConcurrentReconciles: n,
		RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](
			10*time.Millisecond, time.Minute),
	}
}
