package argocd

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

// observed is what was last seen of the ConfigMap.
type observed struct {
	uid    types.UID
	policy policy
	// others is how many bytes the other keys have.
	others int
	// contested says that somebody else owns the key, too, or instead, and that it is to be taken from them.
	contested bool
}

// configMap is the ConfigMap in words.
func (s *system) configMap() string { return "ConfigMap " + s.place.String() }

// onRecord is what the record of a target holds while it has the key. Field managers do not tell: somebody who edits the key
// becomes its only owner.
func (s *system) onRecord() targets.Grant {
	return targets.Grant{Subject: s.place.String(), Entitlement: s.key}
}

// Observe reads the ConfigMap.
func (s *system) Observe(ctx context.Context) (*targets.Observation, error) {
	o := targets.NewObservation()
	s.seen = observed{policy: policy{}}
	var cm corev1.ConfigMap
	err := s.client.Get(ctx, s.place, &cm)
	switch {
	case apierrors.IsNotFound(err) && !s.target.DeletionTimestamp.IsZero():
		return o, nil // with the ConfigMap, all that the target gave is gone
	case apierrors.IsNotFound(err):
		return nil, targets.Invalidate("there is no %s: Argo CD is not installed in that namespace; install it, or make an AppTarget "+
			"whose argoCD.namespace is where it is", s.configMap())
	case err != nil:
		return nil, targets.KubernetesError(err, "read "+s.configMap())
	}
	o.Conditions = append(o.Conditions, scopesMatch(s.configMap(), s.claim, cm.Data))
	s.seen.uid, s.seen.others = cm.UID, bytesBeside(&cm, s.key)
	if text, there := cm.Data[s.key]; there {
		s.look(o, parse(text), ownersOf(&cm, s.key))
	}
	return o, nil
}

func bytesBeside(cm *corev1.ConfigMap, key string) int {
	n := -len(cm.Data[key])
	for _, value := range cm.Data {
		n += len(value)
	}
	for _, value := range cm.BinaryData {
		n += len(value)
	}
	return n
}

// look says of the policy that is there whose it is.
func (s *system) look(o *targets.Observation, p policy, by owners) {
	manager := targets.FieldManager(s.target)
	others := by.others(manager)
	held := by.heldBy(manager, s.ledger.Has(s.onRecord()))
	s.seen.policy, s.seen.contested = p, len(others) > 0
	for g := range p {
		switch {
		case held:
			o.Ours.Add(g)
		case s.target.Spec.Adopt:
			o.Adopt(g, s.wanted)
		default:
			o.Others.Add(g)
		}
	}
	if held || s.target.Spec.Adopt {
		return
	}
	obstacle := targets.Obstacle{Reason: v1alpha1.ReasonNotOurs, Message: fmt.Sprintf(
		"the key %s in %s was made by others (field manager %s): set adopt: true to take it over, or remove it there",
		s.key, s.configMap(), strings.Join(others, ", "))}
	for _, r := range s.roles {
		o.Blocked[r.ArgoCDRole] = obstacle
	}
}

// Revoke takes lines off the policy.
func (s *system) Revoke(ctx context.Context, grants []targets.Grant) ([]targets.Grant, error) {
	if err := s.write(ctx, s.seen.policy.without(grants)); err != nil {
		return nil, err
	}
	return grants, nil
}

// Grant puts lines into the policy, as many as the ConfigMap has room for.
func (s *system) Grant(ctx context.Context, grants []targets.Grant) ([]targets.Grant, error) {
	next, fit := s.seen.policy.with(grants, corev1.MaxSecretSize-s.seen.others)
	if len(fit) > 0 {
		if err := s.write(ctx, next); err != nil {
			return nil, err
		}
	}
	if len(fit) < len(grants) {
		return fit, targets.Refuse("%s is full: of this target %d grants fit beside %d KiB that others have there, of 1024 in all; "+
			"carry fewer roles by this target (roles), or give the roles of Argo CD to groups that it knows from the tokens",
			s.configMap(), len(next), s.seen.others>>10)
	}
	return fit, nil
}

// write makes the key hold a policy. One without lines has no key.
func (s *system) write(ctx context.Context, next policy) error {
	text := next.String()
	if text != "" || s.seen.contested {
		// To let go of a key that is also others' leaves it there, so that it is taken from them before.
		if err := s.apply(ctx, corev1ac.ConfigMap(s.place.Name, s.place.Namespace).WithData(map[string]string{s.key: text})); err != nil {
			return err
		}
	}
	if text == "" {
		without := corev1ac.ConfigMap(s.place.Name, s.place.Namespace)
		if err := s.apply(ctx, without); err != nil {
			return err
		}
		if _, still := without.Data[s.key]; still {
			return s.changedMeanwhile()
		}
	}
	s.seen.policy, s.seen.contested = next, false
	record := []targets.Grant{s.onRecord()}
	if text == "" {
		return s.ledger.Release(ctx, record)
	}
	return s.ledger.Claim(ctx, record)
}

// apply applies what the target has in the ConfigMap that was seen: the UID keeps one that was deleted from being made anew,
// while other keys may change at any time.
func (s *system) apply(ctx context.Context, cm *corev1ac.ConfigMapApplyConfiguration) error {
	options := []client.ApplyOption{client.FieldOwner(targets.FieldManager(s.target))}
	if s.seen.contested {
		options = append(options, client.ForceOwnership)
	}
	err := s.client.Apply(ctx, cm.WithUID(s.seen.uid), options...)
	if apierrors.IsConflict(err) {
		return s.changedMeanwhile()
	}
	return targets.KubernetesError(err, "apply the key "+s.key+" of "+s.configMap())
}

func (s *system) changedMeanwhile() error {
	return fmt.Errorf("%s was changed by others at the same time", s.configMap())
}
