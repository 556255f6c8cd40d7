package docs

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/scim-operator/scim-operator/hack/replay/entra"
)

var _ = plays("docs/entra.md", "1. A directory", func(ctx context.Context, s *stage, p *player) {
	c := s.company(ctx, p)
	c.applyShown(ctx, p, "docs/entra.md", "1. A directory")
	c.connect(ctx, "entra", "entra-token")
	c.directory(ctx, "entra-trial", "")
})

var _ = plays("docs/entra.md", "4. Whom", func(ctx context.Context, s *stage, p *player) {
	c := s.company(ctx, p)
	c.applyShown(ctx, p, "docs/entra.md", "1. A directory")
	connection := c.connect(ctx, "entra", "entra-token")
	tenant := &entra.Tenant{BaseURL: connection.BaseURL, Token: connection.Token, Dialect: entra.Compliant}
	push := func(given, family, userName string) string {
		GinkgoHelper()
		id, err := tenant.PushUser(ctx, entra.Person{
			GivenName: given, FamilyName: family, UserName: userName, EmployeeNumber: "7", ObjectID: "object-" + given,
		})
		Expect(err).NotTo(HaveOccurred())
		return id
	}
	ada := push("Ada", "Lovelace", "ada@example.com")
	push("Grace", "Hopper", "grace@example.com")
	administrators, err := tenant.PushGroup(ctx, "App Administrators")
	Expect(err).NotTo(HaveOccurred())
	Expect(tenant.AddMembers(ctx, administrators, []string{ada})).To(Succeed())
})
