package controllers

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// events are the reasons of those about an object, one for each time.
func (w *world) events(name string) func() []string {
	return func() []string {
		GinkgoHelper()
		var list eventsv1.EventList
		Expect(k8s.List(w.ctx, &list, client.InNamespace(w.ns))).To(Succeed())
		reasons := []string{}
		for _, e := range list.Items {
			if e.Regarding.Name == name {
				reasons = append(reasons, e.Reason)
			}
		}
		return reasons
	}
}

func (w *world) eventuallyEvents(name string, reasons ...any) {
	GinkgoHelper()
	Eventually(w.events(name)).Should(ConsistOf(reasons...))
}

func (w *world) release(group string) {
	GinkgoHelper()
	change(w, group, func(g *v1alpha1.ScimGroup) { annotate(g, v1alpha1.ReleaseAnnotation, "true") })
}

var _ = Describe("A group that an administrator releases", func() {
	var w *world
	var ada, group string
	BeforeEach(func() {
		w = newWorld()
		w.directory("okta", primary, groupsAsRoles)
		ada = w.user("okta", "ada@example.com")
		group = w.group("okta", "Engineers", ada)
		w.eventuallyAccess("ada@example.com active [engineers]")
		w.eventuallyReason(w.groupConditions(group), v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	})
	marked := func() []string {
		var marks []string
		for _, s := range w.slices() {
			marks = append(marks, s.Annotations[v1alpha1.ReleaseAnnotation])
		}
		return marks
	}

	It("says so, with its slices, in its status and in one event, and grants what it did", func() {
		w.release(group)
		w.eventuallyReason(w.groupConditions(group), v1alpha1.ConditionReleased, v1alpha1.ReasonReleaseRequested)
		w.eventuallyEvents(group, v1alpha1.EventGroupReleased)
		Eventually(marked).Should(Equal([]string{"true", "true"}))
		change(w, group, func(g *v1alpha1.ScimGroup) { g.Spec.DisplayName = "Edited" })
		Consistently(w.access).Should(Equal([]string{"ada@example.com active [engineers]"}))
		Expect(w.events(group)()).To(HaveLen(1))

		change(w, group, func(g *v1alpha1.ScimGroup) { delete(g.Annotations, v1alpha1.ReleaseAnnotation) })
		Eventually(marked).Should(Equal([]string{"", ""}))
		w.eventuallyReason(w.groupConditions(group), v1alpha1.ConditionReleased, "")
		w.eventuallyAccess("ada@example.com active [engineers]")
	})

	It("marks slices that come later, too", func() {
		w.release(group)
		Eventually(marked).Should(Equal([]string{"true", "true"}))
		w.slice(get[v1alpha1.ScimGroup](w, group), "bbbbbbbb", 0, ada)
		change(w, group, func(g *v1alpha1.ScimGroup) {
			g.Spec.Membership = &v1alpha1.GroupMembership{Epoch: "bbbbbbbb", Shards: 1}
		})
		Eventually(func() string {
			return get[v1alpha1.ScimMemberSlice](w, v1alpha1.SliceName(group, "bbbbbbbb", 0)).Annotations[v1alpha1.ReleaseAnnotation]
		}).Should(Equal("true"))
	})

	It("ends like any other when it is deleted, and so does its role", func() {
		w.release(group)
		w.eventuallyReason(w.groupConditions(group), v1alpha1.ConditionReleased, v1alpha1.ReasonReleaseRequested)
		Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimGroup](w, group))).To(Succeed())
		w.eventuallyAccess("ada@example.com active []")
		Eventually(w.roles).Should(BeEmpty())
		Eventually(w.slices).Should(BeEmpty())
	})
})

var _ = Describe("Two groups of one name", func() {
	It("are told of in one event, when the conflict begins", func() {
		w := newWorld()
		w.directory("okta", primary)
		first := w.group("okta", "Admins")
		w.eventuallyReason(w.groupConditions(first), v1alpha1.ConditionReady, v1alpha1.ReasonReady)
		second := w.group("okta", "ADMINS")
		w.eventuallyEvents(second, v1alpha1.ReasonConflict)
		change(w, second, func(g *v1alpha1.ScimGroup) { g.Spec.ExternalID = "looked at again" })
		Eventually(func() int64 {
			g := get[v1alpha1.ScimGroup](w, second)
			return g.Generation - g.Status.ObservedGeneration
		}).Should(BeZero())
		Consistently(w.events(second)).Should(ConsistOf(v1alpha1.ReasonConflict))
	})
})
