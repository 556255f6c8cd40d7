package controllers

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/google/uuid"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

var _ = Describe("A group", func() {
	var w *world
	BeforeEach(func() {
		w = newWorld()
		w.directory("okta", primary)
	})

	It("shows how many members it has and which roles it grants", func() {
		w.role("admin", "Admins")
		g := w.group("okta", "Admins", w.user("okta", "ada@example.com"), w.user("okta", "bob@example.com"))
		Eventually(func() any { return get[v1alpha1.ScimGroup](w, g).Status.Roles }).Should(Equal([]string{"admin"}))
		Eventually(func() int32 { return get[v1alpha1.ScimGroup](w, g).Status.Members }).Should(BeEquivalentTo(2))
		w.eventuallyReason(w.groupConditions(g), v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	})

	It("grants nothing while another one holds its name", func() {
		w.role("admin", "Admins")
		first := w.group("okta", "Admins")
		w.eventuallyReason(w.groupConditions(first), v1alpha1.ConditionReady, v1alpha1.ReasonReady)
		ada := w.user("okta", "ada@example.com")
		second := w.group("okta", "ADMINS", ada)
		w.eventuallyReason(w.groupConditions(second), v1alpha1.ConditionStalled, v1alpha1.ReasonConflict)
		w.eventuallyAccess("ada@example.com active []")
		Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimGroup](w, first))).To(Succeed())
		w.eventuallyReason(w.groupConditions(second), v1alpha1.ConditionReady, v1alpha1.ReasonReady)
		w.eventuallyAccess("ada@example.com active [admin]")
	})

	It("loses members that do not exist, and no others", func() {
		ada, bob := w.user("okta", "ada@example.com"), w.user("okta", "bob@example.com")
		nested := w.group("okta", "Nested")
		g := w.group("okta", "Staff", ada, bob, nested, uuid.NewString())
		Eventually(func() int32 { return get[v1alpha1.ScimGroup](w, g).Status.Members }).Should(BeEquivalentTo(3))
		Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimUser](w, bob))).To(Succeed())
		Eventually(func() int32 { return get[v1alpha1.ScimGroup](w, g).Status.Members }).Should(BeEquivalentTo(2))
		var members []string
		for shard := range int32(2) {
			members = append(members, get[v1alpha1.ScimMemberSlice](w, v1alpha1.SliceName(g, "aaaaaaaa", shard)).Spec.Members...)
		}
		Expect(members).To(ConsistOf(ada, nested))
	})

	It("loses slices of epochs that it does not name, after a while and behind a fence", func() {
		name := w.group("okta", "Staff")
		g := get[v1alpha1.ScimGroup](w, name)
		orphan := w.slice(g, "zzzzzzzz", 0)
		made := get[v1alpha1.ScimMemberSlice](w, orphan).CreationTimestamp
		Eventually(func() any { return get[v1alpha1.ScimMemberSlice](w, orphan) }).Should(BeNil())
		Expect(time.Since(made.Time)).To(BeNumerically(">=", suiteSweepDelay))
		Expect(get[v1alpha1.ScimMemberSlice](w, v1alpha1.SliceName(name, "aaaaaaaa", 0))).NotTo(BeNil())
		swept := get[v1alpha1.ScimGroup](w, name)
		Expect(swept.Annotations).To(HaveKey("scim-operator.io/swept"))
		g.Spec.Membership.Epoch = "zzzzzzzz"
		Expect(k8s.Update(w.ctx, g)).To(MatchError(ContainSubstring("has been modified")),
			"a writer that read the group before the sweep must not commit any more")
	})

	It("leaves no slices behind when it is gone", func() {
		name := w.group("okta", "Staff")
		Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimGroup](w, name))).To(Succeed())
		for shard := range int32(2) {
			Eventually(func() any {
				return get[v1alpha1.ScimMemberSlice](w, v1alpha1.SliceName(name, "aaaaaaaa", shard))
			}).Should(BeNil())
		}
	})
})

var _ = Describe("A role", func() {
	It("says which groups it waits for, and counts who has it", func() {
		w := newWorld()
		w.directory("okta", primary)
		w.role("admin", "Admins")
		conditions := func() string {
			for _, c := range get[v1alpha1.AppRole](w, "admin").Status.Conditions {
				if c.Type == v1alpha1.ConditionReady {
					return c.Reason + ": " + c.Message
				}
			}
			return ""
		}
		Eventually(conditions).Should(ContainSubstring(`GroupNotFound: not found: the group with displayName "Admins" in ScimDirectory okta`))
		w.group("okta", "Admins", w.user("okta", "ada@example.com"))
		Eventually(conditions).Should(HavePrefix("Ready: "))
		Eventually(func() []int32 {
			s := get[v1alpha1.AppRole](w, "admin").Status
			return []int32{s.Groups, s.Members}
		}).Should(Equal([]int32{1, 1}))
	})
})
