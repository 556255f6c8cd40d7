package controllers

import (
	"fmt"
	"slices"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

var _ = Describe("A person's access", func() {
	var w *world
	BeforeEach(func() { w = newWorld() })

	Context("in the primary directory", func() {
		var ada, admins string
		BeforeEach(func() {
			w.directory("okta", primary)
			w.role("admin", "Admins")
			ada = w.user("okta", "ada@example.com")
			admins = w.group("okta", "admins", ada)
			w.eventuallyAccess("ada@example.com active [admin]")
		})

		It("says who the person is and why they have the role", func() {
			m := get[v1alpha1.AppMembership](w, ada)
			Expect(m.Spec.User.Email).To(Equal("ada@example.com"))
			Expect(m.Spec.UserRef).To(Equal(&v1alpha1.UserReference{Directory: "okta", Name: ada}))
			Eventually(func() any { return get[v1alpha1.AppMembership](w, ada).Status.Grants }).
				Should(Equal([]v1alpha1.RoleGrant{{Role: "admin", Groups: []string{admins}}}))
			Expect(get[v1alpha1.AppMembership](w, ada).Status.ManagedBy).To(Equal("okta"))
			w.eventuallyReason(w.userConditions(ada), v1alpha1.ConditionReady, v1alpha1.ReasonProvisioned)
			// Ada was provisioned before she had the role; her status says each after it has happened.
			Eventually(func() []string { return get[v1alpha1.ScimUser](w, ada).Status.Roles }).Should(Equal([]string{"admin"}))
		})

		It("ends at once with deactivation and comes back with activation", func() {
			w.setActive(ada, false)
			w.eventuallyAccess("ada@example.com inactive []")
			w.eventuallyReason(w.userConditions(ada), v1alpha1.ConditionReady, v1alpha1.ReasonDeactivated)
			w.setActive(ada, true)
			w.eventuallyAccess("ada@example.com active [admin]")
		})

		It("follows the group's members", func() {
			w.removeFromGroup(admins, ada)
			w.eventuallyAccess("ada@example.com active []")
			w.addToGroup(admins, ada)
			w.eventuallyAccess("ada@example.com active [admin]")
		})

		It("follows the group's name", func() {
			change(w, admins, func(g *v1alpha1.ScimGroup) { g.Spec.DisplayName = "Others" })
			w.eventuallyAccess("ada@example.com active []")
		})

		It("follows the group from one epoch to the next", func() {
			g := get[v1alpha1.ScimGroup](w, admins)
			bob := w.user("okta", "bob@example.com")
			w.slice(g, "bbbbbbbb", 0, bob)
			change(w, admins, func(g *v1alpha1.ScimGroup) {
				g.Spec.Membership = &v1alpha1.GroupMembership{Epoch: "bbbbbbbb", Shards: 1}
			})
			w.eventuallyAccess("ada@example.com active []", "bob@example.com active [admin]")
		})

		It("does not change while a slice of the group is missing", func() {
			change(w, admins, func(g *v1alpha1.ScimGroup) {
				g.Spec.Membership = &v1alpha1.GroupMembership{Epoch: "cccccccc", Shards: 1}
			})
			w.eventuallyReason(w.groupConditions(admins), v1alpha1.ConditionReconciling, v1alpha1.ReasonMembersIncomplete)
			Consistently(w.access).Should(Equal([]string{"ada@example.com active [admin]"}))
			w.slice(get[v1alpha1.ScimGroup](w, admins), "cccccccc", 0)
			w.eventuallyAccess("ada@example.com active []")
		})

		It("ends when the group is deleted", func() {
			Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimGroup](w, admins))).To(Succeed())
			w.eventuallyAccess("ada@example.com active []")
		})

		It("ends when the role is deleted, or no longer granted to the group", func() {
			w.role("viewer", "Admins")
			w.eventuallyAccess("ada@example.com active [admin viewer]")
			Expect(k8s.Delete(w.ctx, get[v1alpha1.AppRole](w, "viewer"))).To(Succeed())
			w.eventuallyAccess("ada@example.com active [admin]")
			change(w, "admin", func(r *v1alpha1.AppRole) { r.Spec.GrantedTo = nil })
			w.eventuallyAccess("ada@example.com active []")
		})

		It("is gone with the person", func() {
			Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimUser](w, ada))).To(Succeed())
			w.eventuallyAccess()
		})

		It("keeps a role granted by hand, on record even after the person is removed", func() {
			w.grantByHand(ada, "owner")
			w.removeFromGroup(admins, ada)
			w.eventuallyAccess("ada@example.com active [owner]")
			Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimUser](w, ada))).To(Succeed())
			w.eventuallyAccess("ada@example.com inactive [owner]")
			w.eventuallyReason(func() []metav1.Condition { return get[v1alpha1.AppMembership](w, ada).Status.Conditions },
				v1alpha1.ConditionReady, v1alpha1.ReasonRemoved)
		})

		It("comes back to the recorded member when the person is pushed anew", func() {
			w.grantByHand(ada, "owner")
			Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimUser](w, ada))).To(Succeed())
			w.eventuallyAccess("ada@example.com inactive [owner]")
			again := w.user("okta", "Ada@example.com")
			w.eventuallyAccess("Ada@example.com active [owner]")
			Expect(get[v1alpha1.AppMembership](w, ada).Spec.UserRef.Name).To(Equal(again))
		})

		It("is mended when somebody changes what the identity provider owns", func() {
			change(w, ada, func(m *v1alpha1.AppMembership) { m.Spec.Active, m.Spec.Roles = false, nil })
			w.eventuallyAccess("ada@example.com active [admin]")
			Expect(k8s.Delete(w.ctx, get[v1alpha1.AppMembership](w, ada))).To(Succeed())
			w.eventuallyAccess("ada@example.com active [admin]")
		})

		It("stalls visibly when there is no room for a role, and can still be taken away", func() {
			byHand := make([]string, v1alpha1.MaxRoles-1)
			for i := range byHand {
				byHand[i] = fmt.Sprintf("by-hand-%03d", i)
			}
			w.grantByHand(ada, byHand...)
			w.role("viewer", "Admins")
			w.eventuallyReason(w.userConditions(ada), v1alpha1.ConditionStalled, v1alpha1.ReasonTooManyRoles)
			Expect(get[v1alpha1.AppMembership](w, ada).Spec.Roles).To(ConsistOf(append(byHand, "admin")))
			Expect(k8s.Delete(w.ctx, get[v1alpha1.AppRole](w, "admin"))).To(Succeed())
			Eventually(func() []string { return get[v1alpha1.AppMembership](w, ada).Spec.Roles }).
				Should(ConsistOf(append(byHand, "viewer")))
			w.eventuallyReason(w.userConditions(ada), v1alpha1.ConditionReady, v1alpha1.ReasonProvisioned)
		})

		It("includes default roles", func() {
			w.create(&v1alpha1.AppRole{
				ObjectMeta: metav1.ObjectMeta{Name: "everyone"}, Spec: v1alpha1.AppRoleSpec{Default: true},
			})
			w.eventuallyAccess("ada@example.com active [admin everyone]")
		})

		It("is not written again when nothing changed", func() {
			w.eventuallyReason(w.userConditions(ada), v1alpha1.ConditionReady, v1alpha1.ReasonProvisioned)
			Eventually(func() []string { return get[v1alpha1.ScimUser](w, ada).Status.Roles }).Should(Equal([]string{"admin"}))
			before := get[v1alpha1.AppMembership](w, ada).ResourceVersion
			change(w, ada, func(u *v1alpha1.ScimUser) { u.Annotations = map[string]string{"seen": "again"} })
			user := get[v1alpha1.ScimUser](w, ada).ResourceVersion
			Consistently(func() []string {
				return []string{get[v1alpha1.AppMembership](w, ada).ResourceVersion, get[v1alpha1.ScimUser](w, ada).ResourceVersion}
			}).Should(Equal([]string{before, user}))
		})

		It("is withheld from two users of one userName until the identity provider settles it", func() {
			double := w.user("okta", "ADA@example.com")
			w.eventuallyReason(w.userConditions(double), v1alpha1.ConditionStalled, v1alpha1.ReasonConflict)
			Consistently(func() any { return get[v1alpha1.AppMembership](w, double) }).Should(BeNil())
			Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimUser](w, ada))).To(Succeed())
			w.eventuallyAccess("ADA@example.com active []")
			w.eventuallyReason(w.userConditions(double), v1alpha1.ConditionReady, v1alpha1.ReasonProvisioned)
		})
	})

	It("takes over a local member of the same userName, with the roles it has", func() {
		w.directory("okta", primary)
		w.role("admin", "Admins")
		w.localMember("local", "ADA@example.com", "owner")
		w.eventuallyReason(func() []metav1.Condition { return get[v1alpha1.AppMembership](w, "local").Status.Conditions },
			v1alpha1.ConditionReady, v1alpha1.ReasonLocal)
		ada := w.user("okta", "ada@example.com")
		w.group("okta", "Admins", ada)
		w.eventuallyAccess("ada@example.com active [admin owner]")
		Expect(get[v1alpha1.AppMembership](w, "local").Spec.UserRef.Name).To(Equal(ada))
	})

	It("does not come from a directory that is not primary", func() {
		w.directory("okta", primary)
		w.directory("entra")
		w.role("admin", "Admins")
		ada := w.user("entra", "ada@example.com")
		w.group("entra", "Admins", ada)
		w.eventuallyReason(w.userConditions(ada), v1alpha1.ConditionReady, v1alpha1.ReasonNotPrimary)
		Consistently(w.access).Should(BeEmpty())
	})

	It("ends when the only primary directory gives that up", func() {
		w.directory("okta", primary)
		w.role("admin", "Admins")
		ada := w.user("okta", "ada@example.com")
		w.group("okta", "Admins", ada)
		w.eventuallyAccess("ada@example.com active [admin]")
		w.setPrimary("okta", false)
		w.eventuallyAccess()
		Expect(get[v1alpha1.ScimDirectory](w, "okta").Status.Primary).To(BeFalse())
	})

	DescribeTable("has no gap for a person who is in both directories when the primary one changes", func(flip func()) {
		w.directory("okta", primary)
		w.directory("entra")
		w.role("admin", "Admins")
		inOkta, inEntra := w.user("okta", "ada@example.com"), w.user("entra", "Ada@Example.com")
		leaver := w.user("okta", "leaver@example.com")
		w.group("okta", "Admins", inOkta, leaver)
		entras := w.group("entra", "Admins", inEntra)
		w.eventuallyAccess("ada@example.com active [admin]", "leaver@example.com active [admin]")
		w.eventuallyReason(w.groupConditions(entras), v1alpha1.ConditionReady, v1alpha1.ReasonReady)
		w.eventuallyReason(w.userConditions(inEntra), v1alpha1.ConditionReady, v1alpha1.ReasonNotPrimary)
		seen := watchMember(w, inOkta)

		flip()
		w.eventuallyAccess("Ada@Example.com active [admin]")
		Eventually(func() string { return get[v1alpha1.AppMembership](w, inOkta).Spec.UserRef.Directory }).Should(Equal("entra"))
		Eventually(func() bool { return get[v1alpha1.ScimDirectory](w, "okta").Status.Primary }).Should(BeFalse())
		w.eventuallyReason(w.userConditions(inOkta), v1alpha1.ConditionReady, v1alpha1.ReasonNotPrimary)
		versions := seen()
		Expect(versions).NotTo(BeEmpty())
		for _, m := range versions {
			Expect(m.Spec.Active && slices.Contains(m.Spec.Roles, "admin")).To(BeTrue(), inWords(&m))
		}
	},
		Entry("first cleared, then set", func() { w.setPrimary("okta", false); w.setPrimary("entra", true) }),
		Entry("first set, then cleared", func() {
			w.setPrimary("entra", true)
			w.eventuallyReason(w.directoryConditions("entra"), v1alpha1.ConditionPrimary, v1alpha1.ReasonPrimaryConflict)
			w.setPrimary("okta", false)
		}),
	)
})

// watchMember records every version of a member from now on; a deletion is recorded as a version without access. A watch
// that breaks before it is stopped fails the spec, because a version could be missing.
func watchMember(w *world, name string) (stop func() []v1alpha1.AppMembership) {
	GinkgoHelper()
	stream, err := k8s.Watch(w.ctx, &v1alpha1.AppMembershipList{}, client.InNamespace(w.ns),
		client.MatchingFields{"metadata.name": name})
	Expect(err).NotTo(HaveOccurred())
	var stopped atomic.Bool
	recorded := make(chan []v1alpha1.AppMembership, 1)
	go func() {
		defer GinkgoRecover()
		var versions []v1alpha1.AppMembership
		for e := range stream.ResultChan() {
			switch m, ok := e.Object.(*v1alpha1.AppMembership); {
			case e.Type == watch.Deleted:
				versions = append(versions, v1alpha1.AppMembership{})
			case ok:
				versions = append(versions, *m)
			default:
				Expect(stopped.Load()).To(BeTrue(), "the watch broke: %v", e.Object)
			}
		}
		Expect(stopped.Load()).To(BeTrue(), "the watch ended")
		recorded <- versions
	}()
	end := func() {
		stopped.Store(true)
		stream.Stop()
	}
	DeferCleanup(end)
	return func() []v1alpha1.AppMembership {
		GinkgoHelper()
		end()
		var versions []v1alpha1.AppMembership
		Eventually(recorded).Should(Receive(&versions))
		return versions
	}
}
