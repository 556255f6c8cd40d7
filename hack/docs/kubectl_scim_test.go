package docs

import (
	"context"

	. "github.com/onsi/ginkgo/v2"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

var _ = plays("docs/kubectl-scim.md", "Who may enter, and why", func(ctx context.Context, s *stage, p *player) {
	s.company(ctx, p).people(ctx)
})

var _ = plays("docs/kubectl-scim.md", "Tokens", func(ctx context.Context, s *stage, p *player) {
	s.company(ctx, p).people(ctx)
})

var _ = plays("docs/kubectl-scim.md", "Held changes", func(ctx context.Context, s *stage, p *player) {
	c := s.company(ctx, p)
	idp, ids := c.people(ctx)
	p.replace["1ea0ec596793"] = c.deactivateAtOnce(ctx, "okta", idp, ids[:2])
})

// people are three people of the directory okta, whose ids it returns, and the account that is for emergencies.
func (c *company) people(ctx context.Context) (idp *provider.Client, ids []string) {
	GinkgoHelper()
	c.role(ctx, "member", "default: true")
	c.role(ctx, "admin", "grantedTo: [{displayName: Administrators}]")
	c.role(ctx, "developer", "grantedTo: [{displayName: Engineering}]")
	c.role(ctx, "billing", "grantedTo: [{displayName: Finance}]")
	c.apply(ctx, `
apiVersion: scim-operator.io/v1alpha1
kind: AppMembership
metadata: {name: root}
spec:
  user: {userName: root@example.com, displayName: Break Glass}
  active: true
  roles: [admin]
`)
	idp = c.directory(ctx, "okta", "  primary: true\n  safeguard: {minimum: 1, percent: 0}\n")
	ada, grace := user(ctx, idp, "ada@example.com", "Ada Lovelace"), user(ctx, idp, "grace@example.com", "Grace Hopper")
	linus := user(ctx, idp, "linus@example.com", "Linus Torvalds")
	group(ctx, idp, "Administrators", ada)
	group(ctx, idp, "Engineering", linus, group(ctx, idp, "Backend", grace))
	return idp, []string{ada, grace, linus}
}
