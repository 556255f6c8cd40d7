package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	acmetav1 "k8s.io/client-go/applyconfigurations/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ac "github.com/scim-operator/scim-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

const (
	// pushing is the namespace of the people whom groups are pushed with, and the name of their directory.
	pushing = "bench-push"
	// bareManager is the field manager of the bare client.
	bareManager = "bench"
)

// team are people who are given roles: by the operator, and by a bare client that makes the same applies for copies of
// them.
type team struct {
	*stage
	people []*v1alpha1.ScimUser
	// ours and bare follow what the AppMemberships say.
	ours, bare *follower
}

// gather makes the people and waits until the operator has made each a member.
func (s *stage) gather(ctx context.Context, o *operator, n int) (*team, error) {
	t := &team{stage: s, people: make([]*v1alpha1.ScimUser, n)}
	if err := s.admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: pushing}}); err != nil {
		return nil, err
	}
	if err := s.directory(ctx, pushing, pushing, true); err != nil {
		return nil, err
	}
	var err error
	if t.ours, err = follow(ctx, s.admin); err != nil {
		return nil, err
	}
	if t.bare, err = follow(ctx, s.bare); err != nil {
		return nil, err
	}
	if _, err := perSecond(ctx, n, func(ctx context.Context, i int) error {
		u := userObject(pushing, i)
		u.Namespace = pushing
		t.people[i] = u
		if err := s.bare.Create(ctx, u.DeepCopy()); err != nil {
			return err
		}
		if err := s.admin.Create(ctx, u); err != nil {
			return err
		}
		return s.applyBare(ctx, u, nil)
	}); err != nil {
		return nil, err
	}
	if err := t.ours.until(ctx, func(f *follower) bool { return len(f.members) == n }); err != nil {
		return nil, err
	}
	return t, o.untilIdle(ctx, n)
}

// push makes a role, and pushes a group that grants it to everybody.
func (t *team) push(ctx context.Context, o *operator, role string) error {
	r := &v1alpha1.AppRole{ObjectMeta: metav1.ObjectMeta{Namespace: pushing, Name: role}}
	r.Spec.GrantedTo = []v1alpha1.GroupSelector{{DisplayName: role}}
	if err := t.admin.Create(ctx, r); err != nil {
		return err
	}
	type member struct {
		Value string `json:"value"`
	}
	members := make([]member, len(t.people))
	for i, p := range t.people {
		members[i].Value = p.Name
	}
	body, err := json.Marshal(map[string]any{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "displayName": role, "members": members,
	})
	if err != nil {
		return err
	}
	_, err = o.askIn(ctx, pushing, http.StatusCreated, http.MethodPost, pushing, "/Groups", body)
	return err
}

// setActive tells through SCIM whether a person is active.
func (t *team) setActive(ctx context.Context, o *operator, i int, is bool) error {
	body := fmt.Appendf(nil, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],`+
		`"Operations":[{"op":"replace","path":"active","value":%t}]}`, is)
	_, err := o.askIn(ctx, pushing, http.StatusOK, http.MethodPatch, pushing, "/Users/"+t.people[i].Name, body)
	return err
}

// applyBare gives a copy of the person roles with the applies that the operator makes: the member, what the member's status
// says of it, and what the user's status does.
func (s *stage) applyBare(ctx context.Context, u *v1alpha1.ScimUser, roles []string) error {
	directory := u.Spec.DirectoryRef.Name
	ready := acmetav1.Condition().WithType(v1alpha1.ConditionReady).WithStatus(metav1.ConditionTrue).
		WithReason(v1alpha1.ReasonProvisioned).WithObservedGeneration(1).WithLastTransitionTime(u.CreationTimestamp).
		WithMessage("ScimDirectory " + directory + " provisions this member")
	m := ac.AppMembership(u.Name, u.Namespace).WithAPIVersion(bareGroup.String()).WithSpec(ac.AppMembershipSpec().
		WithUser(ac.MemberIdentity().WithUserName(u.Spec.UserName).WithEmail(u.Spec.PrimaryEmail()).
			WithDisplayName(u.Spec.DisplayName).WithExternalID(u.Spec.ExternalID)).
		WithActive(true).WithRoles(roles...).
		WithUserRef(ac.UserReference().WithDirectory(directory).WithName(u.Name)))
	if err := s.bare.Apply(ctx, m, client.FieldOwner(bareManager), client.ForceOwnership); err != nil {
		return err
	}
	status := ac.AppMembershipStatus().WithObservedGeneration(1).WithManagedBy(directory).WithConditions(ready)
	for _, role := range roles {
		status.WithGrants(ac.RoleGrant().WithRole(role).WithGroups(u.Name))
	}
	if err := s.bare.Status().Apply(ctx,
		ac.AppMembership(u.Name, u.Namespace).WithAPIVersion(bareGroup.String()).WithStatus(status),
		client.FieldOwner(bareManager), client.ForceOwnership); err != nil {
		return err
	}
	return s.bare.Status().Apply(ctx,
		ac.ScimUser(u.Name, u.Namespace).WithAPIVersion(bareGroup.String()).WithStatus(ac.ScimUserStatus().
			WithObservedGeneration(1).WithRoles(roles...).WithConditions(ready).WithProvisionedTime(u.CreationTimestamp)),
		client.FieldOwner(bareManager), client.ForceOwnership)
}

// follower knows by a watch what the AppMemberships of the team say.
type follower struct {
	client  client.WithWatch
	mu      sync.Mutex
	changed chan struct{}
	members map[string]v1alpha1.AppMembershipSpec
	// holders are how many have each role.
	holders map[string]int
}

func follow(ctx context.Context, c client.WithWatch) (*follower, error) {
	f := &follower{client: c, changed: make(chan struct{}, 1), members: map[string]v1alpha1.AppMembershipSpec{}, holders: map[string]int{}}
	w, err := f.watch(ctx)
	if err != nil {
		return nil, err
	}
	go func() {
		for err == nil {
			for event := range w.ResultChan() {
				if m, ok := event.Object.(*v1alpha1.AppMembership); ok {
					f.note(m)
				}
			}
			// The API server drops who cannot keep up. A new watch begins with all that there is.
			w, err = f.watch(ctx)
		}
	}()
	return f, nil
}

func (f *follower) watch(ctx context.Context) (watch.Interface, error) {
	return f.client.Watch(ctx, &v1alpha1.AppMembershipList{}, client.InNamespace(pushing))
}

func (f *follower) note(m *v1alpha1.AppMembership) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, role := range f.members[m.Name].Roles {
		f.holders[role]--
	}
	for _, role := range m.Spec.Roles {
		f.holders[role]++
	}
	f.members[m.Name] = m.Spec
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

// until waits for what the members say to be so. One at a time may wait.
func (f *follower) until(ctx context.Context, is func(*follower) bool) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Minute)
	defer cancel()
	holds := func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return is(f)
	}
	for !holds() {
		select {
		case <-f.changed:
		case <-ctx.Done():
			return fmt.Errorf("the members never said what was waited for: %w", ctx.Err())
		}
	}
	return nil
}
