package guides

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/scim-operator/scim-operator/hack/replay/okta"
)

var _ = Describe("SSOReady's guide", Ordered, func() {
	var (
		g     *guide
		ada   = person("Ada")
		adaID string
	)

	BeforeAll(func() { g = follow("ssoready") })

	It("shows the token once, and keeps its hash", func() {
		g.okta = g.connect(okta.Wizard, "okta", "okta-token-1")
		g.okta.Identifier = "email"
		sum := sha256.Sum256([]byte(g.okta.Token))
		g.shows(`^\{"lastFour":"\S+","tokenSHA256":"\S+"\}$|^\{"tokenSHA256":"\S+"\}$`, "get", "secret", "okta-token-1", "-o", "jsonpath={.data}")
		Expect(g.kubectl("get", "secret", "okta-token-1", "-o", `go-template={{index .data "tokenSHA256" | base64decode}}`)).
			To(Equal(hex.EncodeToString(sum[:])))
		g.shows("^"+g.okta.Token[len(g.okta.Token)-4:]+"$", "get", "scimdirectory", "okta", "-o", "jsonpath={.status.tokens[0].lastFour}")
		g.shows(`^\d{4}-`, "get", "scimdirectory", "okta", "-o", "jsonpath={.status.tokens[0].lastUsedTime}")
	})

	It("passes Okta's connection test, with nobody there", func() {
		Expect(g.okta.TestCredentials(g.ctx)).To(Succeed())
		Expect(g.okta.ImportUsers(g.ctx)).To(BeEmpty())
		Expect(g.okta.ImportGroups(g.ctx)).To(BeEmpty())
	})

	It("assigns people, who are found by e-mail however the field is called", func() {
		var err error
		adaID, err = g.okta.PushUser(g.ctx, ada)
		Expect(err).NotTo(HaveOccurred())
		g.access("ada [member]")
		for _, field := range []string{"email", "emails", "emails.value"} {
			t := *g.okta
			t.Identifier = field
			found, err := t.FindUser(g.ctx, strings.ToUpper(ada.UserName))
			Expect(err).NotTo(HaveOccurred(), field)
			Expect(found.ID()).To(Equal(adaID), field)
		}
	})

	It("refuses people of other domains, and says which are allowed", func() {
		eve := person("Eve")
		eve.UserName = "eve@example.net"
		_, err := g.okta.PushUser(g.ctx, eve)
		Expect(err).To(MatchError(And(ContainSubstring("400 Bad Request"), ContainSubstring("example.com"))))
		g.access("ada [member]")
	})

	It("pushes a group, which no import shows", func() {
		owners, err := g.okta.CreateGroup(g.ctx, "Owners", []okta.Member{member(adaID, ada)})
		Expect(err).NotTo(HaveOccurred())
		g.access("ada [member owner]")
		Expect(g.okta.ImportGroups(g.ctx)).To(BeEmpty())
		Expect(g.okta.TestCredentials(g.ctx)).To(Succeed())
		found, err := g.okta.FindGroup(g.ctx, "owners")
		Expect(err).NotTo(HaveOccurred())
		Expect(found.ID()).To(Equal(owners.ID))
		Expect(g.okta.VerifyGroup(g.ctx, owners)).To(Succeed())
	})

	It("has a base URL for each directory, of which one is primary and grants access", func() {
		g.kubectl("apply", "--server-side", "-f", "hack/replay/guides/testdata/second-directory.yaml")
		second := g.connect(okta.Wizard, "second", "second-token")
		Expect(second.BaseURL).NotTo(Equal(g.okta.BaseURL))
		mixed := okta.Tenant{App: okta.Wizard, BaseURL: g.okta.BaseURL, Token: second.Token}
		Expect(mixed.TestCredentials(g.ctx)).To(MatchError(ContainSubstring("401 Unauthorized")))

		_, err := second.PushUser(g.ctx, person("Bob"))
		Expect(err).NotTo(HaveOccurred())
		g.shows(`NotPrimary`, "get", "scimusers", "-o", "wide")
		g.shows(`(?m)^okta +true .*\n^second +false `, "get", "scimdirectories")
		g.shows(`PrimaryConflict.*okta`, "get", "scimdirectory", "second", "-o",
			`jsonpath={.status.conditions[?(@.type=="Primary")].reason} {.status.conditions[?(@.type=="Primary")].message}`)
		g.access("ada [member owner]")
	})

	It("starts a new token and ends the old one at once", func() {
		old := *g.okta
		g.kubectl("patch", "scimdirectory", "okta", "--type=merge", "-p",
			`{"spec":{"tokens":[{"name":"okta-2","generate":true,"plaintext":"EraseAfterFirstUse","secretRef":{"name":"okta-token-2"}}]}}`)
		Eventually(func() error { return old.TestCredentials(g.ctx) }).WithTimeout(2 * time.Second).
			Should(MatchError(ContainSubstring("401 Unauthorized")))
		g.okta = g.connect(okta.Wizard, "okta", "okta-token-2")
		g.okta.Identifier = "email"
		Expect(g.okta.VerifyUser(g.ctx, adaID, ada, true)).To(Succeed())
		g.access("ada [member owner]")
	})

	It("deactivates people, and assigns them again", func() {
		Expect(g.okta.SetActive(g.ctx, adaID, false)).To(Succeed())
		g.access()
		again, err := g.okta.PushUser(g.ctx, ada)
		Expect(err).NotTo(HaveOccurred())
		Expect(again).To(Equal(adaID))
		g.access("ada [member owner]")
	})
})
