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
		around *systems
		loaded []unstructured.Unstructured
		seen   answers
	)

	BeforeAll(func(ctx context.Context) {
		if *writesBaseline {
			Skip("it is being written")
		}
		i := operator.Install(ctx)
		Expect(i.Admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})).To(Succeed())
		around = startSystems(ctx)
		loaded, seen = load(ctx, i, around)
		around.hold(ctx, seen.Tuples)
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
				if isLedgerOf(&before, "hook") {
					continue // the app has moved: what it is sent for that is on record
				}
				after := &unstructured.Unstructured{}
				after.SetGroupVersionKind(before.GroupVersionKind())
				g.Expect(now.Admin.Get(ctx, client.ObjectKeyFromObject(&before), after)).To(Succeed())
				g.Expect(said(after)).To(Equal(said(&before)), "%s %s", before.GetKind(), before.GetName())
			}
		}).Should(Succeed())
		Expect(now.access(ctx)()).To(Equal([]string{
			"ada active admin,auditor", "bob active admin,auditor,owner", "cleo inactive ", "fay active admin,auditor", "local active owner",
		}))
	})

	It("grants nothing twice in systems that do not say who granted", func(ctx context.Context) {
		Expect(around.tuples(ctx)()).To(Equal(seen.Tuples))
		Expect(around.writes.Load()).To(BeZero())
		Eventually(around.heard).Should(Equal([]string{
			"snapshot ada admin,auditor", "snapshot bob admin,auditor,owner", "snapshot cleo", "snapshot fay admin,auditor", "snapshot local owner",
		}), "at its new address, and no event beside")
	})

	It("is what the identity provider saw before", func() {
		Expect(withoutVersions(now.scim(http.MethodGet, "/Users", "").body.Resources)).To(Equal(withoutVersions(seen.Users)))
		Expect(withoutVersions(now.scim(http.MethodGet, "/Groups", "").body.Resources)).To(Equal(withoutVersions(seen.Groups)))
	})

	It("finishes each resize that was interrupted, at the next change, and loses no member", func(ctx context.Context) {
		ada, bob, cleo, fay := seen.Users[0].ID, seen.Users[1].ID, seen.Users[2].ID, seen.Users[3].ID
		was := []string{
			1: "2 slices, 0 sealed", 2: "2 slices, 1 sealed", 3: "2 slices, 2 sealed", 4: "2 slices, 2 sealed",
			5: "1 slices, 0 sealed", 6: "1 slices, 0 sealed",
		}
		for writes := 1; writes < len(steps); writes++ {
			By(steps[writes])
			team := seen.Groups[writes].ID
			stored, _ := membership(ctx, now.Installation, team)
			Expect(stored).To(Equal(was[writes]))
			Expect(now.membersOf(team)).To(ConsistOf(ada, bob, fay))
			now.add(team, cleo)
			stored, members := membership(ctx, now.Installation, team)
			Expect(stored).To(Equal("1 slices, 0 sealed"))
			Expect(members).To(ConsistOf(ada, bob, cleo, fay))
			Expect(now.membersOf(team)).To(ConsistOf(ada, bob, cleo, fay))
			now.remove(team, bob)
		}
		Eventually(now.access(ctx)).Should(Equal([]string{
			"ada active admin,auditor", "bob active admin,owner", "cleo inactive ", "fay active admin,auditor", "local active owner",
		}))
	})

	It("can be changed, and a leaver loses access everywhere", func(ctx context.Context) {
		ada, bob := seen.Users[0].ID, seen.Users[1].ID
		Expect(now.patch("/Users/"+bob, `{"op":"replace","path":"displayName","value":"Bob"}`)).To(Equal(http.StatusOK))
		now.remove(seen.Groups[0].ID, bob)
		now.deactivate(ada)
		Eventually(now.bound(ctx)).Should(Equal([]string{"fay"}))
		Eventually(now.access(ctx)).Should(Equal([]string{
			"ada inactive ", "bob active owner", "cleo inactive ", "fay active admin,auditor", "local active owner",
		}))
		Eventually(around.tuples(ctx)).Should(Equal([]string{"fay admin", "fay auditor"}))
		Eventually(around.heard).Should(ContainElements(
			"role.revoked ada admin", "role.revoked ada auditor", "role.revoked bob admin", "role.revoked bob auditor", "user.deactivated ada"))
		Expect(around.heard()).NotTo(ContainElement(HavePrefix("role.granted")))
	})
})

// isLedgerOf says whether an object is a page of that target's record.
func isLedgerOf(o *unstructured.Unstructured, target string) bool {
	name, _, _ := unstructured.NestedString(o.Object, "spec", "targetRef", "name")
	return o.GetKind() == "AppTargetLedger" && name == target
}

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
