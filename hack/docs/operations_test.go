package docs

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
)

var _ = plays("docs/operations.md", "Day by day", func(ctx context.Context, s *stage, p *player) {
	p.dir = GinkgoT().TempDir()
	c := s.company(ctx, p)
	c.role(ctx, "admin", "grantedTo: [{displayName: Admins}]")
	c.apply(ctx, `
apiVersion: scim-operator.io/v1alpha1
kind: ScimDirectory
metadata: {name: okta}
spec:
  primary: true
  tokens:
  - {name: okta-2026, generate: true, secretRef: {name: okta-token}}
`)
	okta := c.connect(ctx, "okta", "okta-token")
	ada := user(ctx, okta, "ada@example.com", "Ada Lovelace")
	group(ctx, okta, "Admins", ada)
	c.eventuallyRoles(ctx, ada, "admin")
	entra := c.directory(ctx, "entra", "")
	group(ctx, entra, "Admins", user(ctx, entra, "ada@example.com", "Ada Lovelace"))
})
