package docs

import (
	"context"
	"net/http"

	. "github.com/onsi/gomega"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

var _ = plays("docs/tracing.md", "From an error in Okta to the log", func(ctx context.Context, s *stage, p *player) {
	c := s.company(ctx, p)
	c.role(ctx, "member", "default: true")
	idp := c.directory(ctx, "okta", "  primary: true")
	seen := &observer{}
	idp.HTTP = &http.Client{Transport: seen}
	ada := user(ctx, idp, "ada@example.com", "Ada Lovelace")
	p.replace["01a21428-6cff-7d10-9a98-4060ff4b10cc"] = ada
	c.eventuallyRoles(ctx, ada, "member")

	a, err := idp.Send(ctx, http.MethodPost, provider.Users, provider.Resource{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": "ADA@example.com",
	})
	Expect(err).NotTo(HaveOccurred())
	Expect(a.Want(http.StatusConflict)).To(Succeed())
	p.replace["4ffa1082-3ce9-4bec-941e-91d65c4f49cf"] = seen.request

	deactivate(ctx, idp, ada)
	p.replace["ffcb178c-4e10-46b0-bfe2-38d9fe8fe18f"] = seen.request
	c.eventuallyRoles(ctx, ada)
})

// observer sees the id that the server gave to the last request.
type observer struct{ request string }

func (o *observer) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		o.request = answer.Header.Get("X-Request-Id")
	}
	return answer, err
}
