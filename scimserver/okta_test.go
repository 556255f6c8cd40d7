package scimserver_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/scim-operator/scim-operator/hack/replay/okta"
	"github.com/scim-operator/scim-operator/hack/replay/runscope"
)

var _ = Describe("Okta", func() {
	It("passes its own acceptance test, every request and every assertion", func(ctx context.Context) {
		path := os.Getenv("OKTA_SUITE")
		if path == "" {
			Skip("OKTA_SUITE does not name Okta's SCIM 2.0 test collection")
		}
		collection, err := runscope.Load(filepath.Clean(path))
		Expect(err).NotTo(HaveOccurred())
		t := newTenant(ctx)
		By("having one person already, as the test asks")
		tenant := &okta.Tenant{BaseURL: t.base(), Token: t.token, App: okta.Wizard, HTTP: http.DefaultClient}
		_, err = tenant.CreateUser(ctx, okta.Person{GivenName: "Ada", FamilyName: "Lovelace", UserName: "ada@example.com", ExternalID: "00u1"})
		Expect(err).NotTo(HaveOccurred())

		results, err := collection.Run(ctx, http.DefaultClient, runscope.Variables(t.base(), "Bearer "+t.token))
		Expect(err).NotTo(HaveOccurred())
		Expect(results).To(HaveLen(12))
		for _, r := range results {
			Expect(r.Failures).To(BeEmpty(), r.Step)
		}
	})

	DescribeTable("finds all as it pushed it, by both kinds of app, and again on what is there", func(ctx context.Context, app okta.App) {
		t := newTenant(ctx)
		for range 2 {
			Expect(okta.Run(ctx, okta.Options{BaseURL: t.base(), Token: t.token, Apps: []okta.App{app}, Users: 12, Groups: 5}, nil)).To(Succeed())
		}
	},
		Entry("catalogue app", okta.Catalogue),
		Entry("wizard app", okta.Wizard),
	)
})
