package openshiftgroups

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

// ledgerGroup is what the record of a target holds about the name of each Group that it has ever made, so that what it gave
// is found after the role or the spec that the name came from is gone.
const ledgerGroup = "group"

func onRecord(name string) targets.Grant {
	return targets.Grant{Subject: name, Entitlement: ledgerGroup}
}

// Observe reads the Groups of the roles that the target carries, and of those that it has carried.
func (s *system) Observe(ctx context.Context) (*targets.Observation, error) {
	o := targets.NewObservation()
	s.groups = map[string]*group{}
	for _, name := range s.known() {
		g, err := s.read(ctx, name)
		switch {
		case targets.IsRefused(err):
			o.Blocked[entitlementOf(name)] = targets.Obstacle{Reason: v1alpha1.ReasonTargetRefused, Message: err.Error()}
		case err != nil:
			return nil, err
		case g.exists():
			s.sort(o, name, g)
		}
	}
	return o, nil
}

// known are the names of all Groups that matter, in order.
func (s *system) known() []string {
	names := maps.Clone(s.carried)
	for e := range s.ledger.Entries() {
		names[e.Subject] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// sort says of a Group that is there whose it is.
func (s *system) sort(o *targets.Observation, name string, g *group) {
	ours := targets.Owns(s.target, g.object)
	taken := !ours && s.carried[name] // a name that is no longer wanted may be anybody's
	if ours || taken && s.target.Spec.Adopt {
		s.groups[name] = g
	}
	for _, user := range g.users {
		grant := targets.Grant{Subject: user, Entitlement: entitlementOf(name)}
		switch {
		case ours:
			o.Ours.Add(grant)
		case taken && s.target.Spec.Adopt:
			o.Adopt(grant, s.wanted)
		case taken:
			o.Others.Add(grant)
		}
	}
	if taken && !s.target.Spec.Adopt {
		o.Blocked[entitlementOf(name)] = targets.Obstacle{Reason: v1alpha1.ReasonNotOurs, Message: fmt.Sprintf(
			"%s was made by others: set adopt: true to take it over, or give the Group of the role another name in groups", g)}
	}
}

var errUnserved = errors.New("the cluster does not serve Groups of user.openshift.io/v1: it is not OpenShift, or the API server " +
	"of OpenShift is down")

// read reads a Group; one that does not exist has no resource version.
func (s *system) read(ctx context.Context, name string) (*group, error) {
	g := newGroup(name)
	err := s.client.Get(ctx, client.ObjectKey{Name: name}, g.object)
	switch {
	case meta.IsNoMatchError(err), apierrors.IsNotFound(err) && apierrors.IsUnexpectedServerError(err):
		return nil, errUnserved // which must not look as if there was no such Group
	case apierrors.IsNotFound(err):
		return newGroup(name), nil
	case err != nil:
		return nil, targets.KubernetesError(err, "read "+g.String())
	default:
		return g, g.take()
	}
}

// Revoke takes people out of Groups, and deletes those that nobody is left in.
func (s *system) Revoke(ctx context.Context, grants []targets.Grant) ([]targets.Grant, error) {
	return targets.ByEntitlement(grants, func(e string, subjects []string) error {
		g := s.groups[groupIn(e)]
		if g == nil {
			return nil
		}
		return s.change(ctx, g, g.without(subjects))
	})
}

// Grant puts people into Groups, and makes those that are missing.
func (s *system) Grant(ctx context.Context, grants []targets.Grant) ([]targets.Grant, error) {
	places := make([]targets.Grant, 0, len(grants))
	for _, g := range grants {
		places = append(places, onRecord(groupIn(g.Entitlement)))
	}
	if err := s.ledger.Claim(ctx, places); err != nil {
		return nil, err
	}
	return targets.ByEntitlement(grants, func(e string, subjects []string) error {
		g := s.groups[groupIn(e)]
		if g == nil {
			g = newGroup(groupIn(e))
		}
		return s.change(ctx, g, g.with(subjects))
	})
}

// change gives a Group other users, if it is still as it was read; one without users is not kept.
func (s *system) change(ctx context.Context, g *group, users []string) error {
	if slices.Equal(users, g.users) && targets.Owns(s.target, g.object) {
		return nil
	}
	next, err := g.having(users)
	if err != nil {
		return err
	}
	if err := targets.Keep(ctx, s.client, s.target, next.object, len(users) == 0, g.String()); err != nil {
		return err
	}
	name := g.object.GetName()
	if len(users) > 0 {
		s.groups[name] = next
		return nil
	}
	delete(s.groups, name)
	return s.ledger.Release(ctx, []targets.Grant{onRecord(name)})
}
