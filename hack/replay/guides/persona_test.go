package guides

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/scim-operator/scim-operator/hack/replay/okta"
	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

var _ = Describe("Persona's guide", Ordered, func() {
	var (
		g           *guide
		ada, jack   = person("Ada"), person("Jack")
		adaID       string
		jackID      string
		admins      *okta.Group
		fraudReview *okta.Group
	)

	BeforeAll(func() {
		g = follow("persona", local("ivy", true, "admin"), local("jack", true, "analyst"), local("kim", false, "developer"))
	})

	importUsers := func() []provider.Resource {
		GinkgoHelper()
		imported, err := g.okta.ImportUsers(g.ctx)
		Expect(err).NotTo(HaveOccurred())
		return imported
	}
	importGroups := func() []provider.Resource {
		GinkgoHelper()
		imported, err := g.okta.ImportGroups(g.ctx)
		Expect(err).NotTo(HaveOccurred())
		return imported
	}

	It("connects a Wizard app", func() {
		g.okta = g.connect(okta.Wizard, "okta", "okta-token")
		g.shows(`(?m)^NAME +PRIMARY .*\nokta +true .*True`, "get", "scimdirectories")
	})

	It("imports the app's people, deactivated ones too, and its roles as groups with those who have them", func() {
		Eventually(func(a Gomega) {
			imported, err := g.okta.ImportUsers(g.ctx)
			a.Expect(err).NotTo(HaveOccurred())
			a.Expect(names(imported, "userName")).To(ConsistOf("ivy@example.com", "jack@example.com", "kim@example.com"))
			groups, err := g.okta.ImportGroups(g.ctx)
			a.Expect(err).NotTo(HaveOccurred())
			a.Expect(names(groups, "displayName")).To(ConsistOf("Admin", "Analyst", "Developer"))
			a.Expect(memberIDs(named(groups, "Admin"))).To(ConsistOf(named(imported, "ivy@example.com").ID()))
			a.Expect(memberIDs(named(groups, "Analyst"))).To(ConsistOf(named(imported, "jack@example.com").ID()))
		}).Should(Succeed())
		people := importUsers()
		Expect(named(people, "kim@example.com")).To(HaveKeyWithValue("active", false))
		Expect(named(people, "ivy@example.com")).To(HaveKeyWithValue("active", true))
		g.access("ivy [admin]", "jack [analyst]")
	})

	It("imports a custom role of the app as a group, for as long as the app has it", func() {
		g.kubectl("apply", "-f", "hack/replay/guides/testdata/custom-role.yaml")
		Eventually(func() []string { return names(importGroups(), "displayName") }).Should(ConsistOf("Admin", "Analyst", "Auditor", "Developer"))
		g.kubectl("delete", "approle", "auditor")
		Eventually(func() []string { return names(importGroups(), "displayName") }).Should(ConsistOf("Admin", "Analyst", "Developer"))
	})

	It("takes over whom an administrator confirms, with the roles that they have", func() {
		jackID = named(importUsers(), jack.UserName).ID()
		Expect(g.okta.UpdateUser(g.ctx, jackID, jack)).To(Succeed())
		g.shows(`(?m)^jack +jack@example.com +true +\["analyst"\] +okta +True`, "get", "appmemberships")
		g.happened("ScimUser", jackID, "UserLinked")
		Expect(g.okta.VerifyUser(g.ctx, jackID, jack, true)).To(Succeed())
	})

	It("links a group of Okta to a role, which is called like the group from then on", func() {
		var err error
		adaID, err = g.okta.PushUser(g.ctx, ada)
		Expect(err).NotTo(HaveOccurred())
		admins, err = g.okta.LinkGroup(g.ctx, named(importGroups(), "Admin").ID(), "Persona Admins", []okta.Member{member(adaID, ada)})
		Expect(err).NotTo(HaveOccurred())
		g.access("ada [admin]", "ivy [admin]", "jack [analyst]")
		g.shows(`(?m)^admin +Persona Admins +1 +2 +True`, "get", "approles")
		Expect(g.kubectl("get", "approle", "admin", "-o", "jsonpath={.spec.displayName}")).To(Equal("Admin"))
		g.happened("ScimGroup", admins.ID, "GroupLinked")
	})

	It("keeps the link by id, so that another rename changes no access", func() {
		Expect(g.okta.RenameGroup(g.ctx, admins, "Risk Admins")).To(Succeed())
		g.shows(`(?m)^admin +Risk Admins +1 +2 +True`, "get", "approles")
		g.access("ada [admin]", "ivy [admin]", "jack [analyst]")
		Expect(g.okta.VerifyGroup(g.ctx, admins)).To(Succeed())
	})

	It("makes a custom role of a new group", func() {
		var err error
		fraudReview, err = g.okta.CreateGroup(g.ctx, "Fraud Review Leads", []okta.Member{member(adaID, ada)})
		Expect(err).NotTo(HaveOccurred())
		g.shows(`(?m)^fraud-review-leads +Fraud Review Leads +1 +1 +True`, "get", "approles")
		g.access("ada [admin fraud-review-leads]", "ivy [admin]", "jack [analyst]")
		Expect(g.okta.ChangeMembers(g.ctx, fraudReview, []okta.Member{member(jackID, jack)}, nil)).To(Succeed())
		g.access("ada [admin fraud-review-leads]", "ivy [admin]", "jack [analyst fraud-review-leads]")
		Expect(names(importGroups(), "displayName")).To(ConsistOf("Risk Admins", "Analyst", "Developer", "Fraud Review Leads"))
	})

	It("deactivates a person, who is imported as such, and activates them again", func() {
		Expect(g.okta.SetActive(g.ctx, adaID, false)).To(Succeed())
		g.access("ivy [admin]", "jack [analyst fraud-review-leads]")
		Expect(named(importUsers(), ada.UserName)).To(HaveKeyWithValue("active", false))
		again, err := g.okta.PushUser(g.ctx, ada)
		Expect(err).NotTo(HaveOccurred())
		Expect(again).To(Equal(adaID))
		g.access("ada [admin fraud-review-leads]", "ivy [admin]", "jack [analyst fraud-review-leads]")
	})

	It("never takes away the last admin", func() {
		g.kubectl("patch", "appmembership", "ivy", "--type=merge", "-p", `{"spec":{"roles":["analyst"]}}`)
		g.access("ada [admin fraud-review-leads]", "ivy [analyst]", "jack [analyst fraud-review-leads]")
		Expect(g.okta.SetActive(g.ctx, adaID, false)).To(Succeed())
		g.shows(`LastHolder`, "get", "appmembership", adaID, "-o", `jsonpath={.status.conditions[?(@.type=="Ready")].reason}`)
		g.access("ada [admin]", "ivy [analyst]", "jack [analyst fraud-review-leads]")
		g.kubectl("patch", "appmembership", "ivy", "--type=merge", "-p", `{"spec":{"roles":["admin"]}}`)
		g.access("ivy [admin]", "jack [analyst fraud-review-leads]")
		Expect(g.okta.SetActive(g.ctx, adaID, true)).To(Succeed())
		g.access("ada [admin fraud-review-leads]", "ivy [admin]", "jack [analyst fraud-review-leads]")
	})

	It("takes a custom role away with its group, and shows a role again whose linked group is deleted", func() {
		Expect(g.okta.DeleteGroup(g.ctx, fraudReview)).To(Succeed())
		g.access("ada [admin]", "ivy [admin]", "jack [analyst]")
		g.shows("NotFound", "get", "approle", "fraud-review-leads")
		Expect(g.okta.DeleteGroup(g.ctx, admins)).To(Succeed())
		g.access("ada []", "ivy [admin]", "jack [analyst]")
		Eventually(func() []string { return names(importGroups(), "displayName") }).Should(ConsistOf("Admin", "Analyst", "Developer"))
		Expect(named(importGroups(), "Admin").ID()).NotTo(Equal(admins.ID))
	})

	It("tells by kubectl events what became of a person", func() {
		g.happened("ScimUser", adaID, "UserCreated", "UserProvisioned", "UserDeactivated", "UserReactivated", "MemberAdded",
			"RoleGranted", "RoleRevoked")
		Expect(g.kubectl("events", "--for", "scimuser/"+adaID)).To(MatchRegexp(`RoleGranted +ScimUser/\S+ +.*ScimDirectory okta`))
		Expect(g.kubectl("events", "--for", "scimgroup/"+admins.ID)).To(MatchRegexp(`GroupLinked +ScimGroup/\S+ +.*directory okta`))
	})
})
