package cli_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

var _ = Describe("Who has access, and why", Ordered, func() {
	var o organization
	var ada, grace string

	BeforeAll(func(ctx context.Context) {
		o = found(ctx)
		o.role(ctx, "member", func(r *v1alpha1.AppRoleSpec) { r.Default = true })
		o.role(ctx, "admin", grantedTo("Administrators"))
		o.role(ctx, "developer", grantedTo("Engineering"))
		o.role(ctx, "billing", grantedTo("Finance"))
		ada, grace = o.user("ada@example.com", "Ada Lovelace"), o.user("grace@example.com", "Grace Hopper")
		linus := o.user("linus@example.com", "Linus")
		o.group("Administrators", ada)
		o.group("Engineering", o.group("Backend", grace), ada)
		o.push(http.MethodPatch, "/Users/"+linus, `{"Operations":[{"op":"replace","value":{"active":false}}]}`)
		Expect(installed.Admin.Create(ctx, &v1alpha1.AppMembership{
			ObjectMeta: metav1.ObjectMeta{Namespace: o.namespace, Name: "root"},
			Spec: v1alpha1.AppMembershipSpec{
				User: v1alpha1.MemberIdentity{UserName: "root@example.com"}, Active: true, Roles: []string{"admin"},
			},
		})).To(Succeed())
		Eventually(scim).WithArguments(o.namespace, "users list").Should(And(
			table("USERNAME NAME ACTIVE ROLES DIRECTORY STATE AGE"),
			MatchRegexp(`(?m)^ada@example.com +Ada Lovelace +yes +admin,developer,member +okta +Provisioned `),
			MatchRegexp(`(?m)^grace@example.com +Grace Hopper +yes +developer,member +okta +Provisioned `),
			MatchRegexp(`(?m)^linus@example.com +Linus +no +- +okta +Deactivated `),
		))
	})

	It("lists users as programs want them", func() {
		var list struct{ Items []v1alpha1.ScimUser }
		Expect(json.Unmarshal([]byte(scim(o.namespace, "users list -o json")), &list)).To(Succeed())
		Expect(list.Items).To(HaveLen(3))
		Expect(list.Items[0].Kind).To(Equal("ScimUser"))
		Expect(scim(o.namespace, "users list -o yaml")).To(And(HavePrefix("apiVersion: v1\nkind: List\nitems:\n- apiVersion: scim-operator.io/v1alpha1"), ContainSubstring("userName: ada@example.com")))
		Expect(strings.Fields(scim(o.namespace, "users list -o name"))).To(ContainElement("scimuser.scim-operator.io/" + ada))
		Expect(scim(o.namespace, "users list -o wide")).To(ContainSubstring(ada))
		Expect(refused(o.namespace, "users list -o csv")).To(ContainSubstring("want one of [table wide json yaml name]"))
	})

	It("finds a user by userName, name, address or id", func() {
		for _, word := range []string{"ADA@example.com", "ada lovelace", ada} {
			Expect(scim(o.namespace, "users show", word)).To(And(
				HavePrefix("ada@example.com\n"), table("Directory okta", "Roles admin, developer, member", "Id "+ada)))
		}
		Expect(refused(o.namespace, "users show nobody")).To(Equal(
			`error: there is no user "nobody" in namespace "` + o.namespace + "\"; `kubectl scim users list -n " + o.namespace + "` shows all\n"))
		Expect(refused(o.namespace, "users show ada@example.com --directory entra")).To(Equal(
			`error: there is no ScimDirectory "entra" in namespace "` + o.namespace + "\"; there is: okta\n"))
	})

	It("lists groups and their members", func() {
		Eventually(scim).WithArguments(o.namespace, "groups list").Should(And(
			MatchRegexp(`(?m)^Administrators +1 +admin +okta +Ready `),
			MatchRegexp(`(?m)^Engineering +2 +developer +okta +Ready `),
		))
		Expect(scim(o.namespace, "groups show engineering")).To(And(HavePrefix("Engineering\n"), table("Roles developer")))
		Expect(scim(o.namespace, "group members Engineering")).To(table(
			"MEMBER NAME KIND ACTIVE", "Backend - group yes", "ada@example.com Ada Lovelace user yes"))
		Expect(scim(o.namespace, "group members Backend -o name")).To(Equal("scimuser.scim-operator.io/" + grace + "\n"))
	})

	It("says who can", func() {
		Expect(scim(o.namespace, "who-can admin")).To(And(
			table("USERNAME NAME THROUGH DIRECTORY REMARK", "ada@example.com Ada Lovelace Administrators okta", "root@example.com - by hand -"),
			Not(ContainSubstring("grace"))))
		Expect(scim(o.namespace, "who-can developer")).To(table("grace@example.com Grace Hopper Engineering okta"))
		Expect(scim(o.namespace, "who-can member")).To(table("grace@example.com Grace Hopper default okta"))
		printed, err := run(o.namespace, "who-can billing")
		Expect(err).NotTo(HaveOccurred())
		Expect(printed).To(Equal(output{"", "Nobody has the role billing.\n"}))
		Expect(refused(o.namespace, "who-can fly")).To(Equal(
			`error: there is no AppRole "fly" in namespace "` + o.namespace + "\"; there is: admin, billing, developer, member\n"))
	})

	It("says why", func() {
		why := scim(o.namespace, "why grace@example.com")
		AddReportEntry("why", why)
		Expect(why).To(And(
			HavePrefix("grace@example.com (Grace Hopper), of directory okta: has access\n"),
			table(
				"ROLE HAS BECAUSE",
				`developer yes member of Engineering › Backend: AppRole developer is grantedTo displayName "Engineering"`,
				"member yes AppRole member is the default of everybody who is active",
				"admin no not a member of Administrators",
				`billing no there is no group with displayName "Finance"`,
			)))
		Expect(scim(o.namespace, "why linus@example.com")).To(And(
			ContainSubstring("has no access\nDeactivated: the identity provider deactivated this user\n"),
			table("admin no the identity provider deactivated the person")))
		Expect(scim(o.namespace, "why root@example.com")).To(And(
			HavePrefix("root@example.com, a local member, whom no directory manages: has access"),
			MatchRegexp(`(?m)^admin +yes +by hand, with cli.test, last changed \d{4}-\d\d-\d\d$`)))
		var told struct{ Roles []struct{ Role string } }
		Expect(json.Unmarshal([]byte(scim(o.namespace, "why grace@example.com -o json")), &told)).To(Succeed())
		Expect(told.Roles).To(HaveLen(4))
	})

	It("tells what happened, in order and by name", func() {
		Eventually(scim).WithArguments(o.namespace, "audit --group Administrators").Should(
			MatchRegexp(`GroupCreated +Created by directory okta, request \S+\n\S+ +MemberAdded +Member ada@example.com added by directory okta`))
		Eventually(scim).WithArguments(o.namespace, "audit --user ada@example.com").Should(And(
			MatchRegexp(`UserCreated(.*\n)+.*MemberAdded +Added to Administrators by directory okta`),
			ContainSubstring("the person has the role admin now")))
		Expect(refused(o.namespace, "audit")).To(ContainSubstring("at least one of the flags in the group [user group] is required"))
	})

	It("exports what an identity provider sees", func() {
		var list struct {
			Schemas      []string
			TotalResults int
			Resources    []struct {
				Schemas               []string
				UserName, DisplayName string
				Meta                  struct{ ResourceType, Location string }
				Members               []struct{ Value string }
			}
		}
		Expect(json.Unmarshal([]byte(scim(o.namespace, "export okta")), &list)).To(Succeed())
		Expect(list.TotalResults).To(Equal(6))
		Expect(list.Resources).To(HaveLen(6))
		Expect(list.Resources[0].UserName).To(Equal("ada@example.com"))
		Expect(list.Resources[3].Members).To(HaveLen(1))
	})

	It("does not let a name move the cursor", func(ctx context.Context) {
		Expect(installed.Admin.Create(ctx, &v1alpha1.AppMembership{
			ObjectMeta: metav1.ObjectMeta{Namespace: o.namespace, Name: "mallory"},
			Spec: v1alpha1.AppMembershipSpec{
				User: v1alpha1.MemberIdentity{UserName: "mallory\x1b[2J\u202e\n"}, Active: true, Roles: []string{"billing"},
			},
		})).To(Succeed())
		Expect(scim(o.namespace, "who-can billing")).To(MatchRegexp(`(?m)^mallory\\x1b\[2J\\u202e\\n +- +by hand +-$`))
	})

	It("completes names", func() {
		Expect(completed(o.namespace, "who-can", "")).To(HavePrefix("admin\nbilling\ndeveloper\nmember\n"))
		Expect(completed(o.namespace, "directory", "describe", "")).To(HavePrefix("okta\n"))
		Expect(completed(o.namespace, "token", "revoke", "okta", "")).To(HavePrefix("idp\n"))
		Expect(scim(o.namespace, "completion bash")).To(ContainSubstring("kubectl-scim"))
	})

	It("is found by kubectl", func() {
		command := exec.Command(installed.Plane.Kubectl, "scim", "who-can", "admin", "-n", o.namespace)
		command.Env = append(os.Environ(), "PATH="+filepath.Dir(plugin), "KUBECONFIG="+installed.Kubeconfig())
		printed, err := command.CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(printed))
		Expect(string(printed)).To(table("ada@example.com Ada Lovelace Administrators okta"))
	})
})
