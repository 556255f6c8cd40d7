package upgrade

import (
	"context"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/hack/operator"
)

var _ = Describe("What the last release left in a cluster", Ordered, func() {
	var (
		now    *cluster
		loaded []unstructured.Unstructured
		seen   answers
	)

	BeforeAll(func(ctx context.Context) {
		if *writesBaseline {
			Skip("it is being written")
		}
		i := operator.Install(ctx)
		Expect(i.Admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})).To(Succeed())
		loaded, seen = load(ctx, i)
		i.Apply(ctx, "hack/upgrade/testdata/acme.yaml") // the rest, as from Git
		now = begin(i)
		now.readToken(ctx)
	})

	It("is ready under this version, which writes nothing about people", func(ctx context.Context) {
		Eventually(now.readyReasons(ctx)).Should(Equal([]string{
			"directory Ready", "target InSync", "user Deactivated", "user Provisioned",
		}))
		Consistently(func(g Gomega) {
			for _, before := range loaded {
				after := &unstructured.Unstructured{}
				after.SetGroupVersionKind(before.GroupVersionKind())
				g.Expect(now.Admin.Get(ctx, client.ObjectKeyFromObject(&before), after)).To(Succeed())
				g.Expect(said(after)).To(Equal(said(&before)), "%s %s", before.GetKind(), before.GetName())
			}
		}).Should(Succeed())
		Expect(now.access(ctx)()).To(Equal([]string{
			"ada active admin", "bob active admin,owner", "cleo inactive ", "fay active admin", "local active owner",
		}))
	})

	It("is what the identity provider saw before", func() {
		Expect(withoutVersions(now.scim(http.MethodGet, "/Users", "").body.Resources)).To(Equal(withoutVersions(seen.Users)))
		Expect(withoutVersions(now.scim(http.MethodGet, "/Groups", "").body.Resources)).To(Equal(withoutVersions(seen.Groups)))
	})

	It("can be changed, and a leaver loses access", func(ctx context.Context) {
		ada, bob := seen.Users[0].ID, seen.Users[1].ID
		Expect(now.patch("/Users/"+bob, `{"op":"replace","path":"displayName","value":"Bob"}`)).To(Equal(http.StatusOK))
		now.remove(seen.Groups[0].ID, bob)
		now.deactivate(ada)
		Eventually(now.bound(ctx)).Should(Equal([]string{"fay"}))
		Eventually(now.access(ctx)).Should(Equal([]string{
			"ada inactive ", "bob active owner", "cleo inactive ", "fay active admin", "local active owner",
		}))
	})
})

// said is what an object says but for its status, and how often that was changed.
func said(o *unstructured.Unstructured) []any {
	return []any{o.GetGeneration(), o.Object["spec"], o.Object["subjects"], o.Object["data"]}
}

// withoutVersions leaves out what changes when an object is made anew, as these were in this cluster.
func withoutVersions(resources []listed) (same []listed) {
	for _, r := range resources {
		r.Meta.Version = ""
		same = append(same, r)
	}
	return same
}
