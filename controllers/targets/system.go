package targets

import (
	"context"

	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// Kind is one kind of system.
type Kind struct {
	// Name is the field of the AppTarget's spec.
	Name string
	// StepSize is how many changes are carried out between two looks at what is wanted, so that a removal that comes in the
	// middle of a large push waits for one step at most.
	StepSize int
	// Open makes a System of an AppTarget whose field of that name is set. It connects to nothing; what the spec says wrong
	// is an Invalid.
	Open func(context.Context, Environment) (System, error)
}

// System is one system where access takes effect, as one AppTarget sees it. Its methods are called by one goroutine at a
// time. An error is Refused or Invalid where the AppTarget's owner can mend it; any other means that the system is down.
type System interface {
	// Want says what people are to have there. It is a function of its arguments and the AppTarget alone, but a system may
	// keep them for what comes next: it is called before Observe.
	Want(people []Person, roles []Role) Wanted
	// Observe reads what is there.
	Observe(context.Context) (*Observation, error)
	// Revoke takes grants away, Grant makes them; each returns those that it carried out, also with an error. A grant that is
	// gone already, or there already, counts as carried out.
	Revoke(context.Context, []Grant) ([]Grant, error)
	Grant(context.Context, []Grant) ([]Grant, error)
}

// Settler is a System that has something to do even when nothing is to be changed.
type Settler interface {
	System
	// Unsettled says whether there is something to do, by what the system has last seen.
	Unsettled() bool
	// Settle does one thing, so short that a removal can wait for it. It is called while nothing is to be changed.
	Settle(context.Context) error
}

// Person is an AppMembership, as far as it matters to systems.
type Person struct {
	// ID is the name of the AppMembership.
	ID string
	// Directory is the name of the ScimDirectory that provisions the person; empty for a local member.
	Directory                                string
	UserName, Email, DisplayName, ExternalID string
	Active                                   bool
	// Roles are the names of the roles that the target carries, sorted.
	Roles []string
}

// Role is an AppRole that the target carries.
type Role struct {
	Name, DisplayName string
}

// Wanted is what people are to have in a system.
type Wanted struct {
	Grants Grants
	// LeftOut counts the people who have a role that the system cannot take; Why names the cause for one of them, without
	// their name.
	LeftOut int
	Why     string
}

// Observation is what is there in a system.
type Observation struct {
	// Ours are the grants that this target made, Others those that others made. Others may lack what nobody wants.
	Ours, Others Grants
	// Unseen are grants on record that the system does not show. They are made again where they are wanted, and else taken
	// back, because what is not shown may be there all the same.
	Unseen Grants
	// Missing says why nothing can be granted to a subject yet, such as a person who has never signed in; empty if it can.
	// A nil Missing knows everybody.
	Missing func(subject string) string
	// Blocked says of entitlements that cannot be read or written what stands in the way.
	Blocked map[string]Obstacle
	// Conditions are what else there is to say.
	Conditions []Condition
}

// NewObservation has nothing in it.
func NewObservation() *Observation {
	return &Observation{Ours: Grants{}, Others: Grants{}, Unseen: Grants{}, Blocked: map[string]Obstacle{}}
}

// Adopt notes a grant that others made in a place which the target takes over. If it is wanted, it is made once more, so that
// the place is marked as the target's, and the target held until it has taken back what is there; else it is taken back.
func (o *Observation) Adopt(g Grant, wanted Grants) {
	if wanted.Has(g) {
		o.Others.Add(g)
	} else {
		o.Ours.Add(g)
	}
}

// Obstacle is what keeps grants from being made.
type Obstacle struct {
	// Reason is v1alpha1.ReasonNotOurs, v1alpha1.ReasonTargetRefused or v1alpha1.ReasonInvalidSpec.
	Reason string
	// Message names it and the mend.
	Message string
	// Revocable says that grants can be seen and taken back all the same.
	Revocable bool
}

// Condition is one further condition of an AppTarget.
type Condition struct {
	Type    string
	True    bool
	Reason  string
	Message string
}

// Environment is what a System may use.
type Environment struct {
	// Target is the AppTarget. It must not be changed.
	Target *v1alpha1.AppTarget
	// Kubernetes acts as the target's ServiceAccount; it is nil for kinds without one.
	Kubernetes client.Client
	// Secret reads one of the AppTarget's Secrets. A Secret that is missing, or of another type, is an Invalid.
	Secret func(ctx context.Context, name string) (map[string][]byte, error)
	// Egress makes HTTP calls.
	Egress *Egress
	// Ledger is the target's record of what it gave.
	Ledger *Ledger
	// Clock tells the time.
	Clock clock.PassiveClock
}
