package controllers

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// Edits of a directory and of a user.
func byEmailAddress(d *v1alpha1.ScimDirectory) { d.Spec.Users.Identifier = v1alpha1.IdentifierEmail }
func rejectExisting(d *v1alpha1.ScimDirectory) { d.Spec.Users.Existing = v1alpha1.ExistingReject }

func mail(address string) func(*v1alpha1.ScimUser) {
	return func(u *v1alpha1.ScimUser) {
		u.Spec.Emails = []v1alpha1.MultiValue{{Value: "other@example.com"}, {Value: address, Primary: new(true)}}
	}
}

func externalID(id string) func(*v1alpha1.ScimUser) {
	return func(u *v1alpha1.ScimUser) { u.Spec.ExternalID = id }
}

var _ = Describe("Who is the same person", func() {
	var w *world
	BeforeEach(func() {
		w = newWorld()
		w.role("admin", "Admins")
	})

	memberConditions := func(name string) func() []metav1.Condition {
		return func() []metav1.Condition { return get[v1alpha1.AppMembership](w, name).Status.Conditions }
	}

	It("is told by the e-mail address, where the policy says so", func() {
		w.directory("okta", primary, byEmailAddress)
		w.create(&v1alpha1.AppMembership{
			ObjectMeta: metav1.ObjectMeta{Name: "local"},
			Spec: v1alpha1.AppMembershipSpec{Active: true, Roles: []string{"owner"},
				User: v1alpha1.MemberIdentity{UserName: "ada", Email: "ADA@example.com"}},
		})
		w.eventuallyReason(memberConditions("local"), v1alpha1.ConditionReady, v1alpha1.ReasonLocal)
		namesake := w.user("okta", "ada", mail("lovelace@example.com"))
		ada := w.user("okta", "lovelace", mail("ada@example.com"))
		w.group("okta", "Admins", ada)
		w.eventuallyAccess("ada active []", "lovelace active [admin owner]")
		Expect(get[v1alpha1.AppMembership](w, "local").Spec.UserRef.Name).To(Equal(ada))
		Expect(get[v1alpha1.AppMembership](w, namesake).Spec.User.Email).To(Equal("lovelace@example.com"))
	})

	It("can be one only: a younger user with the e-mail address of another stalls", func() {
		w.directory("okta", primary, byEmailAddress)
		ada, double := w.user("okta", "ada", mail("ada@example.com")), w.user("okta", "lovelace", mail("Ada@example.com"))
		w.eventuallyReason(w.userConditions(double), v1alpha1.ConditionStalled, v1alpha1.ReasonConflict)
		c := meta.FindStatusCondition(w.userConditions(double)(), v1alpha1.ConditionStalled)
		Expect(c.Message).To(ContainSubstring("ScimUser " + ada + " of this directory has the same userName or e-mail address"))
		change(w, double, mail("lovelace@example.com"))
		w.eventuallyAccess("ada active []", "lovelace active []")
	})

	It("is decided anew when the policy changes", func() {
		w.directory("okta", primary)
		w.user("okta", "ada", mail("ada@example.com"))
		double := w.user("okta", "lovelace", mail("ada@example.com"))
		w.eventuallyAccess("ada active []", "lovelace active []")
		change(w, "okta", byEmailAddress)
		w.eventuallyReason(w.userConditions(double), v1alpha1.ConditionStalled, v1alpha1.ReasonConflict)
	})

	It("carries access over without a gap when only the e-mail address is the same in both directories", func() {
		w.directory("okta", primary)
		w.directory("entra", byEmailAddress)
		inOkta, inEntra := w.user("okta", "ada", mail("ada@example.com")), w.user("entra", "lovelace", mail("Ada@Example.com"))
		w.group("okta", "Admins", inOkta)
		entras := w.group("entra", "Admins", inEntra)
		w.eventuallyAccess("ada active [admin]")
		w.eventuallyReason(w.groupConditions(entras), v1alpha1.ConditionReady, v1alpha1.ReasonReady)
		w.eventuallyReason(w.userConditions(inEntra), v1alpha1.ConditionReady, v1alpha1.ReasonNotPrimary)
		seen := watchMember(w, inOkta)
		w.setPrimary("okta", false)
		w.setPrimary("entra", true)
		w.eventuallyAccess("lovelace active [admin]")
		Expect(get[v1alpha1.AppMembership](w, inOkta).Spec.UserRef.Name).To(Equal(inEntra))
		versions := seen()
		Expect(versions).NotTo(BeEmpty())
		for _, m := range versions {
			Expect(inWords(&m)).To(HaveSuffix(" active [admin]"))
		}
	})

	It("is somebody else when a deleted user's address comes back with another externalId", func() {
		w.directory("okta", primary)
		leaver := w.user("okta", "ada@example.com", externalID("1"))
		w.eventuallyAccess("ada@example.com active []")
		w.grantByHand(leaver, "owner")
		Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimUser](w, leaver))).To(Succeed())
		w.eventuallyAccess("ada@example.com inactive [owner]")
		newcomer := w.user("okta", "ada@example.com", externalID("2"))
		w.eventuallyReason(w.userConditions(newcomer), v1alpha1.ConditionReady, v1alpha1.ReasonProvisioned)
		Consistently(w.access).Should(Equal([]string{"ada@example.com active []", "ada@example.com inactive [owner]"}))
		Expect(get[v1alpha1.AppMembership](w, leaver).Spec.UserRef.Name).To(Equal(leaver))
	})

	Describe("with existing: Reject", func() {
		var ada string
		BeforeEach(func() {
			w.directory("okta", primary, rejectExisting)
			w.localMember("local", "ADA@example.com", "owner")
			w.eventuallyReason(memberConditions("local"), v1alpha1.ConditionReady, v1alpha1.ReasonLocal)
			ada = w.user("okta", "ada@example.com")
			w.group("okta", "Admins", ada)
			w.eventuallyReason(w.userConditions(ada), v1alpha1.ConditionStalled, v1alpha1.ReasonLocalMemberExists)
		})

		It("leaves a local member alone, and says what to do", func() {
			c := meta.FindStatusCondition(w.userConditions(ada)(), v1alpha1.ConditionReady)
			Expect(c.Message).To(Equal("AppMembership local is a local member with the same userName, and users.existing of " +
				"ScimDirectory okta is Reject; delete that AppMembership or change its user, or set users.existing to Adopt"))
			Consistently(w.access).Should(Equal([]string{"ADA@example.com active [owner]"}))
		})

		It("provisions the user once the local member has gone", func() {
			Expect(k8s.Delete(w.ctx, get[v1alpha1.AppMembership](w, "local"))).To(Succeed())
			w.eventuallyAccess("ada@example.com active [admin]")
		})

		It("takes the local member over once the policy is Adopt", func() {
			change(w, "okta", func(d *v1alpha1.ScimDirectory) { d.Spec.Users.Existing = v1alpha1.ExistingAdopt })
			w.eventuallyAccess("ada@example.com active [admin owner]")
		})

		It("takes no access from somebody who had it before the local member came", func() {
			bob := w.user("okta", "bob@example.com")
			w.eventuallyReason(w.userConditions(bob), v1alpha1.ConditionReady, v1alpha1.ReasonProvisioned)
			w.localMember("later", "bob@example.com")
			Consistently(w.userConditions(bob)).Should(ContainElement(HaveField("Reason", v1alpha1.ReasonProvisioned)))
			Expect(get[v1alpha1.AppMembership](w, bob).Spec.Active).To(BeTrue())
		})
	})
})
