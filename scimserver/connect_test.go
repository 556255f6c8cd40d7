package scimserver_test

import (
	"context"
	"errors"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/scim-operator/scim-operator/hack/replay/connect"
	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

var _ = Describe("A connection test", func() {
	for _, p := range connect.Providers {
		It("of "+p.Name+" ("+p.About+") succeeds and leaves nothing behind", func(ctx context.Context) {
			t := newTenant(ctx)
			Expect(p.Run(ctx, connect.Options{BaseURL: t.base(), Token: t.token}, nil)).To(Succeed())
			Expect(t.stored(ctx)).To(BeEmpty())
		})
	}

	DescribeTable("would refuse a server that", func(ctx context.Context, name string, m meddler, want string) {
		t := newTenant(ctx)
		i := slices.IndexFunc(connect.Providers, func(p connect.Provider) bool { return p.Name == name })
		err := connect.Providers[i].Run(ctx, connect.Options{BaseURL: t.base(), Token: t.token, HTTP: m.client()}, nil)
		_, refused := errors.AsType[*provider.Refusal](err)
		Expect(refused).To(BeTrue(), "%v", err)
		Expect(err).To(MatchError(SatisfyAll(HavePrefix(name+", "), ContainSubstring(want))))
		Expect(err).NotTo(MatchError(ContainSubstring(t.token)))
	},
		Entry("answers application/scim+json to OneLogin", "OneLogin", meddler{on: "GET", contentType: "application/scim+json"}, "OneLogin needs application/json"),
		Entry("finds OneLogin's nobody", "OneLogin", meddler{on: "GET", status: 404}, "OneLogin needs 200 OK"),
		Entry("gives OneLogin active back as a string", "OneLogin", meddler{on: "POST", old: `"active":true`, new: `"active":"true"`}, `active "true"; OneLogin needs active true`),
		Entry("ignores OneLogin's suspension", "OneLogin", meddler{on: "PUT", old: `"active":false`, new: `"active":true`}, "suspend the user"),
		Entry("takes JumpCloud's test group for a conflict", "JumpCloud", meddler{on: "POST .*/Groups", status: 409}, "create the test group"),
		Entry("ignores JumpCloud's member", "JumpCloud", meddler{on: "PATCH", swallow: 204}, "add the user to it"),
		Entry("keeps JumpCloud's test user", "JumpCloud", meddler{on: "DELETE .*/Users", status: 405}, "delete the test user"),
		Entry("keeps JumpCloud's test user in secret", "JumpCloud", meddler{on: "DELETE .*/Users", swallow: 204}, "JumpCloud needs an empty list"),
		Entry("gives CyberArk types in a list only", "CyberArk", meddler{on: "/ResourceTypes/Group", status: 404}, "read the type Group"),
		Entry("gives CyberArk schemas in a list only", "CyberArk", meddler{on: "/Schemas/urn:ietf:params:scim:schemas:extension", status: 404}, "extension:enterprise:2.0:User: the answer was 404"),
		Entry("gives CyberArk schemas without attributes", "CyberArk", meddler{on: "/Schemas/", old: `"attributes"`, new: `"other"`}, "a schema whose attributes is missing"),
		Entry("does not tell Rippling what it supports", "Rippling", meddler{on: "/ServiceProviderConfig", old: `"supported":true`, new: `"supported":"yes"`}, `patch.supported "yes"`),
		Entry("knows no externalId filter for Rippling", "Rippling", meddler{on: "GET .*externalId", status: 400}, "look a user up"),
		Entry("forgets Rippling's externalId", "Rippling", meddler{on: "POST", old: `"externalId"`, new: `"other"`}, "externalId missing or null"),
		Entry("counts wrongly for Google", "Google", meddler{on: "count=1", old: `"itemsPerPage":0`, new: `"itemsPerPage":1`}, "itemsPerPage 1 with 0 Resources"),
		Entry("ignores the many members of Keycloak's plugins", "Keycloak", meddler{on: `PATCH .*"add"`, swallow: 204}, "add them all at once"),
		Entry("accepts JSON in a string from Keycloak's plugins", "Keycloak", meddler{on: `PATCH .*"replace"`, swallow: 204}, "Keycloak needs 400 Bad Request"),
		Entry("calls JSON in a string from Keycloak's plugins something else", "Keycloak", meddler{on: `PATCH .*"replace"`, old: "invalidValue", new: "invalidSyntax"}, `an error whose scimType is "invalidSyntax"; Keycloak needs "invalidValue"`),
	)
})
