package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

var _ = Describe("Held changes", func() {
	It("are shown, explained, and approved as exactly that plan", func(ctx context.Context) {
		o := found(ctx, func(d *v1alpha1.ScimDirectory) {
			d.Spec.Safeguard = &v1alpha1.Safeguard{Minimum: new(int32(1)), Percent: new(int32(1))}
		})
		o.role(ctx, "member", func(r *v1alpha1.AppRoleSpec) { r.Default = true })
		o.role(ctx, "admin", grantedTo("Administrators"))
		var people []string
		for n := range 4 {
			people = append(people, o.user(fmt.Sprintf("p%d@example.com", n), fmt.Sprintf("Person %d", n)))
		}
		admins := o.group("Administrators", people...)
		Eventually(scim).WithArguments(o.namespace, "who-can admin -o name").Should(HaveLen(4 * len("appmembership.scim-operator.io/"+people[0]+"\n")))
		Expect(scim(o.namespace, "plan")).To(Equal("No changes are held.\n"))
		Expect(refused(o.namespace, "approve okta --yes")).To(Equal("error: directory okta holds no changes; there is nothing to approve\n"))

		o.push(http.MethodDelete, "/Groups/"+admins, "")
		var told struct {
			Directories []struct {
				Plan   string
				Count  int
				People []struct {
					UserName string
					Loses    []string
				}
			}
		}
		Eventually(func(g Gomega) {
			g.Expect(json.Unmarshal([]byte(scim(o.namespace, "plan -o json")), &told)).To(Succeed())
			g.Expect(told.Directories).To(HaveLen(1))
			g.Expect(told.Directories[0].Count).To(Equal(4))
			g.Expect(told.Directories[0].People).To(HaveLen(4))
		}).Should(Succeed())
		plan := told.Directories[0].Plan
		Expect(scim(o.namespace, "plan okta")).To(And(
			MatchRegexp(`^Plan `+plan+` of directory okta, held for \S+: 4 people would lose something\n`),
			table("USERNAME NAME LOSES BECAUSE", "p1@example.com Person 1 admin nothing grants it any more"),
			ContainSubstring("kubectl scim approve okta -n "+o.namespace)))
		Expect(scim(o.namespace, "why p1@example.com")).To(table(
			"admin yes kept until the held changes are approved: nothing grants it any more",
			"member yes AppRole member is the default of everybody who is active"))
		Expect(scim(o.namespace, "who-can admin")).To(table("p1@example.com Person 1 " + admins + " okta removal held by the safeguard"))
		Expect(scim(o.namespace, "directory describe okta")).To(ContainSubstring("plan " + plan + ": 4 people lose something"))

		Expect(refused(o.namespace, "approve okta")).To(ContainSubstring("Carry out plan " + plan + "? Give --yes"))
		Expect(refused(o.namespace, "approve okta --yes --plan 000000000000")).To(ContainSubstring("holds plan " + plan + " now, not 000000000000"))
		Expect(o.directory(ctx).Annotations).NotTo(HaveKey("scim-operator.io/approve"))
		Expect(scim(o.namespace, "approve okta --yes --plan "+plan)).To(And(
			ContainSubstring("p1@example.com"), HaveSuffix("Approved: plan "+plan+" is carried out.\n")))
		Eventually(scim).WithArguments(o.namespace, "who-can admin").Should(BeEmpty())
		Expect(scim(o.namespace, "plan")).To(Equal("No changes are held.\n"))
	})
})
