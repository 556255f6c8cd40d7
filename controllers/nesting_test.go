package controllers

import (
	"fmt"
	"slices"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

var _ = Describe("A person in a nested group (RFC 7643 §4.2)", func() {
	var (
		w                       *world
		ada                     string
		inner, middle, granting string
	)
	const with, without = "ada@example.com active [admin]", "ada@example.com active []"
	BeforeEach(func() {
		w = newWorld()
		w.directory("okta", primary)
		w.role("admin", "Granting")
		ada = w.user("okta", "ada@example.com")
		inner = w.group("okta", "Inner", ada)
		middle = w.group("okta", "Middle", inner)
		granting = w.group("okta", "Granting", middle)
		w.eventuallyAccess(with)
	})

	It("has the role through the granting group, of which it is no direct member", func() {
		Eventually(func() any { return get[v1alpha1.AppMembership](w, ada).Status.Grants }).
			Should(Equal([]v1alpha1.RoleGrant{{Role: "admin", Groups: []string{granting}}}))
		Eventually(func() int32 { return get[v1alpha1.ScimGroup](w, granting).Status.Members }).Should(BeEquivalentTo(1))
	})

	DescribeTable("loses the role", func(cut func()) {
		cut()
		w.eventuallyAccess(without)
	},
		Entry("when they leave the inner group", func() { w.removeFromGroup(inner, ada) }),
		Entry("when the inner group leaves the middle one", func() { w.removeFromGroup(middle, inner) }),
		Entry("when the middle group leaves the granting one", func() { w.removeFromGroup(granting, middle) }),
		Entry("when the inner group is deleted", func() {
			Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimGroup](w, inner))).To(Succeed())
		}),
		Entry("when the middle group is deleted", func() {
			Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimGroup](w, middle))).To(Succeed())
		}),
		Entry("when the granting group is deleted", func() {
			Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimGroup](w, granting))).To(Succeed())
		}),
		Entry("when the granting group is renamed", func() {
			change(w, granting, func(g *v1alpha1.ScimGroup) { g.Spec.DisplayName = "Other" })
		}),
		Entry("when the granting group moves to an epoch without groups", func() {
			w.slice(get[v1alpha1.ScimGroup](w, granting), "eeeeeeee", 0)
			change(w, granting, func(g *v1alpha1.ScimGroup) {
				g.Spec.Membership = &v1alpha1.GroupMembership{Epoch: "eeeeeeee", Shards: 1}
			})
		}),
	)

	It("gets the role when a group between is added", func() {
		w.removeFromGroup(middle, inner)
		w.eventuallyAccess(without)
		w.addToGroup(middle, inner)
		w.eventuallyAccess(with)
	})

	It("gets the role when the group is the first one to be put in a granting group, and keeps those of others", func() {
		w.role("viewer", "Viewers")
		bob := w.user("okta", "bob@example.com")
		viewers := w.group("okta", "Viewers", bob)
		w.eventuallyAccess(with, "bob@example.com active [viewer]")
		w.addToGroup(viewers, middle)
		w.eventuallyAccess("ada@example.com active [admin viewer]", "bob@example.com active [viewer]")
	})

	It("gets the role when the middle group is given the name that grants it", func() {
		w.role("guide", "Guides")
		change(w, middle, func(g *v1alpha1.ScimGroup) { g.Spec.DisplayName = "Guides" })
		w.eventuallyAccess("ada@example.com active [admin guide]")
	})

	It("is not harmed by groups in a cycle, nor by a group in itself", func() {
		w.addToGroup(inner, granting)
		w.addToGroup(middle, middle)
		bob := w.user("okta", "bob@example.com")
		w.addToGroup(middle, bob)
		w.eventuallyAccess(with, "bob@example.com active [admin]")
		w.removeFromGroup(granting, middle)
		w.eventuallyAccess(without, "bob@example.com active []")
		w.addToGroup(granting, inner)
		w.eventuallyAccess(with, "bob@example.com active []")
	})

	It("keeps what they have while a slice of a group between is missing", func() {
		bob := w.user("okta", "bob@example.com")
		change(w, middle, func(g *v1alpha1.ScimGroup) {
			g.Spec.Membership = &v1alpha1.GroupMembership{Epoch: "cccccccc", Shards: 1, Nested: true}
		})
		w.eventuallyReason(w.groupConditions(middle), v1alpha1.ConditionReconciling, v1alpha1.ReasonMembersIncomplete)
		Consistently(w.access).Should(Equal([]string{with, "bob@example.com active []"}))
		w.slice(get[v1alpha1.ScimGroup](w, middle), "cccccccc", 0, bob)
		w.eventuallyAccess(without, "bob@example.com active [admin]")
	})

	It("gets nothing through a group of another directory", func() {
		w.directory("entra")
		bob := w.user("okta", "bob@example.com")
		foreign := w.group("entra", "Foreign", bob)
		w.eventuallyReason(w.groupConditions(foreign), v1alpha1.ConditionReady, v1alpha1.ReasonReady)
		w.group("okta", "Other") // so that the foreign group's id has been seen by every cache
		change(w, w.home(granting, foreign), func(s *v1alpha1.ScimMemberSlice) {
			s.Spec.Members = append(s.Spec.Members, foreign)
			slices.Sort(s.Spec.Members)
			s.Spec.Groups = append(s.Spec.Groups, foreign)
		})
		Consistently(w.access).Should(Equal([]string{with, "bob@example.com active []"}))
	})

	It("gets nothing through a group that is in conflict over its name, until that is settled", func() {
		bob := w.user("okta", "bob@example.com")
		older := w.group("okta", "Doubles")
		w.eventuallyReason(w.groupConditions(older), v1alpha1.ConditionReady, v1alpha1.ReasonReady)
		double := w.group("okta", "DOUBLES", bob)
		w.eventuallyReason(w.groupConditions(double), v1alpha1.ConditionStalled, v1alpha1.ReasonConflict)
		w.addToGroup(granting, double)
		Consistently(w.access).Should(Equal([]string{with, "bob@example.com active []"}))
		Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimGroup](w, older))).To(Succeed())
		w.eventuallyAccess(with, "bob@example.com active [admin]")
	})

	It("leaves no trace of a deleted group in the groups that it was in", func() {
		Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimGroup](w, inner))).To(Succeed())
		Eventually(func() []string {
			s := get[v1alpha1.ScimMemberSlice](w, w.home(middle, inner)).Spec
			return append(s.Members, s.Groups...)
		}).Should(BeEmpty())
		Eventually(func() int32 { return get[v1alpha1.ScimGroup](w, middle).Status.Members }).Should(BeZero())
	})
})

// TestStandingWithin compares with reachability by definition, on random graphs with cycles and self-membership, in which a
// slice may be missing; and whoever is reached is among those whom a change of the group triggers.
func TestStandingWithin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const n, shards = 5, 2
		// One shard of one group is missing, perhaps.
		missing, missingShard := rapid.IntRange(-1, n-1).Draw(t, "missing"), rapid.Int32Range(0, shards-1).Draw(t, "shard")
		home := func(i int) int32 { return v1alpha1.HomeShard(fmt.Sprint(i), shards) }
		var objects []client.Object
		groups := make([]*v1alpha1.ScimGroup, n)
		members := make([][]int, n) // n is the person
		for i := range n {
			members[i] = rapid.SliceOfNDistinct(rapid.IntRange(0, n), 0, 3, rapid.ID[int]).Draw(t, "members")
			g := aGroup(fmt.Sprint(i), "okta", fmt.Sprint("Group ", i), "")
			g.Namespace = "ns"
			g.Spec.Membership = &v1alpha1.GroupMembership{Epoch: "e", Shards: shards}
			for shard := range int32(shards) {
				s := &v1alpha1.ScimMemberSlice{}
				s.Namespace, s.Name = "ns", v1alpha1.SliceName(g.Name, "e", shard)
				s.Spec.Group, s.Spec.DirectoryRef = g.Name, g.Spec.DirectoryRef
				for _, m := range members[i] {
					if home(m) != shard {
						continue
					}
					s.Spec.Members = append(s.Spec.Members, fmt.Sprint(m))
					if m < n {
						s.Spec.Groups = append(s.Spec.Groups, fmt.Sprint(m))
						g.Spec.Membership.Nested = true
					}
				}
				if i != missing || shard != missingShard {
					objects = append(objects, s)
				}
			}
			groups[i] = g
			objects = append(objects, g)
		}
		reached := map[int]bool{}
		var reach func(i int)
		reach = func(i int) {
			if reached[i] {
				return
			}
			reached[i] = true
			if i == n {
				return
			}
			for _, m := range members[i] {
				if i != missing || home(m) != missingShard {
					reach(m)
				}
			}
		}
		reach(0)
		want := outside
		switch {
		case reached[n]:
			want = inside
		case reached[missing] && (groups[missing].Spec.Membership.Nested || home(n) == missingShard):
			want = unknown
		}
		k := reading(objects...)
		if got, err := k.standingWithin(t.Context(), groups[0], fmt.Sprint(n)); err != nil || got != want {
			t.Fatalf("%v, %v; want %v", got, err, want)
		}
		triggered := slices.Contains(triggers{k}.membersOf(t.Context(), groups[0]), fmt.Sprint(n))
		if triggered != reached[n] {
			t.Fatalf("triggered: %v, reached: %v", triggered, reached[n])
		}
	})
}
