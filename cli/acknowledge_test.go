package cli_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

var _ = Describe("A directory from a backup", func() {
	It("is acknowledged, after those who wait for it were named", func(ctx context.Context) {
		o := found(ctx, func(*v1alpha1.ScimDirectory) {})
		o.role(ctx, "member", func(r *v1alpha1.AppRoleSpec) { r.Default = true })
		o.user("early@example.com", "Early Bird")
		Eventually(scim).WithArguments(o.namespace, "who-can member").Should(ContainSubstring("early@example.com"))
		Expect(refused(o.namespace, "acknowledge okta --yes")).To(Equal(
			"error: directory okta did not come back from a backup; there is nothing to acknowledge\n"))

		d := o.directory(ctx)
		d.Annotations[v1alpha1.UIDAnnotation] = "that-of-another-life"
		Expect(installed.Admin.Update(ctx, d)).To(Succeed())
		Eventually(scim).WithArguments(o.namespace, "directory describe okta").Should(ContainSubstring("came back from a backup"))
		o.user("late@example.com", "Late Comer")
		waiting := And(HavePrefix("Directory okta came back from a backup; 1 person waits for it to be acknowledged\n"),
			ContainSubstring("late@example.com"), Not(ContainSubstring("early@example.com")))
		Eventually(func(g Gomega) {
			printed, err := run(o.namespace, "acknowledge okta")
			g.Expect(err).To(HaveOccurred())
			g.Expect(printed.err).To(ContainSubstring("Give --yes"))
			g.Expect(printed.out).To(waiting)
		}).Should(Succeed())
		Expect(scim(o.namespace, "who-can member")).NotTo(ContainSubstring("late@example.com"))

		Expect(scim(o.namespace, "acknowledge okta --yes")).To(And(waiting, HaveSuffix("Acknowledged: directory okta gives access again.\n")))
		Eventually(scim).WithArguments(o.namespace, "who-can member").Should(ContainSubstring("late@example.com"))
	})
})
