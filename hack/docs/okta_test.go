package docs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/scim-operator/scim-operator/hack/replay/okta"
	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

var _ = plays("docs/okta.md", "The same for all", func(_ context.Context, s *stage, p *player) {
	c := &company{stage: s, namespace: "persona"} // which the sample makes
	p.after = map[string]func(context.Context){"kubectl get secret": func(ctx context.Context) {
		tenant := c.tenant(ctx, okta.Wizard, "okta-token")
		ada := assign(ctx, tenant, "Ada")
		link(ctx, tenant, "Admin", "Persona Admins", ada)
		p.replace["01a2052e-fa2a-7d56-bca5-6cb3aa1e1676"] = ada.ID
	}}
})

var _ = plays("docs/okta.md", "Persona: groups are roles", func(ctx context.Context, s *stage, p *player) {
	c := s.product(ctx, p, "persona", local{"ivy", true, "admin"}, local{"jack", true, "analyst"}, local{"kim", false, "developer"})
	tenant := c.tenant(ctx, okta.Wizard, "okta-token")
	jack := imported(ctx, tenant.ImportUsers, "userName", "jack@example.com")
	Expect(tenant.UpdateUser(ctx, jack, employee("Jack"))).To(Succeed())
	p.after = map[string]func(context.Context){"kubectl get appmemberships": func(ctx context.Context) {
		link(ctx, tenant, "Admin", "Persona Admins", assign(ctx, tenant, "Ada"))
	}}
})

var _ = plays("docs/okta.md", "Opti ID: the identity provider is in charge", func(ctx context.Context, s *stage, p *player) {
	c := s.product(ctx, p, "opti-id", local{"maria", true, "content-editors"})
	tenant := c.tenant(ctx, okta.Catalogue, "okta-token")
	tenant.Identifier = "email"
	maria := assign(ctx, tenant, "Maria")
	campaign, err := tenant.CreateGroup(ctx, "Campaign", []okta.Member{maria})
	Expect(err).NotTo(HaveOccurred())
	c.eventuallyRoles(ctx, "maria", "content-editors", "everyone", "campaign")
	p.replace["<id>"] = campaign.ID
	p.after = map[string]func(context.Context){
		"kubectl delete scimgroup": func(ctx context.Context) {
			c.eventuallyRoles(ctx, "maria", "content-editors", "everyone")
		},
		"kubectl delete appmembership": func(ctx context.Context) {
			crowd := make([]okta.Member, 7)
			join := func(i int) { crowd[i] = assign(ctx, tenant, fmt.Sprint("Colleague", i)) }
			for i := range crowd {
				join(i)
				c.eventuallyRoles(ctx, crowd[i].ID, "everyone")
			}
			p.replace["4bf34201587e"] = c.hold(ctx, "okta", len(crowd), func(i int) {
				Expect(tenant.SetActive(ctx, crowd[i].ID, false)).To(Succeed())
			}, join)
		},
		"kubectl annotate scimdirectory": func(ctx context.Context) {
			Eventually(func(g Gomega) { g.Expect(c.held(ctx, g, "okta")).To(BeNil()) }).Should(Succeed())
		},
	}
})

var _ = plays("docs/okta.md", "ProcedureFlow: a token with a name and an expiry, and roles by hand", func(ctx context.Context, s *stage, p *player) {
	c := s.product(ctx, p, "procedureflow")
	tenant := c.tenant(ctx, okta.Catalogue, "okta-provisioning")
	ada := assign(ctx, tenant, "Ada")
	assign(ctx, tenant, "Bo")
	c.eventuallyRoles(ctx, ada.ID, "reader")
	p.replace["<id>"] = ada.ID
	p.after = map[string]func(context.Context){"kubectl patch appmember": func(ctx context.Context) {
		c.eventuallyRoles(ctx, ada.ID, "reader", "editor")
	}}
})

// local is somebody whom an app has without any directory.
type local struct {
	name   string
	active bool
	role   string
}

// product makes a company of a sample and of the people whom the product has already. The pages call it like the product.
func (s *stage) product(ctx context.Context, p *player, name string, people ...local) *company {
	GinkgoHelper()
	c := s.company(ctx, p)
	p.words = append(p.words, word{regexp.MustCompile(`\b` + name + `\b`), c.namespace})
	for _, l := range people {
		c.apply(ctx, fmt.Sprintf(`
apiVersion: scim-operator.io/v1alpha1
kind: AppMembership
metadata: {name: %[1]s}
spec:
  user: {userName: %[1]s@example.com, email: %[1]s@example.com, displayName: %[1]s}
  active: %[2]t
  roles: [%[3]s]
`, l.name, l.active, l.role))
	}
	sample, err := os.ReadFile(filepath.Join(root, "config", "samples", name+".yaml"))
	Expect(err).NotTo(HaveOccurred())
	c.apply(ctx, p.replaced(string(sample)))
	return c
}

// tenant is an Okta that is connected with the token of a Secret.
func (c *company) tenant(ctx context.Context, app okta.App, secret string) *okta.Tenant {
	GinkgoHelper()
	connection := c.connect(ctx, "okta", secret)
	return &okta.Tenant{App: app, BaseURL: connection.BaseURL, Token: connection.Token}
}

func employee(givenName string) okta.Person {
	userName := strings.ToLower(givenName) + "@example.com"
	return okta.Person{
		GivenName: givenName, FamilyName: "Example", UserName: userName, Title: "Specialist", Department: "Risk",
		EmployeeNumber: "7", ExternalID: "00u" + userName,
	}
}

// assign assigns somebody to the app.
func assign(ctx context.Context, tenant *okta.Tenant, givenName string) okta.Member {
	GinkgoHelper()
	id, err := tenant.PushUser(ctx, employee(givenName))
	Expect(err).NotTo(HaveOccurred())
	return okta.Member{ID: id, Display: employee(givenName).UserName}
}

// imported waits until Okta imports somebody, or a group, of this name, and returns the id.
func imported(ctx context.Context, all func(context.Context) ([]provider.Resource, error), attribute, name string) string {
	GinkgoHelper()
	var id string
	Eventually(func(g Gomega) {
		resources, err := all(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		i := slices.IndexFunc(resources, func(r provider.Resource) bool { return r[attribute] == name })
		g.Expect(i).To(BeNumerically(">=", 0), "%v", resources)
		id = resources[i].ID()
	}).Should(Succeed())
	return id
}

// link pushes a group with one member to the group that the app has for a role.
func link(ctx context.Context, tenant *okta.Tenant, role, name string, member okta.Member) {
	GinkgoHelper()
	_, err := tenant.LinkGroup(ctx, imported(ctx, tenant.ImportGroups, "displayName", role), name, []okta.Member{member})
	Expect(err).NotTo(HaveOccurred())
}
