package controllers

import (
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

var _ = Describe("In the course of time, the safeguard", func() {
	It("never holds one person alone, even while others are held, and lets additions pass", func() {
		w := newIsolatedWorld(solitudeIsolation)
		w.operate()
		w.role("admin", "Admins")
		w.directory("okta", primary, guarded(1))
		w.role("viewer", "Viewers")
		ids, group, words := w.staff("okta", 3)
		w.pass(solitude)
		w.setActive(ids[0], false)
		w.eventuallyAccess(inactive(words)[0], words[1], words[2])
		w.removeFromGroup(group, ids[1])
		w.removeFromGroup(group, ids[2])
		Eventually(w.held("okta")).Should(Equal(2))
		Expect(w.heldMessage("okta")).To(ContainSubstring(`"p01@example.com" (admin)`))

		newcomer := w.user("okta", "q@example.com")
		w.group("okta", "Viewers", ids[1], newcomer)
		w.eventuallyAccess(inactive(words)[0], "p01@example.com active [admin viewer]", words[2], "q@example.com active [viewer]")

		w.pass(solitude)
		w.setActive(newcomer, false)
		w.eventuallyAccess(inactive(words)[0], "p01@example.com active [admin viewer]", words[2], "q@example.com inactive []")
		Expect(w.held("okta")()).To(Equal(2))
	})

	It("judges anew in a new window", func() {
		w := newIsolatedWorld(windowIsolation)
		w.operate()
		w.role("admin", "Admins")
		w.directory("okta", primary, guarded(2))
		ids, _, words := w.staff("okta", 6)
		w.setActive(ids[0], false)
		w.setActive(ids[1], false)
		now := inactive(words[:2])
		w.eventuallyAccess(slices.Concat(now, words[2:])...)
		w.setActive(ids[2], false)
		w.setActive(ids[3], false)
		Eventually(w.held("okta")).Should(Equal(2))
		w.pass(time.Hour)
		w.setActive(ids[4], false)
		w.setActive(ids[5], false)
		w.eventuallyAccess(slices.Concat(now, words[2:4], inactive(words[4:]))...)
		Expect(w.removed("okta")).To(Equal(2))
		Expect(w.held("okta")()).To(Equal(2))
	})

	It("holds the same plan after a restart, so that its approval is still good", func() {
		w := newIsolatedWorld(restartIsolation)
		stop := w.operate()
		w.role("admin", "Admins")
		w.directory("okta", primary, guarded(1))
		ids, _, words := w.staff("okta", 4)
		w.atOnce(ids[:2], func(id string) { w.setActive(id, false) })
		w.remove(get[v1alpha1.ScimUser](w.world, ids[2]))
		Eventually(w.held("okta")).Should(Equal(3))
		for _, id := range ids[:3] {
			w.eventuallyReason(w.memberConditions(id), v1alpha1.ConditionReady, v1alpha1.ReasonChangesHeld)
		}
		before := get[v1alpha1.ScimDirectory](w.world, "okta").Status.Held
		stop()
		w.pass(time.Hour)
		stop = w.operate()
		Consistently(func() any { return get[v1alpha1.ScimDirectory](w.world, "okta").Status.Held }).Should(Equal(before))
		Expect(w.access()).To(Equal(words))
		stop()
		w.approveHeld("okta")
		w.operate()
		w.eventuallyAccess(inactive(words)[0], inactive(words)[1], words[3])
		Eventually(func() string { return w.heldMessage("okta") }).Should(BeEmpty())
		Expect(w.removed("okta")).To(Equal(3))
	})

	It("leaves the rest of an approved plan to a new approval, when the operator dies in the middle", func() {
		w := newIsolatedWorld(crashIsolation)
		stop := w.operate()
		w.role("admin", "Admins")
		w.directory("okta", primary, guarded(1))
		ids, _, words := w.staff("okta", 3)
		w.atOnce(ids, func(id string) { w.setActive(id, false) })
		Eventually(w.held("okta")).Should(Equal(3))
		for _, id := range ids {
			w.eventuallyReason(w.memberConditions(id), v1alpha1.ConditionReady, v1alpha1.ReasonChangesHeld)
		}
		stop()
		// What it put on record before the first member lost anything.
		plan := get[v1alpha1.ScimDirectory](w.world, "okta").Status.Held.Plan
		recorded := heldReport{windowStart: w.Now().Unix(), removed: 3}
		d := get[v1alpha1.ScimDirectory](w.world, "okta")
		Expect((&safeguardReconciler{kube: kube{Client: k8s}}).writeStatus(w.ctx, d, recorded)).To(Succeed())
		w.approve("okta", plan)
		w.pass(time.Minute)
		w.operate()
		Eventually(w.held("okta")).Should(Equal(3))
		Expect(get[v1alpha1.ScimDirectory](w.world, "okta").Status.Held.Plan).NotTo(Equal(plan))
		Expect(w.heldMessage("okta")).To(HaveSuffix("the plan has changed"))
		Consistently(w.access).Should(Equal(words))
		Expect(w.removed("okta")).To(Equal(3))
		w.approveHeld("okta")
		w.eventuallyAccess(inactive(words)...)
	})

	It("keeps the last holder of a protected role over a restart", func() {
		w := newIsolatedWorld(holderIsolation)
		stop := w.operate()
		w.role("admin", "Admins")
		w.protect("admin", true)
		w.directory("okta", primary)
		ada := w.user("okta", "ada@example.com")
		w.group("okta", "Admins", ada)
		w.eventuallyAccess("ada@example.com active [admin]")
		stop()
		w.remove(get[v1alpha1.ScimUser](w.world, ada))
		stop = w.operate()
		w.eventuallyReason(w.memberConditions(ada), v1alpha1.ConditionReady, v1alpha1.ReasonLastHolder)
		stop()
		w.localMember("root", "root@example.com", "admin")
		w.operate()
		w.eventuallyAccess("root@example.com active [admin]")
	})
})
