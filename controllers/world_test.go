package controllers

import (
	"context"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ac "github.com/scim-operator/scim-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

const validToken = "a-token-that-is-long-enough-to-be-one"

// world is one spec's namespace, with the words in which specs speak.
type world struct {
	ctx context.Context
	ns  string
}

func newWorld() *world {
	ctx, cancel := context.WithCancel(context.Background())
	DeferCleanup(cancel)
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "spec-"}}
	Expect(k8s.Create(ctx, ns)).To(Succeed())
	return &world{ctx, ns.Name}
}

func (w *world) create(o client.Object) {
	GinkgoHelper()
	o.SetNamespace(w.ns)
	Expect(k8s.Create(w.ctx, o)).To(Succeed())
}

// change updates an object by a function, again when somebody else was faster.
func change[T any, P interface {
	*T
	client.Object
}](w *world, name string, f func(P)) {
	GinkgoHelper()
	Eventually(func() error {
		o := P(new(T))
		if err := k8s.Get(w.ctx, client.ObjectKey{Namespace: w.ns, Name: name}, o); err != nil {
			return err
		}
		f(o)
		return k8s.Update(w.ctx, o)
	}).Should(Succeed())
}

// get reads an object, or nil.
func get[T any, P interface {
	*T
	client.Object
}](w *world, name string) P {
	GinkgoHelper()
	o := P(new(T))
	err := k8s.Get(w.ctx, client.ObjectKey{Namespace: w.ns, Name: name}, o)
	if apierrors.IsNotFound(err) {
		return nil
	}
	Expect(err).NotTo(HaveOccurred())
	return o
}

// directory makes one and waits until the operator has looked at it.
func (w *world) directory(name string, edit ...func(*v1alpha1.ScimDirectory)) {
	GinkgoHelper()
	w.newDirectory(name, edit...)
	w.eventuallyReason(func() []metav1.Condition { return get[v1alpha1.ScimDirectory](w, name).Status.Conditions },
		v1alpha1.ConditionReady, Not(BeEmpty()))
}

func (w *world) newDirectory(name string, edit ...func(*v1alpha1.ScimDirectory)) {
	GinkgoHelper()
	w.create(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name + "-token"},
		Type:       v1alpha1.TokenSecretType,
		StringData: map[string]string{v1alpha1.TokenSecretKey: validToken},
	})
	d := &v1alpha1.ScimDirectory{ObjectMeta: metav1.ObjectMeta{Name: name}}
	d.Spec.Tokens = []v1alpha1.DirectoryToken{{
		Name: "idp", SecretRef: v1alpha1.SecretReference{Name: name + "-token"},
		Scopes: []v1alpha1.TokenScope{v1alpha1.ScopeRead, v1alpha1.ScopeWrite},
	}}
	for _, f := range edit {
		f(d)
	}
	w.create(d)
}

func primary(d *v1alpha1.ScimDirectory) { d.Spec.Primary = true }
func revoke(d *v1alpha1.ScimDirectory)  { d.Spec.DeletionPolicy = v1alpha1.DeletionRevoke }

func (w *world) setPrimary(name string, is bool) {
	GinkgoHelper()
	change(w, name, func(d *v1alpha1.ScimDirectory) { d.Spec.Primary = is })
}

func (w *world) user(directory, userName string, edit ...func(*v1alpha1.ScimUser)) string {
	GinkgoHelper()
	u := &v1alpha1.ScimUser{ObjectMeta: metav1.ObjectMeta{Name: uuid.NewString()}}
	u.Spec.DirectoryRef.Name = directory
	u.Spec.UserName = userName
	u.Spec.Active = true
	u.Spec.Emails = []v1alpha1.MultiValue{{Value: "other@example.com"}, {Value: userName, Primary: new(true)}}
	for _, f := range edit {
		f(u)
	}
	w.create(u)
	return u.Name
}

func (w *world) setActive(user string, is bool) {
	GinkgoHelper()
	change(w, user, func(u *v1alpha1.ScimUser) { u.Spec.Active = is })
}

func (w *world) group(directory, displayName string, members ...string) string {
	GinkgoHelper()
	g := &v1alpha1.ScimGroup{ObjectMeta: metav1.ObjectMeta{Name: uuid.NewString()}}
	g.Spec.DirectoryRef.Name = directory
	g.Spec.DisplayName = displayName
	g.Spec.Membership = &v1alpha1.GroupMembership{
		Epoch: "aaaaaaaa", Shards: 2, Nested: slices.ContainsFunc(members, w.isGroup),
	}
	w.create(g)
	w.epoch(g, "aaaaaaaa", members)
	return g.Name
}

// epoch makes the two slices of one.
func (w *world) epoch(g *v1alpha1.ScimGroup, epoch string, members []string) {
	GinkgoHelper()
	for shard := range int32(2) {
		w.slice(g, epoch, shard, slices.DeleteFunc(slices.Clone(members), func(id string) bool {
			return v1alpha1.HomeShard(id, 2) != shard
		})...)
	}
}

func (w *world) isGroup(id string) bool {
	GinkgoHelper()
	return get[v1alpha1.ScimGroup](w, id) != nil
}

func (w *world) slice(g *v1alpha1.ScimGroup, epoch string, shard int32, members ...string) string {
	GinkgoHelper()
	slices.Sort(members)
	s := &v1alpha1.ScimMemberSlice{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.SliceName(g.Name, epoch, shard)}}
	s.Spec = v1alpha1.ScimMemberSliceSpec{
		DirectoryRef: g.Spec.DirectoryRef, Group: g.Name, Epoch: epoch, Shard: shard, Members: members,
		Groups: slices.DeleteFunc(slices.Clone(members), func(id string) bool { return !w.isGroup(id) }),
	}
	w.create(s)
	return s.Name
}

// home is the slice of a group with two shards that is a member's home.
func (w *world) home(group, id string) string {
	GinkgoHelper()
	return v1alpha1.SliceName(group, get[v1alpha1.ScimGroup](w, group).Spec.Membership.Epoch, v1alpha1.HomeShard(id, 2))
}

// removeFromGroup does what the SCIM server does for a removed member.
func (w *world) removeFromGroup(group, id string) {
	GinkgoHelper()
	change(w, w.home(group, id), func(s *v1alpha1.ScimMemberSlice) {
		is := func(m string) bool { return m == id }
		s.Spec.Members, s.Spec.Groups = slices.DeleteFunc(s.Spec.Members, is), slices.DeleteFunc(s.Spec.Groups, is)
	})
}

// addToGroup does what the SCIM server does for an added member: the first group comes with a new epoch.
func (w *world) addToGroup(group, id string) {
	GinkgoHelper()
	nested := w.isGroup(id)
	if g := get[v1alpha1.ScimGroup](w, group); nested && !g.Spec.Membership.Nested {
		members := []string{id}
		var old []*v1alpha1.ScimMemberSlice
		for shard := range int32(2) {
			s := get[v1alpha1.ScimMemberSlice](w, v1alpha1.SliceName(group, g.Spec.Membership.Epoch, shard))
			members, old = append(members, s.Spec.Members...), append(old, s)
		}
		w.epoch(g, "nnnnnnnn", members)
		change(w, group, func(g *v1alpha1.ScimGroup) {
			g.Spec.Membership = &v1alpha1.GroupMembership{Epoch: "nnnnnnnn", Shards: 2, Nested: true}
		})
		for _, s := range old {
			Expect(k8s.Delete(w.ctx, s)).To(Succeed())
		}
		return
	}
	change(w, w.home(group, id), func(s *v1alpha1.ScimMemberSlice) {
		s.Spec.Members = append(s.Spec.Members, id)
		slices.Sort(s.Spec.Members)
		if nested {
			s.Spec.Groups = append(s.Spec.Groups, id)
		}
	})
}

func (w *world) role(name string, groups ...string) {
	GinkgoHelper()
	r := &v1alpha1.AppRole{ObjectMeta: metav1.ObjectMeta{Name: name}}
	for _, g := range groups {
		r.Spec.GrantedTo = append(r.Spec.GrantedTo, v1alpha1.GroupSelector{DisplayName: g})
	}
	w.create(r)
}

func (w *world) localMember(name, userName string, roles ...string) {
	GinkgoHelper()
	w.create(&v1alpha1.AppMembership{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.AppMembershipSpec{
			User: v1alpha1.MemberIdentity{UserName: userName}, Active: true, Roles: roles,
		},
	})
}

// grantByHand gives a role under another field manager.
func (w *world) grantByHand(member string, roles ...string) {
	GinkgoHelper()
	Expect(k8s.Apply(w.ctx, ac.AppMembership(member, w.ns).WithSpec(ac.AppMembershipSpec().WithRoles(roles...)),
		client.FieldOwner("kubectl"), client.ForceOwnership)).To(Succeed())
}

// access says in one word per person what the app sees: "name active [roles]", sorted.
func (w *world) access() []string {
	GinkgoHelper()
	var list v1alpha1.AppMembershipList
	Expect(k8s.List(w.ctx, &list, client.InNamespace(w.ns))).To(Succeed())
	var words []string
	for _, m := range list.Items {
		words = append(words, inWords(&m))
	}
	slices.Sort(words)
	return words
}

func inWords(m *v1alpha1.AppMembership) string {
	roles := slices.Clone(m.Spec.Roles)
	slices.Sort(roles)
	state := "inactive"
	if m.Spec.Active {
		state = "active"
	}
	return m.Spec.User.UserName + " " + state + " [" + strings.Join(roles, " ") + "]"
}

func (w *world) eventuallyAccess(words ...string) {
	GinkgoHelper()
	if len(words) == 0 {
		Eventually(w.access).Should(BeEmpty())
		return
	}
	Eventually(w.access).Should(Equal(words))
}

func (w *world) eventuallyReason(conditions func() []metav1.Condition, kind string, reason any) {
	GinkgoHelper()
	Eventually(func() string {
		c := meta.FindStatusCondition(conditions(), kind)
		if c == nil {
			return ""
		}
		return c.Reason
	}).Should(matcher(reason))
}

func (w *world) userConditions(id string) func() []metav1.Condition {
	return func() []metav1.Condition { return get[v1alpha1.ScimUser](w, id).Status.Conditions }
}

func (w *world) directoryConditions(name string) func() []metav1.Condition {
	return func() []metav1.Condition { return get[v1alpha1.ScimDirectory](w, name).Status.Conditions }
}

func (w *world) groupConditions(name string) func() []metav1.Condition {
	return func() []metav1.Condition { return get[v1alpha1.ScimGroup](w, name).Status.Conditions }
}

func matcher(expected any) OmegaMatcher {
	if m, ok := expected.(OmegaMatcher); ok {
		return m
	}
	return Equal(expected)
}

func (w *world) roleConditions(name string) func() []metav1.Condition {
	return func() []metav1.Condition { return get[v1alpha1.AppRole](w, name).Status.Conditions }
}

// slices are all of the namespace.
func (w *world) slices() []v1alpha1.ScimMemberSlice {
	GinkgoHelper()
	var list v1alpha1.ScimMemberSliceList
	Expect(k8s.List(w.ctx, &list, client.InNamespace(w.ns))).To(Succeed())
	return list.Items
}

func metaNamed(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name} }
