package scimserver_test

import (
	"context"
	"errors"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/scim-operator/scim-operator/hack/replay/entra"
	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

var _ = Describe("Microsoft Entra ID", func() {
	DescribeTable("finds all as it pushed it, and again on what is there", func(ctx context.Context, dialects ...entra.Dialect) {
		t := newTenant(ctx)
		for range 2 {
			Expect(entra.Run(ctx, entra.Options{BaseURL: t.base(), Token: t.token, Dialects: dialects, Users: 14, Groups: 2}, nil)).To(Succeed())
		}
	},
		Entry("without its compliance flag", entra.Legacy),
		Entry("with its compliance flag", entra.Compliant),
		Entry("first without it, then with it", entra.Legacy, entra.Compliant),
	)

	DescribeTable("would refuse a server that", func(ctx context.Context, dialect entra.Dialect, m meddler, want string) {
		t := newTenant(ctx)
		err := entra.Run(ctx, entra.Options{
			BaseURL: t.base(), Token: t.token, Dialects: []entra.Dialect{dialect}, Users: 3, Groups: 1, HTTP: m.client(),
		}, nil)
		_, refused := errors.AsType[*provider.Refusal](err)
		Expect(refused).To(BeTrue(), "%v", err)
		Expect(err).To(MatchError(ContainSubstring(want)))
		Expect(err).NotTo(MatchError(ContainSubstring(t.token)))
	},
		Entry("answers a lookup of nobody with null", entra.Compliant, meddler{on: `GET \S+/Users\?filter`, old: `"Resources":[]`, new: `"Resources":null`},
			"compliant dialect, test the connection: GET /Users?filter=userName%20eq%20%22"),
		Entry("does not know the flag", entra.Compliant, meddler{on: "aadOptscim062020", status: 400}, "Entra ID needs 200 OK"),
		Entry("answers a creation with 200", entra.Legacy, meddler{on: "POST", status: 200}, "push people: POST /Users: the answer was 200 OK"),
		Entry("makes no work address", entra.Legacy, meddler{on: "(PATCH|GET) ", old: `"emails"`, new: `"mails"`}, "emails missing or null"),
		Entry("wipes attributes in a PATCH", entra.Legacy, meddler{on: "PATCH ", old: `"externalId"`, new: `"other"`}, "externalId missing or null"),
		Entry("ignores dotted keys", entra.Compliant, meddler{on: `PATCH .*name\.familyName`, old: "-Jones", new: ""}, "push another name"),
		Entry("takes unquoted values for errors", entra.Legacy, meddler{on: "eq%20person", status: 400}, "look people up"),
		Entry("knows no value path before an operator", entra.Legacy, meddler{on: "emails%5Btype", status: 400}, "look people up"),
		Entry("forgets a manager that is a string", entra.Legacy, meddler{on: `PATCH .*User\.manager`, swallow: 204}, "push managers"),
		Entry("answers the PATCH of a group with 200", entra.Legacy, meddler{on: "PATCH .*/Groups/", status: 200}, "Entra ID needs 204 No Content"),
		Entry("loses members", entra.Legacy, meddler{on: "PATCH .*/Groups/.*members", swallow: 204}, "verify groups: GET /Groups/"),
		Entry("shows members that are excluded", entra.Legacy, meddler{on: `GET .*/Groups/\S+\?excluded`, old: `"displayName"`, new: `"members":[],"displayName"`},
			"one without: they were excluded"),
		Entry("ignores a removal by value", entra.Legacy, meddler{on: `PATCH .*"Remove"`, swallow: 204}, "take out and put back"),
		Entry("ignores a removal by filter", entra.Compliant, meddler{on: `PATCH .*"remove"`, swallow: 204}, "take out and put back"),
		Entry("ignores active as a string", entra.Legacy, meddler{on: `PATCH .*"False"`, swallow: 204}, "disable and restore: GET /Users/"),
		Entry("ignores an Add of active", entra.Legacy, meddler{on: `PATCH .*"True"`, swallow: 204}, "active false; Entra ID needs active true"),
		Entry("hides the disabled", entra.Legacy, meddler{on: "GET ", old: `"active":false`, new: `"gone":true`}, "disable and restore"),
		Entry("keeps the deleted", entra.Compliant, meddler{on: "DELETE .*/Users", swallow: 204}, "Entra ID needs 404 Not Found"),
		Entry("keeps deleted groups", entra.Compliant, meddler{on: "DELETE .*/Groups", swallow: 204}, "delete a group"),
	)
})
