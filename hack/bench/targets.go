package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/openfga"
)

const (
	// crowded is the namespace of the people whom targets carry.
	crowded = "bench-targets"
	// bindingSize is how many subjects one RoleBinding has, with the operator and with the bare client.
	bindingSize = 1000
	model       = `{"schema_version":"1.1","type_definitions":[{"type":"user"},{"type":"organization","relations":{"member":{"this":{}}},
		"metadata":{"relations":{"member":{"directly_related_user_types":[{"type":"user"}]}}}}]}`
)

// carrier is a system to which a target carries people, and to which a bare client writes the same.
type carrier struct {
	name string
	// spec is that of an AppTarget for the turn; each turn has a place of its own in the system.
	spec func(turn int) v1alpha1.AppTargetSpec
	// count is how many people are in the operator's place of the turn, has whether a person is.
	count func(ctx context.Context, turn int) (int, error)
	has   func(ctx context.Context, turn, i int) (bool, error)
	// write does what the target does, in the bare client's place of the turn; remove takes one person away again.
	write  func(ctx context.Context, turn int, people []string) error
	remove func(ctx context.Context, turn, i int) error
}

// measureTargets compares carrying people into a system, from nothing, and taking one away, with a bare client that
// writes the same to the same system.
func measureTargets(ctx context.Context, p plan, s *stage, r *report) (err error) {
	people, err := s.crowd(ctx, p.carried)
	if err != nil {
		return err
	}
	server, err := openfga.Start(ctx, openfga.Options{Progress: os.Stderr})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	store, err := server.CreateStore(ctx, "bench")
	if err != nil {
		return err
	}
	if _, err := server.WriteModel(ctx, store, []byte(model)); err != nil {
		return err
	}
	o, err := s.startOperator(ctx, "--target-networks=127.0.0.0/8")
	if err != nil {
		return err
	}
	defer o.stop()
	for _, c := range []carrier{intoBindings(s.admin), intoTuples(server, store)} {
		if err := s.measureCarrier(ctx, p, c, people, r); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

func (s *stage) measureCarrier(ctx context.Context, p plan, c carrier, people []string, r *report) error {
	rounds := min(p.rounds, 3)
	push, err := inTurns(ctx, rounds, func(ctx context.Context, turn int) (float64, error) {
		t := &v1alpha1.AppTarget{ObjectMeta: metav1.ObjectMeta{Namespace: crowded, Name: targetName(c, turn)}, Spec: c.spec(turn)}
		t.Spec.Mode, t.Spec.DeletionPolicy = v1alpha1.TargetEnforce, v1alpha1.TargetOrphan
		began := time.Now()
		if err := s.admin.Create(ctx, t); err != nil {
			return 0, err
		}
		err := until(ctx, 10*time.Millisecond, func() (bool, error) {
			n, err := c.count(ctx, turn)
			return n == len(people), err
		})
		return time.Since(began).Seconds(), err
	}, func(ctx context.Context, turn int) (float64, error) {
		began := time.Now()
		err := c.write(ctx, turn, people)
		return time.Since(began).Seconds(), err
	})
	if err != nil {
		return err
	}
	r.add(figure{Name: fmt.Sprintf("%d people from nothing into %s", len(people), c.name), Unit: "s", PeerName: "bare client",
		comparison: push, Goal: 2})

	const leavers = 20
	// One system is left to follow, so that a turn measures one.
	for turn := range rounds - 1 {
		t := &v1alpha1.AppTarget{ObjectMeta: metav1.ObjectMeta{Namespace: crowded, Name: targetName(c, turn)}}
		if err := s.admin.Delete(ctx, t); err != nil {
			return err
		}
	}
	last := rounds - 1
	one, err := inTurns(ctx, p.rounds, func(ctx context.Context, turn int) (float64, error) {
		return perLeaver(leavers, func(i int) error {
			leaver := turn*leavers + i
			if err := s.setActive(ctx, people[leaver], false); err != nil {
				return err
			}
			return until(ctx, time.Millisecond, func() (bool, error) {
				has, err := c.has(ctx, last, leaver)
				return !has, err
			})
		})
	}, func(ctx context.Context, turn int) (float64, error) {
		return perLeaver(leavers, func(i int) error {
			leaver := turn*leavers + i
			if err := s.bareLeave(ctx, leaver); err != nil {
				return err
			}
			if err := c.remove(ctx, last, leaver); err != nil {
				return err
			}
			_, err := c.has(ctx, last, leaver)
			return err
		})
	})
	if err != nil {
		return err
	}
	if err := s.admin.Delete(ctx, &v1alpha1.AppTarget{ObjectMeta: metav1.ObjectMeta{Namespace: crowded, Name: targetName(c, last)}}); err != nil {
		return err
	}
	// The next system is to have everybody again.
	if _, err := perSecond(ctx, p.rounds*leavers, func(ctx context.Context, i int) error {
		return s.setActive(ctx, people[i], true)
	}); err != nil {
		return err
	}
	r.add(figure{Name: fmt.Sprintf("a leaver among %d until out of %s", len(people), c.name), Unit: "ms", PeerName: "bare client",
		comparison: one, Goal: 3})
	return nil
}

func targetName(c carrier, turn int) string { return fmt.Sprintf("%s-%d", c.name, turn) }

// perLeaver is the mean time in milliseconds.
func perLeaver(n int, leave func(i int) error) (float64, error) {
	began := time.Now()
	for i := range n {
		if err := leave(i); err != nil {
			return 0, err
		}
	}
	return time.Since(began).Seconds() * 1000 / float64(n), nil
}

func until(ctx context.Context, every time.Duration, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Minute)
	defer cancel()
	for {
		if is, err := done(); err != nil || is {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it did not come to pass: %w", ctx.Err())
		case <-time.After(every):
		}
	}
}

// crowd makes the people, all active members of one role, and returns their names.
func (s *stage) crowd(ctx context.Context, n int) ([]string, error) {
	role := &v1alpha1.AppRole{ObjectMeta: metav1.ObjectMeta{Namespace: crowded, Name: "member"}}
	for _, o := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: crowded}}, role,
		&rbacv1.ClusterRoleBinding{ // of the ServiceAccount as which the target acts
			ObjectMeta: metav1.ObjectMeta{Name: crowded},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: crowded, Name: "bench"}},
		},
	} {
		if err := s.admin.Create(ctx, o); err != nil {
			return nil, err
		}
	}
	people := make([]string, n)
	_, err := perSecond(ctx, n, func(ctx context.Context, i int) error {
		people[i] = personName(i)
		m := &v1alpha1.AppMembership{ObjectMeta: metav1.ObjectMeta{Namespace: crowded, Name: people[i]}}
		m.Spec.User.UserName, m.Spec.Active, m.Spec.Roles = people[i], true, []string{role.Name}
		return s.admin.Create(ctx, m)
	})
	return people, err
}

func personName(i int) string { return fmt.Sprintf("person-%06d", i) }

func (s *stage) setActive(ctx context.Context, name string, is bool) error {
	m := &v1alpha1.AppMembership{ObjectMeta: metav1.ObjectMeta{Namespace: crowded, Name: name}}
	return s.admin.Patch(ctx, m, client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"spec":{"active":%t}}`, is)))
}

// bareLeave changes an object that no operator follows as much as the leaving of a person does.
func (s *stage) bareLeave(ctx context.Context, i int) error {
	c := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: crowded, Name: "leaver"}, Data: map[string]string{"who": personName(i)}}
	err := s.admin.Create(ctx, c)
	if apierrors.IsAlreadyExists(err) {
		return s.admin.Patch(ctx, c, client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"data":{"who":%q}}`, personName(i))))
	}
	return err
}

// intoBindings writes RoleBindings to a ClusterRole that no other turn has.
func intoBindings(c client.Client) carrier {
	roleName := func(turn int) string { return fmt.Sprintf("bench-%d", turn) }
	subject := func(name string) rbacv1.Subject {
		return rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name}
	}
	ours := func(turn, part int) client.ObjectKey {
		key := client.ObjectKey{Namespace: crowded, Name: fmt.Sprintf("ours-%d", turn)}
		if part > 0 {
			key.Name += fmt.Sprintf("-%d", part+1)
		}
		return key
	}
	bare := func(turn, part int) client.ObjectKey {
		return client.ObjectKey{Namespace: crowded, Name: fmt.Sprintf("bare-%d-%d", turn, part)}
	}
	return carrier{
		name: "rolebindings",
		spec: func(turn int) v1alpha1.AppTargetSpec {
			return v1alpha1.AppTargetSpec{ServiceAccountName: "bench", KubernetesRBAC: &v1alpha1.KubernetesRBACTarget{
				Bindings: []v1alpha1.KubernetesBinding{{Role: "member", Name: ours(turn, 0).Name,
					RoleRef: v1alpha1.KubernetesRoleReference{Kind: "ClusterRole", Name: roleName(turn)}}},
			}}
		},
		count: func(ctx context.Context, turn int) (int, error) {
			var list rbacv1.RoleBindingList
			err := c.List(ctx, &list, client.InNamespace(crowded), client.MatchingLabels{v1alpha1.TargetLabel: fmt.Sprintf("rolebindings-%d", turn)})
			n := 0
			for _, b := range list.Items {
				n += len(b.Subjects)
			}
			return n, err
		},
		has: func(ctx context.Context, turn, i int) (bool, error) {
			var b rbacv1.RoleBinding
			err := c.Get(ctx, ours(turn, i/bindingSize), &b)
			return slices.Contains(b.Subjects, subject(personName(i))), err
		},
		write: func(ctx context.Context, turn int, people []string) error {
			for part := 0; part*bindingSize < len(people); part++ {
				key := bare(turn, part)
				b := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
				b.RoleRef = rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: roleName(turn)}
				for _, name := range people[part*bindingSize : min((part+1)*bindingSize, len(people))] {
					b.Subjects = append(b.Subjects, subject(name))
				}
				if err := c.Create(ctx, b); err != nil {
					return err
				}
			}
			return nil
		},
		remove: func(ctx context.Context, turn, i int) error {
			var b rbacv1.RoleBinding
			if err := c.Get(ctx, bare(turn, i/bindingSize), &b); err != nil {
				return err
			}
			b.Subjects = slices.DeleteFunc(b.Subjects, func(s rbacv1.Subject) bool { return s.Name == personName(i) })
			return c.Update(ctx, &b)
		},
	}
}

// intoTuples writes tuples of an object that no other turn has.
func intoTuples(server *openfga.Server, store string) carrier {
	object := func(side string, turn int) string { return fmt.Sprintf("organization:%s-%d", side, turn) }
	tuple := func(side string, turn int, person string) openfga.Tuple {
		return openfga.Tuple{User: "user:" + person, Relation: "member", Object: object(side, turn)}
	}
	return carrier{
		name: "openfga",
		spec: func(turn int) v1alpha1.AppTargetSpec {
			return v1alpha1.AppTargetSpec{OpenFGA: &v1alpha1.OpenFGATarget{
				URL: server.URL, StoreID: store,
				Tuples: []v1alpha1.OpenFGATuple{{Role: "member", Relation: "member", Object: object("ours", turn)}},
			}}
		},
		count: func(ctx context.Context, turn int) (int, error) {
			tuples, err := server.Read(ctx, store, openfga.Tuple{Relation: "member", Object: object("ours", turn)})
			return len(tuples), err
		},
		has: func(ctx context.Context, turn, i int) (bool, error) {
			return server.Check(ctx, store, "user:"+personName(i), "member", object("ours", turn))
		},
		write: func(ctx context.Context, turn int, people []string) error {
			tuples := make([]openfga.Tuple, len(people))
			for i, name := range people {
				tuples[i] = tuple("bare", turn, name)
			}
			return server.Write(ctx, store, tuples...)
		},
		remove: func(ctx context.Context, turn, i int) error {
			return server.Delete(ctx, store, tuple("bare", turn, personName(i)))
		},
	}
}
