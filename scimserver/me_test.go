package scimserver_test

import (
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("/Me (RFC 7644 §3.11)", func() {
	It("is answered 501 on every method, with the reason", func(ctx SpecContext) {
		t := newTenant(ctx)
		for method, body := range map[string]any{
			http.MethodGet:    nil,
			http.MethodPost:   `{"userName":"ada"}`,
			http.MethodPut:    `{"userName":"ada"}`,
			http.MethodPatch:  `{"Operations":[{"op":"remove","path":"title"}]}`,
			http.MethodDelete: nil,
		} {
			a := t.call(method, "/Me", body)
			Expect(a.status).To(Equal(http.StatusNotImplemented), method)
			Expect(a.body).To(SatisfyAll(
				HaveKeyWithValue("schemas", ConsistOf("urn:ietf:params:scim:api:messages:2.0:Error")),
				HaveKeyWithValue("status", "501"),
				HaveKeyWithValue("detail", ContainSubstring("a token stands for an identity provider, not for a person"))), method)
		}
		Expect(t.call(http.MethodHead, "/Me", nil).status).To(Equal(http.StatusNotImplemented))
		Expect(t.stored(ctx)).To(BeEmpty())
	})
})
