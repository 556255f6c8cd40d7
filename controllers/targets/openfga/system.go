package openfga

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

// Observe reads who has the relations of the spec, and those that only the record still knows.
func (s *system) Observe(ctx context.Context) (*targets.Observation, error) {
	if err := s.store.find(ctx); err != nil {
		return nil, err
	}
	o := targets.NewObservation()
	if err := s.checkModel(ctx, o); err != nil {
		return nil, err
	}
	recorded := s.recorded()
	for _, r := range s.places(recorded) {
		users, err := s.store.read(ctx, r)
		if no, is := errors.AsType[*rejection](err); is {
			o.Blocked[r.String()] = targets.Obstacle{Reason: v1alpha1.ReasonTargetRefused, Message: fmt.Sprintf(
				"OpenFGA refuses to read who has %s: %s", r, no.code)}
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, user := range users {
			g := targets.Grant{Subject: user, Entitlement: r.String()}
			if recorded.Has(g) {
				o.Ours.Add(g)
			} else {
				o.Others.Add(g)
			}
		}
	}
	for g := range recorded {
		if !o.Ours.Has(g) {
			o.Unseen.Add(g) // its write may be on its way still, sent by an operator that was killed
		}
	}
	s.others = o.Others
	return o, nil
}

// recorded is all that is on record.
func (s *system) recorded() targets.Grants {
	all := targets.Grants{}
	for entry := range s.ledger.Entries() {
		for _, entitlement := range entry.Grants {
			all.Add(targets.Grant{Subject: entry.Subject, Entitlement: entitlement})
		}
	}
	return all
}

// places are all relations that matter, in order.
func (s *system) places(recorded targets.Grants) []relation {
	all := map[string]relation{}
	for _, r := range s.relations {
		all[r.String()] = r
	}
	for g := range recorded {
		if r, ok := parseRelation(g.Entitlement); ok {
			all[g.Entitlement] = r
		}
	}
	places := make([]relation, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		places = append(places, all[name])
	}
	return places
}

// checkModel finds the relations of the spec that the model does not give to people. Their tuples can be deleted all the
// same: OpenFGA looks at the model only when it writes.
func (s *system) checkModel(ctx context.Context, o *targets.Observation) error {
	m, err := s.store.model(ctx, s.spec.AuthorizationModelID)
	no, is := errors.AsType[*rejection](err)
	missing := is && no.ofModel()
	if err != nil && !missing {
		return err
	}
	for _, r := range s.relations {
		var objection string
		switch {
		case !missing:
			objection = m.objection(r, s.userType)
		case s.spec.AuthorizationModelID != "":
			objection = fmt.Sprintf("the store has no authorization model %s", s.spec.AuthorizationModelID)
		default:
			objection = "the store has no authorization model: write one"
		}
		if objection != "" {
			o.Blocked[r.String()] = targets.Obstacle{
				Reason: v1alpha1.ReasonInvalidSpec, Message: "tuples: " + objection, Revocable: true,
			}
		}
	}
	return nil
}

// Revoke deletes tuples that are on record, and then takes them off it.
func (s *system) Revoke(ctx context.Context, grants []targets.Grant) ([]targets.Grant, error) {
	var ours, done []targets.Grant
	for _, g := range grants {
		if s.ledger.Has(g) {
			ours = append(ours, g)
		} else {
			done = append(done, g) // nothing of it is ours
		}
	}
	deleted, rejected, err := apart(ours, func(part []targets.Grant) error { return s.store.delete(ctx, part) })
	if unrecorded := s.ledger.Release(ctx, deleted); err == nil {
		err = unrecorded
	}
	if err == nil {
		err = rejected.asError("delete")
	}
	return append(done, deleted...), err
}

// Grant puts tuples on record, and then writes those that are not there.
func (s *system) Grant(ctx context.Context, grants []targets.Grant) ([]targets.Grant, error) {
	var known, missing, done []targets.Grant
	for _, g := range grants {
		if s.ledger.Has(g) {
			known = append(known, g)
		}
		if s.others.Has(g) {
			done = append(done, g) // adopted as it is
		} else {
			missing = append(missing, g)
		}
	}
	if err := s.ledger.Claim(ctx, grants); err != nil {
		return nil, err
	}
	written, rejected, err := apart(missing, func(part []targets.Grant) error {
		return s.store.write(ctx, s.spec.AuthorizationModelID, part)
	})
	done = append(done, written...)
	var foreign []targets.Grant
	rejected, there := rejected.split()
	for _, g := range there {
		done = append(done, g)
		if !slices.Contains(known, g) {
			foreign = append(foreign, g) // others were faster, just now
		}
	}
	if unrecorded := s.ledger.Release(ctx, append(foreign, rejected.grants()...)); err == nil {
		err = unrecorded
	}
	if err == nil {
		err = rejected.asError("write")
	}
	return done, err
}
