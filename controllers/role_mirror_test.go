package controllers

import (
	"fmt"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

func groupsAsRoles(d *v1alpha1.ScimDirectory) { d.Spec.Groups.Meaning = v1alpha1.GroupsAreRoles }

func importingAll(d *v1alpha1.ScimDirectory) { d.Spec.Users.Importable = v1alpha1.ImportableAll }

func reserving(names ...string) func(*v1alpha1.ScimDirectory) {
	return func(d *v1alpha1.ScimDirectory) { d.Spec.Groups.Reserved = names }
}

// groups are those of a directory.
func (w *world) groups(directory string) []v1alpha1.ScimGroup {
	GinkgoHelper()
	var list v1alpha1.ScimGroupList
	Expect(k8s.List(w.ctx, &list, client.InNamespace(w.ns))).To(Succeed())
	return slices.DeleteFunc(list.Items, func(g v1alpha1.ScimGroup) bool { return g.Spec.DirectoryRef.Name != directory })
}

// shown says in one word per group what of the app a directory shows: "name (role)", sorted.
func (w *world) shown(directory string) func() []string {
	return func() []string {
		GinkgoHelper()
		words := []string{}
		for _, g := range w.groups(directory) {
			if g.Spec.Origin == v1alpha1.OriginApp {
				words = append(words, g.Spec.DisplayName+" ("+g.Spec.RoleRef.Name+")")
			}
		}
		slices.Sort(words)
		return words
	}
}

// mirror waits for the group that shows a role in a directory.
func (w *world) mirror(directory, role string) string {
	GinkgoHelper()
	name := ""
	Eventually(func() string {
		for _, g := range w.groups(directory) {
			if g.Spec.Origin == v1alpha1.OriginApp && g.Spec.RoleRef.Name == role {
				name = g.Name
			}
		}
		return name
	}).ShouldNot(BeEmpty())
	return name
}

// members are those of a group's epoch, sorted, while all slices of it are there.
func (w *world) members(group string) func() []string {
	return func() []string {
		GinkgoHelper()
		ids := []string{}
		g := get[v1alpha1.ScimGroup](w, group)
		if g == nil || g.Spec.Membership == nil {
			return ids
		}
		for shard := range g.Spec.Membership.Shards {
			s := get[v1alpha1.ScimMemberSlice](w, v1alpha1.SliceName(group, g.Spec.Membership.Epoch, shard))
			if s == nil {
				return nil
			}
			ids = append(ids, s.Spec.Members...)
		}
		slices.Sort(ids)
		return ids
	}
}

// link does what the SCIM server does first when the identity provider writes to a group that shows a role.
func (w *world) link(group, displayName string) {
	GinkgoHelper()
	change(w, group, func(g *v1alpha1.ScimGroup) { g.Spec.Origin, g.Spec.DisplayName = "", displayName })
}

// standIn waits for the user of a directory that stands for a local member.
func (w *world) standIn(directory, member string) string {
	GinkgoHelper()
	name := ""
	Eventually(func() string {
		var list v1alpha1.ScimUserList
		Expect(k8s.List(w.ctx, &list, client.InNamespace(w.ns), client.MatchingFields{"spec.memberRef.name": member})).
			To(Succeed())
		for _, u := range list.Items {
			if u.Spec.DirectoryRef.Name == directory {
				name = u.Name
			}
		}
		return name
	}).ShouldNot(BeEmpty())
	return name
}

func (w *world) namedRole(name, displayName string) {
	GinkgoHelper()
	r := &v1alpha1.AppRole{}
	r.Name, r.Spec.DisplayName = name, displayName
	w.create(r)
}

var _ = Describe("A role where groups are roles", func() {
	var w *world
	BeforeEach(func() {
		w = newWorld()
		w.directory("okta", primary, groupsAsRoles, importingAll)
	})

	It("is shown to the identity provider as a group with those who have it, and grants nothing", func() {
		w.namedRole("admin", "Administrators")
		w.role("viewer")
		Eventually(w.shown("okta")).Should(Equal([]string{"Administrators (admin)", "viewer (viewer)"}))
		admins := w.mirror("okta", "admin")
		ada, bob := w.user("okta", "ada@example.com"), w.user("okta", "bob@example.com")
		w.eventuallyAccess("ada@example.com active []", "bob@example.com active []")
		w.localMember("local", "local@example.com", "admin", "viewer")
		local := w.standIn("okta", "local")
		w.grantByHand(ada, "admin")
		Eventually(w.members(admins)).Should(ConsistOf(ada, local))
		Eventually(w.members(w.mirror("okta", "viewer"))).Should(ConsistOf(local))
		w.grantByHand(bob, "admin")
		w.grantByHand(ada, "owner")
		change(w, "local", func(m *v1alpha1.AppMembership) { m.Spec.Active = false })
		Eventually(w.members(admins)).Should(ConsistOf(bob))

		g := get[v1alpha1.ScimGroup](w, admins)
		Expect(g.Status.Roles).To(BeEmpty())
		w.eventuallyReason(w.groupConditions(admins), v1alpha1.ConditionReady, v1alpha1.ReasonExposed)
		Eventually(func() int32 { return get[v1alpha1.ScimGroup](w, admins).Status.Members }).Should(BeEquivalentTo(1))
		Expect(get[v1alpha1.AppRole](w, "admin").Status.Groups).To(BeZero())
		Consistently(func() []int32 {
			s := get[v1alpha1.ScimDirectory](w, "okta").Status
			return []int32{s.Groups, s.Members}
		}).Should(Equal([]int32{0, 0}), "what the app shows is not counted as the identity provider's")
	})

	It("is shown under its new name, by the same group", func() {
		w.namedRole("admin", "Administrators")
		admins := w.mirror("okta", "admin")
		change(w, "admin", func(r *v1alpha1.AppRole) { r.Spec.DisplayName = "Admins" })
		Eventually(w.shown("okta")).Should(Equal([]string{"Admins (admin)"}))
		Expect(w.mirror("okta", "admin")).To(Equal(admins))
	})

	It("is shown in every directory whose groups are roles, and nowhere when it is gone", func() {
		w.directory("entra", groupsAsRoles)
		w.directory("plain")
		w.role("admin")
		Eventually(w.shown("okta")).Should(Equal([]string{"admin (admin)"}))
		Eventually(w.shown("entra")).Should(Equal([]string{"admin (admin)"}))
		Consistently(w.shown("plain")).Should(BeEmpty())
		change(w, "entra", func(d *v1alpha1.ScimDirectory) { d.Spec.Groups.Meaning = "" })
		Eventually(w.shown("entra")).Should(BeEmpty())
		Expect(k8s.Delete(w.ctx, get[v1alpha1.AppRole](w, "admin"))).To(Succeed())
		Eventually(w.shown("okta")).Should(BeEmpty())
		Eventually(func() []v1alpha1.ScimMemberSlice { return w.slices() }).Should(BeEmpty())
	})

	It("is shown once, by a new group when the old one is deleted", func() {
		w.role("admin")
		first := w.mirror("okta", "admin")
		Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimGroup](w, first))).To(Succeed())
		Eventually(func() string { return w.mirror("okta", "admin") }).ShouldNot(Equal(first))
		double := get[v1alpha1.ScimGroup](w, w.mirror("okta", "admin"))
		double.ObjectMeta = metaNamed("double")
		w.create(double)
		Eventually(w.shown("okta")).Should(Equal([]string{"admin (admin)"}))
		Consistently(w.shown("okta")).Should(Equal([]string{"admin (admin)"}))
	})

	It("is not shown under a name that is reserved, or that a group of the identity provider has", func() {
		w.namedRole("everyone", "Everyone")
		w.namedRole("engineer", "Engineers")
		w.role("admin")
		Eventually(w.shown("okta")).Should(Equal([]string{"Engineers (engineer)", "Everyone (everyone)", "admin (admin)"}))
		change(w, "okta", reserving("EVERYONE"))
		w.group("okta", "ENGINEERS")
		Eventually(w.shown("okta")).Should(Equal([]string{"admin (admin)"}))
		change(w, "okta", reserving())
		Eventually(w.shown("okta")).Should(Equal([]string{"Everyone (everyone)", "admin (admin)"}))
	})

	It("is not shown beside an older role of the same name, which its status says", func() {
		w.namedRole("alpha", "Admins")
		w.mirror("okta", "alpha")
		w.namedRole("beta", "admins")
		w.eventuallyReason(w.roleConditions("beta"), v1alpha1.ConditionReady, v1alpha1.ReasonConflict)
		Consistently(w.shown("okta")).Should(Equal([]string{"Admins (alpha)"}))
		Expect(k8s.Delete(w.ctx, get[v1alpha1.AppRole](w, "alpha"))).To(Succeed())
		Eventually(w.shown("okta")).Should(Equal([]string{"admins (beta)"}))
		w.eventuallyReason(w.roleConditions("beta"), v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	})

	It("is the group that the identity provider links, by id, whatever it is called", func() {
		w.namedRole("admin", "Administrators")
		ada, bob := w.user("okta", "ada@example.com"), w.user("okta", "bob@example.com")
		w.eventuallyAccess("ada@example.com active []", "bob@example.com active []")
		w.grantByHand(ada, "admin")
		group := w.mirror("okta", "admin")
		Eventually(w.members(group)).Should(ConsistOf(ada))

		w.link(group, "Administrators")
		Eventually(func() any { return get[v1alpha1.ScimGroup](w, group).Status.Roles }).Should(Equal([]string{"admin"}))
		Eventually(func() any { return get[v1alpha1.AppMembership](w, ada).Status.Grants }).
			Should(Equal([]v1alpha1.RoleGrant{{Role: "admin", Groups: []string{group}}}))
		change(w, group, func(g *v1alpha1.ScimGroup) { g.Spec.DisplayName = "Okta Admins" })
		Eventually(func() string { return get[v1alpha1.AppRole](w, "admin").Status.DisplayName }).Should(Equal("Okta Admins"))
		Expect(get[v1alpha1.AppRole](w, "admin").Spec.DisplayName).To(Equal("Administrators"))
		g := get[v1alpha1.ScimGroup](w, group)
		w.slice(g, "bbbbbbbb", 0, bob)
		change(w, group, func(g *v1alpha1.ScimGroup) {
			g.Spec.Membership = &v1alpha1.GroupMembership{Epoch: "bbbbbbbb", Shards: 1}
		})
		w.eventuallyAccess("ada@example.com active [admin]", "bob@example.com active [admin]")
		change(w, group, func(g *v1alpha1.ScimGroup) { g.Spec.DisplayName = "Renamed" })
		Eventually(func() string { return get[v1alpha1.AppRole](w, "admin").Status.DisplayName }).Should(Equal("Renamed"))
		Consistently(func() []string {
			return append(w.access(), w.members(group)()...)
		}).Should(Equal([]string{"ada@example.com active [admin]", "bob@example.com active [admin]", bob}),
			"nobody writes to what the identity provider owns")

		Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimGroup](w, group))).To(Succeed())
		w.eventuallyAccess("ada@example.com active [admin]", "bob@example.com active []")
		Eventually(w.shown("okta")).Should(Equal([]string{"Administrators (admin)"}))
		Expect(w.mirror("okta", "admin")).NotTo(Equal(group))
		Eventually(w.members(w.mirror("okta", "admin"))).Should(ConsistOf(ada))
	})

	It("goes to the members of groups in the linked one, too", func() {
		w.role("admin")
		ada := w.user("okta", "ada@example.com")
		inner := w.group("okta", "Inner", ada)
		group := w.mirror("okta", "admin")
		w.link(group, "Admins")
		w.slice(get[v1alpha1.ScimGroup](w, group), "nnnnnnnn", 0, inner)
		change(w, group, func(g *v1alpha1.ScimGroup) {
			g.Spec.Membership = &v1alpha1.GroupMembership{Epoch: "nnnnnnnn", Shards: 1, Nested: true}
		})
		w.eventuallyAccess("ada@example.com active [admin inner]")
	})

	It("is not passed on by a group that only shows it and is in another group", func() {
		w.role("admin")
		w.role("guide", "Guides")
		w.localMember("local", "local@example.com", "admin")
		w.standIn("okta", "local")
		ada := w.user("okta", "ada@example.com")
		w.eventuallyAccess("ada@example.com active []", "local@example.com active [admin]")
		w.grantByHand(ada, "admin")
		group := w.mirror("okta", "admin")
		Eventually(w.members(group)).Should(HaveLen(2))
		guides := w.group("okta", "Guides", group)
		Eventually(func() any { return get[v1alpha1.ScimGroup](w, guides).Status.Roles }).
			Should(Equal([]string{"guide", "guides"}))
		Consistently(w.access).Should(ContainElement("ada@example.com active [admin]"))
	})

	It("is granted by link only while groups are roles", func() {
		w.role("admin")
		ada := w.user("okta", "ada@example.com")
		group := w.mirror("okta", "admin")
		w.link(group, "Admins")
		w.slice(get[v1alpha1.ScimGroup](w, group), "bbbbbbbb", 0, ada)
		change(w, group, func(g *v1alpha1.ScimGroup) {
			g.Spec.Membership = &v1alpha1.GroupMembership{Epoch: "bbbbbbbb", Shards: 1}
		})
		w.group("okta", "Engineers", ada)
		w.role("viewer")
		w.mirror("okta", "viewer")
		w.eventuallyAccess("ada@example.com active [admin engineers]")
		change(w, "okta", func(d *v1alpha1.ScimDirectory) { d.Spec.Groups.Meaning = v1alpha1.GroupsAreGroups })
		w.eventuallyAccess("ada@example.com active [engineers]")
		Eventually(w.shown("okta")).Should(BeEmpty())
		w.eventuallyReason(w.groupConditions(group), v1alpha1.ConditionReady, v1alpha1.ReasonReady)
		change(w, "okta", groupsAsRoles)
		w.eventuallyAccess("ada@example.com active [admin engineers]")
		Eventually(w.shown("okta")).Should(Equal([]string{"viewer (viewer)"}))
	})

	It("says in the group when the linked role is gone", func() {
		w.role("admin")
		group := w.mirror("okta", "admin")
		w.link(group, "Admins")
		w.eventuallyReason(w.groupConditions(group), v1alpha1.ConditionReady, v1alpha1.ReasonReady)
		Expect(k8s.Delete(w.ctx, get[v1alpha1.AppRole](w, "admin"))).To(Succeed())
		w.eventuallyReason(w.groupConditions(group), v1alpha1.ConditionStalled, v1alpha1.ReasonRoleNotFound)
	})

	It("is written anew seldom, in shards that are not too large, and the slices of before are gone", func() {
		w.role("admin")
		const people = 600
		for i := range people {
			name := fmt.Sprintf("p%03d", i)
			w.localMember(name, name+"@example.com", "admin")
		}
		group := w.mirror("okta", "admin")
		Eventually(w.members(group)).Should(HaveLen(people))
		for _, s := range w.slices() {
			Expect(len(s.Spec.Members)).To(BeNumerically("<=", 500))
		}
		before, began := get[v1alpha1.ScimGroup](w, group).Generation, time.Now()
		for i := range 100 {
			change(w, fmt.Sprintf("p%03d", i), func(m *v1alpha1.AppMembership) { m.Spec.Roles = nil })
		}
		Eventually(w.members(group)).Should(HaveLen(people - 100))
		seconds := int64(time.Since(began) / time.Second)
		Expect(get[v1alpha1.ScimGroup](w, group).Generation - before).To(BeNumerically("<=", seconds+2))
		Eventually(func() []string {
			var epochs []string
			for _, s := range w.slices() {
				epochs = append(epochs, s.Spec.Epoch)
			}
			slices.Sort(epochs)
			return slices.Compact(epochs)
		}).Should(Equal([]string{get[v1alpha1.ScimGroup](w, group).Spec.Membership.Epoch}))
	})

	It("is mended when a slice of the group that shows it is lost, and not touched when nothing changed", func() {
		w.role("admin")
		w.localMember("local", "local@example.com", "admin")
		local := w.standIn("okta", "local")
		group := w.mirror("okta", "admin")
		Eventually(w.members(group)).Should(ConsistOf(local))
		Eventually(w.slices).Should(HaveLen(1))
		Expect(k8s.Delete(w.ctx, &w.slices()[0])).To(Succeed())
		change(w, "admin", func(r *v1alpha1.AppRole) { r.Spec.Description = "looked at again" })
		Eventually(w.members(group)).Should(ConsistOf(local))
		w.eventuallyReason(w.groupConditions(group), v1alpha1.ConditionReady, v1alpha1.ReasonExposed)
		Eventually(func() int64 {
			g := get[v1alpha1.ScimGroup](w, group)
			return g.Status.ObservedGeneration - g.Generation
		}).Should(BeZero())
		version := get[v1alpha1.ScimGroup](w, group).ResourceVersion
		change(w, "admin", func(r *v1alpha1.AppRole) { r.Spec.Description = "and again" })
		Consistently(func() string { return get[v1alpha1.ScimGroup](w, group).ResourceVersion }).Should(Equal(version))
	})

	It("leaves nothing behind when the directory is deleted", func() {
		w.role("admin")
		w.localMember("local", "local@example.com", "admin")
		w.standIn("okta", "local")
		group := w.mirror("okta", "admin")
		Eventually(w.members(group)).Should(HaveLen(1))
		Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimDirectory](w, "okta"))).To(Succeed())
		Eventually(func() any { return get[v1alpha1.ScimDirectory](w, "okta") }).Should(BeNil())
		Eventually(w.shown("okta")).Should(BeEmpty())
		Consistently(w.shown("okta")).Should(BeEmpty())
		Eventually(w.slices).Should(BeEmpty())
		Expect(w.access()).To(Equal([]string{"local@example.com active [admin]"}))
	})

	It("is taken over whatever the operator does at the same time, and no write to it is undone", func() {
		w.role("admin")
		w.localMember("local", "local@example.com", "admin")
		local := w.standIn("okta", "local")
		for i := range 5 {
			group := w.mirror("okta", "admin")
			Eventually(w.members(group)).Should(ConsistOf(local))
			change(w, "local", func(m *v1alpha1.AppMembership) { m.Spec.Roles = nil })
			name := fmt.Sprintf("Admins %d", i)
			w.link(group, name)
			g := get[v1alpha1.ScimGroup](w, group)
			epoch := strings.Repeat(string(rune('b'+i)), 8)
			w.slice(g, epoch, 0, local)
			change(w, group, func(g *v1alpha1.ScimGroup) {
				g.Spec.Membership = &v1alpha1.GroupMembership{Epoch: epoch, Shards: 1}
			})
			Consistently(func() []string {
				g := get[v1alpha1.ScimGroup](w, group)
				return append(w.members(group)(), string(g.Spec.Origin), g.Spec.DisplayName)
			}).Should(Equal([]string{local, "", name}))
			change(w, "local", func(m *v1alpha1.AppMembership) { m.Spec.Roles = []string{"admin"} })
			Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimGroup](w, group))).To(Succeed())
		}
	})

	It("is left alone by an operator that saw it before it was taken over", func() {
		w.role("admin")
		w.localMember("local", "local@example.com", "admin")
		local := w.standIn("okta", "local")
		group := w.mirror("okta", "admin")
		Eventually(w.members(group)).Should(ConsistOf(local))
		before := get[v1alpha1.ScimGroup](w, group)
		w.link(group, "Admins")

		r := &roleMirrorReconciler{kube: kube{Client: k8s, live: k8s}}
		late := before.DeepCopy()
		conflict := MatchError(apierrors.IsConflict, "a conflict")
		Expect(r.commit(w.ctx, late, []string{local, group}, func() error { return k8s.Update(w.ctx, late) })).To(conflict)
		Expect(r.dropMirror(w.ctx, before)).To(conflict)
		Expect(get[v1alpha1.ScimGroup](w, group).Spec.DisplayName).To(Equal("Admins"))
		Expect(w.members(group)()).To(ConsistOf(local))
		Expect(w.slices()).To(HaveLen(1), "what was not committed is gone")
	})
})
