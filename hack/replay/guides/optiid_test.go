package guides

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/scim-operator/scim-operator/hack/replay/okta"
)

var _ = Describe("Opti ID's guide", Ordered, func() {
	var (
		g               *guide
		lena, maria     = person("Lena"), person("Maria")
		lenaID, mariaID string
	)

	BeforeAll(func() {
		g = follow("opti-id", local("maria", true, "content-editors"), local("otto", true, "content-editors"))
	})

	It("connects an app of the catalogue", func() {
		g.okta = g.connect(okta.Catalogue, "okta", "okta-token")
		g.okta.Identifier = "email"
		Expect(g.okta.ImportUsers(g.ctx)).To(BeEmpty(), "what the app has is not imported")
		Expect(g.okta.ImportGroups(g.ctx)).To(BeEmpty())
	})

	It("takes over the person who has the same e-mail address, with the roles that they have", func() {
		var err error
		mariaID, err = g.okta.PushUser(g.ctx, maria)
		Expect(err).NotTo(HaveOccurred())
		lenaID, err = g.okta.PushUser(g.ctx, lena)
		Expect(err).NotTo(HaveOccurred())
		g.access("maria [content-editors everyone]", "lena [everyone]", "otto [content-editors]")
		g.shows(`(?m)^maria +maria@example.com +true +\S+ +okta +True`, "get", "appmemberships")
	})

	It("keeps what the identity provider owns read-only, and says whose it is", func() {
		Expect(g.refused("edit", "scimuser", lenaID)).To(And(ContainSubstring("ScimDirectory okta"), ContainSubstring("identity provider")))
		Expect(g.refused("delete", "appmembership", "maria")).To(ContainSubstring("ScimDirectory okta"))
		Expect(g.refused("patch", "appmembership", "maria", "--type=merge", "-p", `{"spec":{"active":false}}`)).
			To(ContainSubstring("change user and active in the identity provider"))

		By("leaving the app's own grants and its local people to the app")
		g.kubectl("patch", "appmembership", lenaID, "--type=json", "-p", `[{"op":"add","path":"/spec/roles/-","value":"content-editors"}]`)
		g.kubectl("patch", "appmembership", "otto", "--type=merge", "-p", `{"spec":{"roles":[]}}`)
		g.access("maria [content-editors everyone]", "lena [content-editors everyone]", "otto []")
	})

	It("lets nobody in just by signing in", func() {
		Expect(g.refused("create", "-f", "hack/replay/guides/testdata/just-in-time.yaml")).
			To(And(ContainSubstring("ScimDirectory okta is in charge"), ContainSubstring("justInTime: Denied")))
	})

	It("deletes who is unassigned", func() {
		Expect(g.okta.SetActive(g.ctx, lenaID, false)).To(Succeed())
		Expect(g.okta.FindUser(g.ctx, lena.UserName)).To(BeNil())
		Expect(g.okta.VerifyUser(g.ctx, lenaID, lena, true)).To(MatchError(ContainSubstring("404 Not Found")))
		g.shows("NotFound", "get", "scimuser", lenaID)
		g.access("maria [content-editors everyone]", "otto []")
		Expect(g.kubectl("get", "scimtombstones", "-o", "yaml")).NotTo(ContainSubstring("lena"), "only hashes are left")
	})

	It("reinstates who is assigned again, under the same id and with the roles that were granted by hand", func() {
		again, err := g.okta.PushUser(g.ctx, lena)
		Expect(err).NotTo(HaveOccurred())
		Expect(again).To(Equal(lenaID))
		g.access("maria [content-editors everyone]", "lena [content-editors everyone]", "otto []")
		g.shows("No resources", "get", "scimtombstones")
	})

	It("refuses the app's reserved groups, and any other name that is taken", func() {
		for _, name := range []string{"everyone", "Admin Center Administrators"} {
			_, err := g.okta.CreateGroup(g.ctx, name, nil)
			Expect(err).To(MatchError(And(ContainSubstring("409 Conflict (uniqueness: "), ContainSubstring("reserved"))), name)
		}
		_, err := g.okta.CreateGroup(g.ctx, "Content Editors", nil)
		Expect(err).To(MatchError(ContainSubstring("409 Conflict (uniqueness: ")))
		Expect(g.okta.ImportGroups(g.ctx)).To(BeEmpty())
	})

	It("makes a role of a pushed group, which no other group can be named like", func() {
		marketing, err := g.okta.CreateGroup(g.ctx, "Marketing", []okta.Member{member(lenaID, lena), member(mariaID, maria)})
		Expect(err).NotTo(HaveOccurred())
		g.access("maria [content-editors everyone marketing]", "lena [content-editors everyone marketing]", "otto []")
		_, err = g.okta.CreateGroup(g.ctx, "marketing", nil)
		Expect(err).To(MatchError(ContainSubstring("409 Conflict (uniqueness: ")))
		Expect(g.okta.RenameGroup(g.ctx, marketing, "Everyone")).To(MatchError(And(ContainSubstring("409 Conflict"), ContainSubstring("reserved"))))

		By("revoking first and then removing it, when the pushed group is deleted")
		Expect(g.okta.DeleteGroup(g.ctx, marketing)).To(Succeed())
		g.access("maria [content-editors everyone]", "lena [content-editors everyone]", "otto []")
		g.shows("NotFound", "get", "approle", "marketing")
	})

	It("leaves a group behind that is unlinked, for an administrator to release", func() {
		campaign, err := g.okta.CreateGroup(g.ctx, "Campaign", []okta.Member{member(lenaID, lena)})
		Expect(err).NotTo(HaveOccurred())
		g.access("maria [content-editors everyone]", "lena [campaign content-editors everyone]", "otto []")

		By("unlinking it in Okta, which sends nothing")
		Expect(g.refused("delete", "scimgroup", campaign.ID)).
			To(ContainSubstring("kubectl annotate scimgroup " + campaign.ID + " -n opti-id scim-operator.io/release=true"))
		g.kubectl("annotate", "scimgroup", campaign.ID, "scim-operator.io/release=true")
		g.shows(`^True$`, "get", "scimgroup", campaign.ID, "-o", `jsonpath={.status.conditions[?(@.type=="Released")].status}`)
		g.happened("ScimGroup", campaign.ID, "GroupCreated", "MemberAdded", "GroupReleased")
		g.kubectl("patch", "scimgroup", campaign.ID, "--type=merge", "-p", `{"spec":{"displayName":"Old campaign"}}`)
		g.kubectl("delete", "scimgroup", campaign.ID)
		g.access("maria [content-editors everyone]", "lena [content-editors everyone]", "otto []")
		g.shows("NotFound", "get", "approle", "campaign")
	})

	It("holds a mass removal until an administrator approves it", func() {
		var crowd []string
		for i := range 7 {
			id, err := g.okta.PushUser(g.ctx, person(fmt.Sprint("Extra", i)))
			Expect(err).NotTo(HaveOccurred())
			crowd = append(crowd, id)
		}
		g.shows(`(?m)^okta +true +9 +9 `, "get", "scimdirectories")
		g.access("maria [content-editors everyone]", "lena [content-editors everyone]", "otto []", "extra0 [everyone]", "extra1 [everyone]",
			"extra2 [everyone]", "extra3 [everyone]", "extra4 [everyone]", "extra5 [everyone]", "extra6 [everyone]")
		for _, id := range crowd {
			Expect(g.okta.SetActive(g.ctx, id, false)).To(Succeed())
		}
		g.shows(`^True \S+`, "get", "scimdirectory", "okta", "-o", `jsonpath={.status.conditions[?(@.type=="ChangesHeld")].status} {.status.held.plan}`)
		g.shows(`^[1-7]$`, "get", "scimdirectory", "okta", "-o", `jsonpath={.status.held.people}`)

		Expect(g.okta.FindUser(g.ctx, "extra6@example.com")).To(BeNil(), "what Okta sent is stored")
		g.shows(`^true \["everyone"\]$`, "get", "appmembership", crowd[6], "-o", "jsonpath={.spec.active} {.spec.roles}")

		By("approving exactly that plan")
		Eventually(func(a Gomega) {
			plan, err := g.tryKubectl("get", "scimdirectory", "okta", "-o", "jsonpath={.status.held.plan}")
			a.Expect(err).NotTo(HaveOccurred(), plan)
			if plan != "" {
				out, err := g.tryKubectl("annotate", "--overwrite", "scimdirectory", "okta", "scim-operator.io/approve="+plan)
				a.Expect(err).NotTo(HaveOccurred(), out)
			}
			held, err := g.tryKubectl("get", "scimdirectory", "okta", "-o", "jsonpath={.status.held.people}")
			a.Expect(err).NotTo(HaveOccurred(), held)
			a.Expect(held).To(BeEmpty())
		}).Should(Succeed())
		g.access("maria [content-editors everyone]", "lena [content-editors everyone]", "otto []")
		g.happened("ScimDirectory", "okta", "ChangesHeld", "ChangesReleased")
	})
})
