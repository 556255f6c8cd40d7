package guides

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/scim-operator/scim-operator/hack/operator"
	"github.com/scim-operator/scim-operator/hack/replay/okta"
)

var _ = Describe("ProcedureFlow's guide", Ordered, func() {
	var (
		g           *guide
		ada, bo     = person("Ada"), person("Bo")
		adaID, boID string
		invitedOnce = func() {
			GinkgoHelper()
			for _, id := range []string{adaID, boID} {
				Eventually(func(a Gomega) {
					a.Expect(g.events(a, "ScimUser", id)).To(ContainElement("UserProvisioned"))
				}).Should(Succeed())
				Expect(count(g.events(Default, "ScimUser", id), "UserProvisioned")).To(Equal(1), "one invitation for each person")
			}
		}
	)

	BeforeAll(func() { g = follow("procedureflow") })

	It("makes a token with a name, an expiry and both scopes", func() {
		g.okta = g.connect(okta.Catalogue, "okta", "okta-provisioning")
		g.shows(`^okta-provisioning 2030-12-31T00:00:00Z Valid$`, "get", "scimdirectory", "okta", "-o",
			`jsonpath={.status.tokens[0].name} {.status.tokens[0].expirationTime} {.status.tokens[0].state}`)
	})

	It("takes the header in any form in which people paste it, and answers an empty list", func() {
		token := g.okta.Token
		for _, pasted := range []string{token, "bearer " + token, "Bearer " + token, "BEARER " + token, "Bearer Bearer " + token, "bearer  " + token + " "} {
			g.okta.Authorization = pasted
			Expect(g.okta.TestCredentials(g.ctx)).To(Succeed(), pasted)
			Expect(g.okta.ImportUsers(g.ctx)).To(BeEmpty())
		}
		g.okta.Authorization = "bearer " + token
	})

	It("answers 403 to a token that lacks a scope, and tells which", func() {
		g.kubectl("patch", "scimdirectory", "okta", "--type=json", "-p",
			`[{"op":"add","path":"/spec/tokens/-","value":{"name":"reports","generate":true,"secretRef":{"name":"reports"},"scopes":["Read"]}}]`)
		reports := g.connect(okta.Catalogue, "okta", "reports")
		_, err := reports.PushUser(g.ctx, ada)
		Expect(err).To(MatchError(And(ContainSubstring("403 Forbidden"), ContainSubstring("Write"))))
		g.happened("ScimDirectory", "okta", "TokenScopeMissing")
		g.shows(`ScopeMissing`, "get", "scimdirectory", "okta", "-o", `jsonpath={.status.tokens[?(@.name=="reports")].lastFailureReason}`)
	})

	It("tells once of each new person, to be invited", func() {
		var err error
		adaID, err = g.okta.PushUser(g.ctx, ada)
		Expect(err).NotTo(HaveOccurred())
		boID, err = g.okta.PushUser(g.ctx, bo)
		Expect(err).NotTo(HaveOccurred())
		g.access("ada [reader]", "bo [reader]")
		invitedOnce()
	})

	It("keeps the roles that are granted by hand, whatever Okta sends", func() {
		g.kubectl("patch", "appmembership", adaID, "--type=json", "-p", `[{"op":"add","path":"/spec/roles/-","value":"editor"}]`)
		g.access("ada [editor reader]", "bo [reader]")
		ada.Title = "Senior Specialist"
		Expect(g.okta.UpdateUser(g.ctx, adaID, ada)).To(Succeed())
		Expect(g.okta.SetActive(g.ctx, adaID, false)).To(Succeed())
		g.access("bo [reader]")
		again, err := g.okta.PushUser(g.ctx, ada)
		Expect(err).NotTo(HaveOccurred())
		Expect(again).To(Equal(adaID))
		g.access("ada [editor reader]", "bo [reader]")
	})

	It("changes a pushed group by PATCH", func() {
		editors, err := g.okta.CreateGroup(g.ctx, "Procedure Editors", nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(g.okta.ChangeMembers(g.ctx, editors, []okta.Member{member(boID, bo)}, nil)).To(Succeed())
		g.access("ada [editor reader]", "bo [editor reader]")
		Expect(g.okta.ChangeMembers(g.ctx, editors, []okta.Member{member(adaID, ada)}, []okta.Member{member(boID, bo)})).To(Succeed())
		g.access("ada [editor reader]", "bo [reader]")
		Expect(g.okta.VerifyGroup(g.ctx, editors)).To(Succeed())
	})

	It("invites nobody twice when the operator starts again", func() {
		g.operator.Kill()
		g.operator = installed.Launch(operator.FreeAddress()).UntilReady()
		g.okta = g.connect(okta.Catalogue, "okta", "okta-provisioning")
		Expect(g.okta.SetActive(g.ctx, boID, false)).To(Succeed())
		g.access("ada [editor reader]")
		Expect(g.okta.SetActive(g.ctx, boID, true)).To(Succeed())
		g.access("ada [editor reader]", "bo [reader]")
		invitedOnce()
	})
})

func count(reasons []string, reason string) int {
	n := 0
	for _, r := range reasons {
		if r == reason {
			n++
		}
	}
	return n
}
