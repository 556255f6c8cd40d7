package docs

import (
	"context"
	"fmt"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

var _ = plays("docs/safeguard.md", "See what is held", func(ctx context.Context, s *stage, p *player) {
	s.company(ctx, p).mistake(ctx, p)
})

var _ = plays("docs/safeguard.md", "Approve it", func(ctx context.Context, s *stage, p *player) {
	c := s.company(ctx, p)
	c.mistake(ctx, p)
	p.after = map[string]func(context.Context){"kubectl annotate": func(ctx context.Context) {
		Eventually(func(g Gomega) { g.Expect(c.held(ctx, g, "okta")).To(BeNil()) }).Should(Succeed())
	}}
})

// mistake has forty people deactivated.
func (c *company) mistake(ctx context.Context, p *player) {
	GinkgoHelper()
	idp := c.directory(ctx, "okta", "  primary: true\n  safeguard: {window: 1h, minimum: 5, percent: 10}\n")
	ids := []string{user(ctx, idp, "ada@example.com", "Ada Lovelace")}
	for i := range 39 {
		ids = append(ids, user(ctx, idp, fmt.Sprintf("colleague%d@example.com", i+1), fmt.Sprint("Colleague ", i+1)))
	}
	p.replace["3f9c02a1b7de"] = c.deactivateAtOnce(ctx, "okta", idp, ids)
}

// deactivateAtOnce deactivates people, all of whom are held, and returns the plan.
func (c *company) deactivateAtOnce(ctx context.Context, directory string, idp *provider.Client, ids []string) string {
	GinkgoHelper()
	for _, id := range ids {
		Eventually(func(g Gomega) {
			var m v1alpha1.AppMembership
			g.Expect(c.admin.Get(ctx, client.ObjectKey{Namespace: c.namespace, Name: id}, &m)).To(Succeed())
			g.Expect(m.Spec.Active).To(BeTrue())
		}).Should(Succeed())
	}
	return c.hold(ctx, directory, len(ids), func(i int) { deactivate(ctx, idp, ids[i]) }, func(i int) {
		_, _, err := idp.Patch(ctx, provider.Users, ids[i], provider.Operation{Op: "replace", Value: map[string]any{"active": true}})
		Expect(err).NotTo(HaveOccurred())
	})
}

// hold has so many people leave at once, until the safeguard of the directory holds all of them, and returns the plan. On a busy
// machine one may have gone before the others: then all come back, and leave again, which is no longer the first removal.
func (c *company) hold(ctx context.Context, directory string, people int, leave, comeBack func(int)) (plan string) {
	GinkgoHelper()
	all := func(do func(int)) {
		var group sync.WaitGroup
		for i := range people {
			group.Go(func() {
				defer GinkgoRecover()
				do(i)
			})
		}
		group.Wait()
	}
	var last time.Time
	Eventually(func(g Gomega) {
		held := c.held(ctx, g, directory)
		whole := held != nil && int(held.People) == people
		if !whole && time.Since(last) > 5*time.Second {
			if !last.IsZero() {
				all(comeBack)
			}
			all(leave)
			last = time.Now()
		}
		g.Expect(whole).To(BeTrue(), "%+v", held)
		plan = held.Plan
	}).Should(Succeed())
	return plan
}

// held is what the safeguard of a directory holds.
func (c *company) held(ctx context.Context, g Gomega, directory string) *v1alpha1.HeldChanges {
	var d v1alpha1.ScimDirectory
	g.Expect(c.admin.Get(ctx, client.ObjectKey{Namespace: c.namespace, Name: directory}, &d)).To(Succeed())
	return d.Status.Held
}
