package docs

import (
	"context"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

var (
	_ = plays("docs/runbooks/ScimDirectorySuspended.md", "How to look", forgotten)
	_ = plays("docs/runbooks/ScimDirectorySuspended.md", "How to mend", forgotten)
)

// forgotten has a directory that somebody suspended.
func forgotten(ctx context.Context, s *stage, p *player) {
	c := s.company(ctx, p)
	c.directory(ctx, "okta", "  primary: true\n")
	d := &v1alpha1.ScimDirectory{ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: "okta"}}
	Expect(c.admin.Patch(ctx, d, client.RawPatch(types.MergePatchType, []byte(`{"spec": {"suspended": true}}`)))).To(Succeed())
	Eventually(func(g Gomega) {
		g.Expect(c.admin.Get(ctx, client.ObjectKeyFromObject(d), d)).To(Succeed())
		g.Expect(meta.IsStatusConditionTrue(d.Status.Conditions, v1alpha1.ConditionStalled)).To(BeTrue())
	}).Should(Succeed())
}
