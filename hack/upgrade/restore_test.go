package upgrade

import (
	"context"
	"net/http"
	"os"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/operator"
)

var _ = Describe("An organization that is restored from a backup into another cluster", Ordered, func() {
	var (
		now                               *cluster
		ada, bob, cleo, dan, fay          string
		group                             string
		rememberedUsers, rememberedGroups []listed // as the identity provider saw them
		accessBefore                      []string
		folder                            string
		do                                map[string]string
	)

	BeforeAll(func(ctx context.Context) {
		do = scripts("backup.md")
		folder = GinkgoT().TempDir()
		first := operator.Install(ctx)
		first.Apply(ctx, "hack/upgrade/testdata/acme.yaml")
		then := begin(first)
		then.readToken(ctx)
		ada, bob, cleo, dan, fay = then.person("ada"), then.person("bob"), then.person("cleo"), then.person("dan"), then.person("fay")
		group = then.group("Administrators", ada, bob, cleo, fay)
		then.deactivate(cleo)
		Expect(then.scim(http.MethodDelete, "/Users/"+dan, "").status).To(Equal(http.StatusNoContent))
		m := member(ctx, first, "bob")
		m.Spec.Roles = append(m.Spec.Roles, "owner")
		Expect(first.Admin.Update(ctx, m, client.FieldOwner("somebody"))).To(Succeed())
		Eventually(then.access(ctx)).Should(Equal([]string{
			"ada active admin", "bob active admin,owner", "cleo inactive ", "fay active admin", "local active owner",
		}))
		Eventually(then.bound(ctx)).Should(Equal([]string{"ada", "bob", "fay"}))
		Eventually(then.readyReasons(ctx)).Should(Equal([]string{
			"directory Ready", "target InSync", "user Deactivated", "user Provisioned",
		}))
		accessBefore = then.access(ctx)()
		rememberedUsers = then.scim(http.MethodGet, "/Users", "").body.Resources
		rememberedGroups = then.scim(http.MethodGet, "/Groups", "").body.Resources
		if *writesBaseline {
			writeBaseline(ctx, first, then.beforeAnUpgrade(ctx, []string{ada, bob, fay}, cleo))
			Skip("the baseline is written")
		}
		shell(first, folder, do["Back up"])
		token := then.token
		then.operator.Kill()

		second := operator.Install(ctx)
		shell(second, folder, do["Restore"])
		second.Apply(ctx, "hack/upgrade/testdata/acme.yaml") // the rest, as from Git
		// Ada has left since the backup, and the target's system knows.
		var b rbacv1.RoleBinding
		Expect(second.Admin.Get(ctx, key("admins"), &b)).To(Succeed())
		b.Subjects = slices.DeleteFunc(b.Subjects, func(s rbacv1.Subject) bool { return s.Name == "oidc:ada@example.com" })
		Expect(second.Admin.Update(ctx, &b)).To(Succeed())
		now = begin(second)
		now.token = token
	})

	It("has the same people with the same access, and gives nobody what was taken away since", func(ctx context.Context) {
		Eventually(now.readyReasons(ctx)).Should(Equal([]string{
			"directory Restored", "target Restored", "user Deactivated", "user Provisioned",
		}))
		Consistently(func(g Gomega) {
			g.Expect(now.access(ctx)()).To(Equal(accessBefore))
			g.Expect(now.bound(ctx)()).To(Equal([]string{"bob", "fay"}))
		}).Should(Succeed())
		Expect(shell(now.Installation, folder, do["What is different after it"])).To(MatchRegexp(
			`^this directory came back from a backup, .*: kubectl annotate scimdirectory okta -n acme --overwrite scim-operator.io/uid=[0-9a-f-]{36}\n$`))
	})

	It("answers its identity provider under the same ids, and no old version matches", func() {
		for path, remembered := range map[string][]listed{"/Users": rememberedUsers, "/Groups": rememberedGroups} {
			again := now.scim(http.MethodGet, path, "").body.Resources
			Expect(again).To(HaveLen(len(remembered)))
			for i, before := range remembered {
				Expect(again[i].ID).To(Equal(before.ID))
				Expect(again[i].ExternalID).To(Equal(before.ExternalID))
				Expect(again[i].Active).To(Equal(before.Active))
				Expect(again[i].Meta.Version).NotTo(Equal(before.Meta.Version))
			}
		}
		Expect(now.patch("/Users/"+bob, `{"op":"replace","path":"displayName","value":"B"}`, "If-Match", rememberedUsers[1].Meta.Version)).
			To(Equal(http.StatusPreconditionFailed))
	})

	It("has the tokens, which belong to the directory that is", func(ctx context.Context) {
		Eventually(func(g Gomega) {
			var d v1alpha1.ScimDirectory
			var s corev1.Secret
			g.Expect(now.Admin.Get(ctx, key("okta"), &d)).To(Succeed())
			g.Expect(now.Admin.Get(ctx, key("okta-token"), &s)).To(Succeed())
			g.Expect(s.OwnerReferences).To(HaveLen(1))
			g.Expect(s.OwnerReferences[0].UID).To(Equal(d.UID))
		}).Should(Succeed())
	})

	It("takes access away at once", func(ctx context.Context) {
		now.deactivate(fay)
		Eventually(now.bound(ctx)).Should(Equal([]string{"bob"}))
		now.remove(group, bob)
		Eventually(now.bound(ctx)).Should(BeEmpty())
		Eventually(now.access(ctx)).Should(Equal([]string{
			"ada active admin", "bob active owner", "cleo inactive ", "fay inactive ", "local active owner",
		}), "what was granted by hand stays")
	})

	It("stores newcomers and gives them nothing yet, the former id to who was deleted before", func(ctx context.Context) {
		eve := now.person("eve")
		now.add(group, eve)
		Expect(now.person("dan")).To(Equal(dan))
		now.add(group, bob)
		Eventually(now.readyReasons(ctx)).Should(ContainElement("user Restored"))
		Consistently(func(g Gomega) {
			g.Expect(now.access(ctx)()).To(Equal([]string{
				"ada active admin", "bob active owner", "cleo inactive ", "fay inactive ", "local active owner",
			}))
			g.Expect(now.bound(ctx)()).To(BeEmpty())
		}).Should(Succeed())
	})

	It("gives what it says once that is acknowledged", func(ctx context.Context) {
		now.deactivate(ada) // the identity provider has caught up
		shell(now.Installation, folder, do["Acknowledge"])
		Eventually(now.access(ctx)).Should(Equal([]string{
			"ada inactive ", "bob active admin,owner", "cleo inactive ", "dan active ", "eve active admin", "fay inactive ", "local active owner",
		}))
		Eventually(now.bound(ctx)).Should(Equal([]string{"bob", "eve"}))
		Eventually(now.readyReasons(ctx)).Should(Equal([]string{
			"directory Ready", "target InSync", "user Deactivated", "user Provisioned",
		}))
	})

	It("can be marked as restored by hand", func(ctx context.Context) {
		shell(now.Installation, folder, do["From a snapshot of etcd, or beside GitOps"])
		Eventually(now.readyReasons(ctx)).Should(ContainElement("directory Restored"))
		Expect(os.RemoveAll(folder)).To(Succeed())
	})
})

// member is the AppMembership of a person.
func member(ctx context.Context, i *operator.Installation, name string) *v1alpha1.AppMembership {
	GinkgoHelper()
	var found *v1alpha1.AppMembership
	Eventually(func() *v1alpha1.AppMembership {
		var list v1alpha1.AppMembershipList
		Expect(i.Admin.List(ctx, &list, client.InNamespace(namespace))).To(Succeed())
		for j := range list.Items {
			if list.Items[j].Spec.User.UserName == name+"@example.com" && len(list.Items[j].Spec.Roles) > 0 {
				found = &list.Items[j]
			}
		}
		return found
	}).ShouldNot(BeNil())
	return found
}
