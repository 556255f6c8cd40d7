package controllers

import (
	"fmt"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// guarded lets so many people lose something within an hour.
func guarded(people int32) func(*v1alpha1.ScimDirectory) {
	return func(d *v1alpha1.ScimDirectory) {
		d.Spec.Safeguard = &v1alpha1.Safeguard{Minimum: &people, Percent: new(int32(0))}
	}
}

// staff makes that many people with the role admin through the group Admins.
func (w *world) staff(directory string, n int) (ids []string, group string, words []string) {
	GinkgoHelper()
	for i := range n {
		name := fmt.Sprintf("p%02d@example.com", i)
		ids = append(ids, w.user(directory, name))
		words = append(words, name+" active [admin]")
	}
	group = w.group(directory, "Admins", ids...)
	w.eventuallyAccess(words...)
	return ids, group, words
}

// atOnce does something to people within less time than the safeguard gathers what comes together.
func (w *world) atOnce(ids []string, do func(id string)) {
	GinkgoHelper()
	var all sync.WaitGroup
	for _, id := range ids {
		all.Go(func() {
			defer GinkgoRecover()
			do(id)
		})
	}
	all.Wait()
}

func (w *world) held(directory string) func() int {
	return func() int {
		if h := get[v1alpha1.ScimDirectory](w, directory).Status.Held; h != nil {
			return int(h.People)
		}
		return 0
	}
}

func (w *world) removed(directory string) int {
	GinkgoHelper()
	r := get[v1alpha1.ScimDirectory](w, directory).Status.Removals
	if r == nil {
		return 0
	}
	return int(r.People)
}

func (w *world) heldMessage(directory string) string {
	GinkgoHelper()
	c := meta.FindStatusCondition(w.directoryConditions(directory)(), v1alpha1.ConditionChangesHeld)
	if c == nil {
		return ""
	}
	return c.Message
}

func (w *world) approve(directory, plan string) {
	GinkgoHelper()
	change(w, directory, func(d *v1alpha1.ScimDirectory) {
		metav1.SetMetaDataAnnotation(&d.ObjectMeta, v1alpha1.ApproveAnnotation, plan)
	})
}

func (w *world) approveHeld(directory string) {
	GinkgoHelper()
	w.approve(directory, get[v1alpha1.ScimDirectory](w, directory).Status.Held.Plan)
}

func (w *world) memberConditions(name string) func() []metav1.Condition {
	return func() []metav1.Condition {
		if m := get[v1alpha1.AppMembership](w, name); m != nil {
			return m.Status.Conditions
		}
		return nil
	}
}

func (w *world) remove(o client.Object) {
	GinkgoHelper()
	Expect(k8s.Delete(w.ctx, o)).To(Succeed())
}

func (w *world) protect(role string, is bool) {
	GinkgoHelper()
	change(w, role, func(r *v1alpha1.AppRole) { r.Spec.Protected = is })
}

func (w *world) told(directory string) func() []string {
	return func() []string {
		var list eventsv1.EventList
		Expect(k8s.List(w.ctx, &list, client.InNamespace(w.ns))).To(Succeed())
		var told []string
		for _, e := range list.Items {
			if e.Regarding.Name == directory {
				told = append(told, e.Reason)
			}
		}
		return told
	}
}

var _ = Describe("The safeguard", func() {
	var w *world
	BeforeEach(func() {
		w = newWorld()
		w.role("admin", "Admins")
	})

	It("holds a mass deactivation as a whole, says who and how to approve, and releases what is approved", func() {
		w.directory("okta", primary, guarded(2))
		ids, _, words := w.staff("okta", 4)
		w.atOnce(ids, func(id string) { w.setActive(id, false) })
		Eventually(w.held("okta")).Should(Equal(4))
		Expect(w.access()).To(Equal(words))
		d := get[v1alpha1.ScimDirectory](w, "okta")
		Expect(w.heldMessage("okta")).To(And(
			ContainSubstring("4 people would lose access or roles"),
			ContainSubstring(`"p00@example.com" (access)`),
			ContainSubstring("kubectl annotate scimdirectory okta -n "+w.ns+" --overwrite scim-operator.io/approve="+
				d.Status.Held.Plan),
		))
		for _, id := range ids {
			w.eventuallyReason(w.userConditions(id), v1alpha1.ConditionReady, v1alpha1.ReasonChangesHeld)
			w.eventuallyReason(w.memberConditions(id), v1alpha1.ConditionReady, v1alpha1.ReasonChangesHeld)
		}
		Expect(get[v1alpha1.ScimUser](w, ids[0]).Status.Roles).To(Equal([]string{"admin"}))
		Expect(w.removed("okta")).To(BeZero())
		Consistently(w.access).Should(Equal(words))

		w.approveHeld("okta")
		w.eventuallyAccess(inactive(words)...)
		Eventually(func() string { return w.heldMessage("okta") }).Should(BeEmpty())
		Expect(w.held("okta")()).To(BeZero())
		Expect(w.removed("okta")).To(Equal(4))
		Eventually(func() map[string]string { return get[v1alpha1.ScimDirectory](w, "okta").Annotations }).
			ShouldNot(HaveKey(v1alpha1.ApproveAnnotation))
		w.eventuallyReason(w.userConditions(ids[0]), v1alpha1.ConditionReady, v1alpha1.ReasonDeactivated)
		Eventually(w.told("okta")).Should(ContainElements("ChangesHeld", "ChangesReleased"))
	})

	It("lets as many pass as it allows, and counts them", func() {
		w.directory("okta", primary, guarded(2))
		ids, _, words := w.staff("okta", 3)
		w.setActive(ids[0], false)
		w.setActive(ids[1], false)
		w.eventuallyAccess(inactive(words[:2])[0], inactive(words[:2])[1], words[2])
		Expect(w.removed("okta")).To(Equal(2))
		Expect(w.held("okta")()).To(BeZero())
	})

	It("drops from the plan who comes back, so that the former approval releases nothing", func() {
		w.directory("okta", primary, guarded(1))
		ids, _, words := w.staff("okta", 3)
		w.atOnce(ids, func(id string) { w.setActive(id, false) })
		Eventually(w.held("okta")).Should(Equal(3))
		plan := get[v1alpha1.ScimDirectory](w, "okta").Status.Held.Plan
		w.setActive(ids[0], true)
		Eventually(w.held("okta")).Should(Equal(2))
		w.eventuallyReason(w.userConditions(ids[0]), v1alpha1.ConditionReady, v1alpha1.ReasonProvisioned)

		w.approve("okta", plan)
		Eventually(func() string { return w.heldMessage("okta") }).Should(HaveSuffix("the plan has changed"))
		Consistently(w.access).Should(Equal(words))
		w.approveHeld("okta")
		w.eventuallyAccess(words[0], inactive(words)[1], inactive(words)[2])
	})

	DescribeTable("holds also", func(take func(ids []string, group string), after func(words []string) []string) {
		w.directory("okta", primary, revoke, guarded(1))
		ids, group, words := w.staff("okta", 3)
		take(ids, group)
		Eventually(w.held("okta")).Should(Equal(3))
		for _, id := range ids {
			w.eventuallyReason(w.memberConditions(id), v1alpha1.ConditionReady, v1alpha1.ReasonChangesHeld)
		}
		Consistently(w.access).Should(Equal(words))
		w.approveHeld("okta")
		w.eventuallyAccess(after(words)...)
	},
		Entry("deleted people", func(ids []string, _ string) {
			w.atOnce(ids, func(id string) { w.remove(get[v1alpha1.ScimUser](w, id)) })
		}, gone),
		Entry("an emptied group", func(_ []string, group string) {
			change(w, group, func(g *v1alpha1.ScimGroup) { g.Spec.Membership = nil })
		}, roleless),
		Entry("a deleted group", func(_ []string, group string) { w.remove(get[v1alpha1.ScimGroup](w, group)) }, roleless),
		Entry("a role that is granted to the group no longer", func([]string, string) {
			change(w, "admin", func(r *v1alpha1.AppRole) { r.Spec.GrantedTo = nil })
		}, roleless),
		Entry("a deleted role", func([]string, string) { w.remove(get[v1alpha1.AppRole](w, "admin")) }, roleless),
		Entry("a directory that grants access no longer", func([]string, string) { w.setPrimary("okta", false) }, gone),
		Entry("a directory that is deleted", func([]string, string) {
			w.remove(get[v1alpha1.ScimDirectory](w, "okta"))
			c := func() string {
				return meta.FindStatusCondition(w.directoryConditions("okta")(), v1alpha1.ConditionReady).Message
			}
			Eventually(c).Should(ContainSubstring("the safeguard holds back 3 people"))
		}, gone),
	)

	It("lets a directory go that is deleted with its people retained", func() {
		w.directory("okta", primary, guarded(1))
		ids, _, words := w.staff("okta", 3)
		w.atOnce(ids, func(id string) { w.setActive(id, false) })
		Eventually(w.held("okta")).Should(Equal(3))
		w.remove(get[v1alpha1.ScimDirectory](w, "okta"))
		Eventually(func() any { return get[v1alpha1.ScimDirectory](w, "okta") }).Should(BeNil())
		Expect(w.access()).To(Equal(words))
	})

	It("holds only people of the old directory when the primary one changes", func() {
		w.directory("okta", primary, guarded(1))
		ids, _, words := w.staff("okta", 4)
		w.directory("entra")
		also := w.user("entra", "p00@example.com")
		entras := w.group("entra", "Admins", also)
		w.eventuallyReason(w.groupConditions(entras), v1alpha1.ConditionReady, v1alpha1.ReasonReady)
		seen := watchMember(w, ids[0])
		w.setPrimary("entra", true)
		w.setPrimary("okta", false)
		Eventually(w.held("okta")).Should(Equal(3))
		Eventually(func() string { return get[v1alpha1.AppMembership](w, ids[0]).Spec.UserRef.Directory }).Should(Equal("entra"))
		Expect(w.access()).To(Equal(words))
		for _, m := range seen() {
			Expect(inWords(&m)).To(Equal(words[0]))
		}
		w.approveHeld("okta")
		w.eventuallyAccess(words[0])
	})

	DescribeTable("re-evaluates what it holds", func(edit func(*v1alpha1.ScimDirectory)) {
		w.directory("okta", primary, guarded(1))
		ids, _, words := w.staff("okta", 3)
		w.atOnce(ids, func(id string) { w.setActive(id, false) })
		Eventually(w.held("okta")).Should(Equal(3))
		change(w, "okta", func(d *v1alpha1.ScimDirectory) { d.Spec.Suspended = true })
		Consistently(w.access).Should(Equal(words))
		change(w, "okta", edit)
		w.eventuallyAccess(inactive(words)...)
		Eventually(func() string { return w.heldMessage("okta") }).Should(BeEmpty())
	},
		Entry("when it allows more", guarded(3)),
		Entry("when it is removed", func(d *v1alpha1.ScimDirectory) { d.Spec.Safeguard = nil }),
	)
})

// inactive are the words for people who have been deactivated.
func inactive(words []string) []string {
	var changed []string
	for _, word := range words {
		changed = append(changed, strings.Replace(word, " active [admin]", " inactive []", 1))
	}
	return changed
}

func gone([]string) []string { return nil }

func roleless(words []string) []string {
	var changed []string
	for _, word := range words {
		changed = append(changed, strings.Replace(word, "[admin]", "[]", 1))
	}
	return changed
}

var _ = Describe("The last holder of a protected role", func() {
	var w *world
	BeforeEach(func() {
		w = newWorld()
		w.role("admin", "Admins")
		w.protect("admin", true)
	})

	for _, c := range []struct {
		name string
		edit []func(*v1alpha1.ScimDirectory)
	}{
		{"without a safeguard", nil},
		{"also when the removal is approved", []func(*v1alpha1.ScimDirectory){guarded(1)}},
	} {
		It("stays when all are deactivated at once, "+c.name, func() {
			w.directory("okta", append(c.edit, primary)...)
			ids, _, _ := w.staff("okta", 3)
			w.atOnce(ids, func(id string) { w.setActive(id, false) })
			if c.edit != nil {
				Eventually(w.held("okta")).Should(Equal(3))
				w.approveHeld("okta")
			}
			holders := func() (active []string) {
				for _, id := range ids {
					if inWords(get[v1alpha1.AppMembership](w, id)) == get[v1alpha1.ScimUser](w, id).Spec.UserName+" active [admin]" {
						active = append(active, id)
					}
				}
				return active
			}
			Eventually(holders).Should(HaveLen(1))
			last := holders()[0]
			w.eventuallyReason(w.userConditions(last), v1alpha1.ConditionStalled, v1alpha1.ReasonLastHolder)
			w.eventuallyReason(w.memberConditions(last), v1alpha1.ConditionReady, v1alpha1.ReasonLastHolder)
			Expect(meta.FindStatusCondition(w.userConditions(last)(), v1alpha1.ConditionStalled).Message).To(
				ContainSubstring("AppRole admin"))
			Consistently(holders).Should(Equal([]string{last}))

			w.localMember("root", "root@example.com", "admin")
			Eventually(func() bool { return get[v1alpha1.AppMembership](w, last).Spec.Active }).Should(BeFalse())
			w.eventuallyReason(w.userConditions(last), v1alpha1.ConditionReady, v1alpha1.ReasonDeactivated)
		})
	}

	It("keeps the role but loses others, and it all once the role is protected no longer", func() {
		w.directory("okta", primary)
		w.role("viewer", "Admins")
		ada := w.user("okta", "ada@example.com")
		w.group("okta", "Admins", ada)
		w.eventuallyAccess("ada@example.com active [admin viewer]")
		w.remove(get[v1alpha1.ScimUser](w, ada))
		w.eventuallyAccess("ada@example.com active [admin]")
		w.eventuallyReason(w.memberConditions(ada), v1alpha1.ConditionReady, v1alpha1.ReasonLastHolder)
		w.protect("admin", false)
		w.eventuallyAccess()
	})

	It("keeps access for a role that was granted by hand", func() {
		w.directory("okta", primary)
		w.role("owner")
		w.protect("owner", true)
		ada := w.user("okta", "ada@example.com")
		w.eventuallyAccess("ada@example.com active []")
		w.grantByHand(ada, "owner")
		w.eventuallyAccess("ada@example.com active [owner]")
		w.setActive(ada, false)
		w.eventuallyReason(w.userConditions(ada), v1alpha1.ConditionStalled, v1alpha1.ReasonLastHolder)
		Consistently(w.access).Should(Equal([]string{"ada@example.com active [owner]"}))
	})

	It("outlives a directory that is deleted and revokes, until somebody else has the role", func() {
		w.directory("okta", primary, revoke)
		w.staff("okta", 2)
		w.remove(get[v1alpha1.ScimDirectory](w, "okta"))
		Eventually(w.access).Should(ConsistOf(HaveSuffix(" active [admin]")))
		ready := func() string {
			return meta.FindStatusCondition(w.directoryConditions("okta")(), v1alpha1.ConditionReady).Message
		}
		Eventually(ready).Should(ContainSubstring("protected AppRole admin: give it to somebody else"))
		Consistently(w.access).Should(HaveLen(1))
		w.localMember("root", "root@example.com", "admin")
		Eventually(func() any { return get[v1alpha1.ScimDirectory](w, "okta") }).Should(BeNil())
		w.eventuallyAccess("root@example.com active [admin]")
	})
})
