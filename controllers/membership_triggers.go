package controllers

import (
	"cmp"
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// Losing access must not wait behind a burst of people who gain it.
const (
	ordinary = 0
	urgent   = 100
)

func enqueue(q queue, priority int, namespace string, names ...string) {
	requests := make([]reconcile.Request, 0, len(names))
	for _, name := range names {
		requests = append(requests, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}})
	}
	if p, ok := q.(priorityqueue.PriorityQueue[reconcile.Request]); ok {
		var opts priorityqueue.AddOpts
		if priority != ordinary {
			opts.Priority = &priority
		}
		p.AddWithOpts(opts, requests...)
		return
	}
	for _, request := range requests {
		q.Add(request)
	}
}

// triggers say which people a change concerns. At the start, every ScimUser is looked at anyway, so the first list of any
// other kind triggers nothing.
type triggers struct {
	kube
}

// onChange makes a handler from one function: before is nil for an object that appeared, after for one that went.
func onChange[T client.Object](changed func(ctx context.Context, before, after T, q queue)) handler.Funcs {
	var none T
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) {
			if !e.IsInInitialList {
				changed(ctx, none, e.Object.(T), q)
			}
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) {
			changed(ctx, e.ObjectOld.(T), e.ObjectNew.(T), q)
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) {
			changed(ctx, e.Object.(T), none, q)
		},
	}
}

// users: the person, and those who are, or were, the same person by an identifier.
func (t triggers) users() handler.Funcs {
	funcs := onChange(func(ctx context.Context, before, after *v1alpha1.ScimUser, q queue) {
		now, priority := cmp.Or(after, before), ordinary
		if after == nil || deleting(after) || !after.Spec.Active {
			priority = urgent
		}
		enqueue(q, priority, now.Namespace, now.Name)
		if before != nil && after != nil && sameToAll(&before.Spec, &after.Spec) &&
			fromApp(before) == fromApp(after) && deleting(before) == deleting(after) {
			return
		}
		for _, u := range []*v1alpha1.ScimUser{before, after} {
			if u != nil && !fromApp(u) {
				t.samePeople(ctx, u.Namespace, u.Spec.DirectoryRef.Name, &u.Spec, q)
			}
		}
	})
	create := funcs.CreateFunc
	funcs.CreateFunc = func(ctx context.Context, e event.CreateEvent, q queue) {
		if e.IsInInitialList {
			enqueue(q, ordinary, e.Object.GetNamespace(), e.Object.GetName())
			return
		}
		create(ctx, e, q)
	}
	return funcs
}

// members: the person that the member is, or was, provisioned from, and those who could take it over.
func (t triggers) members() handler.Funcs {
	changed := func(ctx context.Context, before, after *v1alpha1.AppMembership, q queue) {
		if before != nil && after != nil && before.Generation == after.Generation &&
			before.ResourceVersion != after.ResourceVersion && deleting(before) == deleting(after) {
			return // only status or metadata
		}
		for _, m := range []*v1alpha1.AppMembership{before, after} {
			if m == nil {
				continue
			}
			if m.Spec.UserRef != nil {
				enqueue(q, ordinary, m.Namespace, m.Spec.UserRef.Name)
			}
			t.samePeople(ctx, m.Namespace, "", &m.Spec.User, q)
		}
	}
	funcs := onChange(changed)
	funcs.CreateFunc = func(ctx context.Context, e event.CreateEvent, q queue) {
		changed(ctx, nil, e.Object.(*v1alpha1.AppMembership), q) // at the start too: the user may be gone
	}
	return funcs
}

// slices: only those whose place changed, and with a group everybody in it. A new epoch's slices concern nobody until the group names the epoch, and an old
// epoch's concern those whom the new one does not hold.
func (t triggers) slices() handler.Funcs {
	return onChange(func(ctx context.Context, before, after *v1alpha1.ScimMemberSlice, q queue) {
		switch {
		case before == nil:
			if t.names(ctx, after) {
				enqueue(q, ordinary, after.Namespace, t.reached(ctx, after, after.Spec.Members)...)
			}
		case after == nil:
			enqueue(q, urgent, before.Namespace, t.reached(ctx, before, t.notInside(ctx, before))...)
		default:
			gone, come := changedMembers(before.Spec.Members, after.Spec.Members)
			enqueue(q, urgent, after.Namespace, t.reached(ctx, before, gone)...)
			enqueue(q, ordinary, after.Namespace, t.reached(ctx, after, come)...)
		}
	})
}

// names says whether the slice's group names its epoch.
func (t triggers) names(ctx context.Context, s *v1alpha1.ScimMemberSlice) bool {
	g, err := find[v1alpha1.ScimGroup](ctx, t, s.Namespace, s.Spec.Group)
	t.report(ctx, err)
	return g != nil && g.Spec.Membership != nil && g.Spec.Membership.Epoch == s.Spec.Epoch
}

// notInside are the members of a slice that went that its group is not known to have still.
func (t triggers) notInside(ctx context.Context, s *v1alpha1.ScimMemberSlice) []string {
	g, err := find[v1alpha1.ScimGroup](ctx, t, s.Namespace, s.Spec.Group)
	t.report(ctx, err)
	if g == nil {
		return s.Spec.Members
	}
	return slices.DeleteFunc(slices.Clone(s.Spec.Members), func(id string) bool {
		standing, err := t.standingOf(ctx, g, id)
		t.report(ctx, err)
		return standing == inside
	})
}

// reached are some members of a slice, with everybody in those of them that are groups.
func (t triggers) reached(ctx context.Context, s *v1alpha1.ScimMemberSlice, ids []string) []string {
	if len(s.Spec.Groups) == 0 {
		return ids
	}
	inner := slices.DeleteFunc(slices.Clone(s.Spec.Groups), func(id string) bool { return !slices.Contains(ids, id) })
	groups, err := t.groupsNamed(ctx, s.Namespace, s.Spec.DirectoryRef, inner)
	t.report(ctx, err)
	return append(slices.Clone(ids), t.membersOf(ctx, groups...)...)
}

// groups: the members, when what the group is called, or which epoch it names, changed, or it was taken over or
// linked; and the members of groups with which it was, or is, in conflict.
func (t triggers) groups() handler.Funcs {
	return onChange(func(ctx context.Context, before, after *v1alpha1.ScimGroup, q queue) {
		if before != nil && after != nil && deleting(before) == deleting(after) && isMirror(before) == isMirror(after) &&
			(before.Spec.RoleRef == nil) == (after.Spec.RoleRef == nil) && before.Spec.DisplayName == after.Spec.DisplayName && before.Spec.ExternalID == after.Spec.ExternalID {
			if !sameEpoch(before, after) {
				gone, come := changedMembers(t.membersOf(ctx, before), t.membersOf(ctx, after))
				enqueue(q, urgent, after.Namespace, gone...)
				enqueue(q, ordinary, after.Namespace, come...)
			}
			return
		}
		for _, g := range []*v1alpha1.ScimGroup{before, after} {
			if g == nil {
				continue
			}
			enqueue(q, ordinary, g.Namespace, t.membersOf(ctx, g)...)
			var same v1alpha1.ScimGroupList
			key := groupKey(g.Spec.DirectoryRef.Name, schema.Fold(g.Spec.DisplayName))
			t.report(ctx, t.list(ctx, &same, g.Namespace, byDisplayName, key))
			for i := range same.Items {
				enqueue(q, ordinary, g.Namespace, t.membersOf(ctx, &same.Items[i])...)
			}
		}
	})
}

func sameEpoch(a, b *v1alpha1.ScimGroup) bool {
	m, n := a.Spec.Membership, b.Spec.Membership
	return m == n || m != nil && n != nil && *m == *n
}

// membersOf are the ids in those slices of the groups' epochs, and of the groups in them, that are visible; the others
// trigger as they appear.
func (t triggers) membersOf(ctx context.Context, groups ...*v1alpha1.ScimGroup) []string {
	var ids []string
	for d := descendFrom(groups...); ; {
		g := d.next()
		if g == nil {
			return ids
		}
		parts, _, err := t.slicesOf(ctx, g)
		t.report(ctx, err)
		for _, s := range parts {
			ids = append(ids, s.Spec.Members...)
		}
		inner, _, err := t.groupsIn(ctx, g)
		t.report(ctx, err)
		d.add(inner...)
	}
}

// roles: when what grants the role changed, those who have it, and those in the groups that granted it or do now; for a
// default role, everybody in the directory in charge.
func (t triggers) roles() handler.Funcs {
	return onChange(func(ctx context.Context, before, after *v1alpha1.AppRole, q queue) {
		now, priority := after, ordinary
		if after == nil {
			now, priority = before, urgent
		}
		if before != nil && after != nil && deleting(before) == deleting(after) &&
			before.Spec.Default == after.Spec.Default && slices.Equal(before.Spec.GrantedTo, after.Spec.GrantedTo) {
			return
		}
		primary, err := t.primaryOf(ctx, now.Namespace)
		t.report(ctx, err)
		charge, err := find[v1alpha1.ScimDirectory](ctx, t, now.Namespace, primary)
		t.report(ctx, err)
		for _, role := range []*v1alpha1.AppRole{before, after} {
			switch {
			case role == nil || charge == nil:
			case role.Spec.Default:
				t.everybodyIn(ctx, role.Namespace, primary, priority, q)
			default:
				groups, err := t.groupsGranting(ctx, role, charge)
				t.report(ctx, err)
				enqueue(q, priority, role.Namespace, t.membersOf(ctx, groups...)...)
			}
		}
		members, err := t.membersBy(ctx, now.Namespace, byActiveRole, now.Name)
		t.report(ctx, err)
		for _, m := range members {
			if m.Spec.UserRef != nil {
				enqueue(q, priority, m.Namespace, m.Spec.UserRef.Name)
			}
		}
	})
}

// directories: everybody in it, when it came, went, changed between granting and not granting, tells people apart, or takes
// them over, in another way, or when its groups grant something else.
func (t triggers) directories() handler.Funcs {
	return onChange(func(ctx context.Context, before, after *v1alpha1.ScimDirectory, q queue) {
		if before != nil && after != nil && deleting(before) == deleting(after) &&
			restored(before) == restored(after) &&
			before.Status.Primary == after.Status.Primary && before.Spec.Primary == after.Spec.Primary &&
			before.Spec.Users.Identifier == after.Spec.Users.Identifier &&
			before.Spec.Users.Existing == after.Spec.Users.Existing &&
			equality.Semantic.DeepEqual(before.Spec.Groups, after.Spec.Groups) {
			return
		}
		now := cmp.Or(after, before)
		t.everybodyIn(ctx, now.Namespace, now.Name, ordinary, q)
		var members v1alpha1.AppMembershipList
		t.report(ctx, t.list(ctx, &members, now.Namespace, byDirectory, now.Name))
		for i := range members.Items {
			enqueue(q, ordinary, now.Namespace, members.Items[i].Spec.UserRef.Name)
		}
	})
}

func (t triggers) everybodyIn(ctx context.Context, namespace, directory string, priority int, q queue) {
	var users v1alpha1.ScimUserList
	t.report(ctx, t.list(ctx, &users, namespace, byDirectory, directory))
	for i := range users.Items {
		enqueue(q, priority, namespace, users.Items[i].Name)
	}
}

// samePeople are the users of a directory, and of the one in charge, who share an identifier with a person, and those whose
// members do.
func (t triggers) samePeople(ctx context.Context, namespace, directory string, who identified, q queue) {
	charge, err := t.directoryInCharge(ctx, namespace)
	t.report(ctx, err)
	concerned := []*v1alpha1.ScimDirectory{charge}
	if directory != "" && (charge == nil || charge.Name != directory) {
		d, err := find[v1alpha1.ScimDirectory](ctx, t, namespace, directory)
		t.report(ctx, err)
		concerned = append(concerned, d)
	}
	for _, d := range concerned {
		if d == nil {
			continue
		}
		users, err := t.sharing(ctx, d, who)
		t.report(ctx, err)
		for _, u := range users {
			enqueue(q, ordinary, namespace, u.Name)
		}
	}
	if charge == nil {
		return
	}
	by := charge.Spec.Users.WithDefaults().Identifier
	members, err := t.membersBy(ctx, namespace, string(by), memberKey(who, by))
	t.report(ctx, err)
	for _, m := range members {
		if m.Spec.UserRef != nil {
			enqueue(q, ordinary, namespace, m.Spec.UserRef.Name)
		}
	}
}

// report logs that a trigger could not look something up, which a synced cache never does.
func (t triggers) report(ctx context.Context, err error) {
	if err != nil {
		log.FromContext(ctx).Error(err, "Could not find out whom a change concerns")
	}
}
