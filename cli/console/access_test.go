package console_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

var _ = Describe("Signing in", func() {
	It("is asked for on every page, and leads back to it", func() {
		b := &browser{map[string]string{}}
		for _, path := range []string{"/", "/namespaces/acme", "/namespaces/acme/roles", "/namespaces/acme/directories/okta/people?q=a", "/nothing"} {
			got := b.get(path)
			Expect(got.Status).To(Equal(http.StatusSeeOther), path)
			to := "/login"
			if path != "/" {
				to += "?next=" + url.QueryEscape(path)
			}
			Expect(got.Header.Get("Location")).To(Equal(to))
			Expect(got.Text).NotTo(ContainSubstring("acme/directories/okta/people/"))
		}
		Expect(b.get("/login?next=/namespaces/acme")).To(has(http.StatusOK, `name="next" value="/namespaces/acme"`, `name="token" type="password"`))
	})

	It("keeps the token where neither a script nor another port of localhost can read it", func(ctx context.Context) {
		token := found(ctx).reader(ctx, "scim-operator-view")
		b := &browser{map[string]string{}}
		got := b.do(http.MethodPost, "/login", url.Values{"token": {" Bearer " + token + "\n"}, "next": {"/namespaces/acme"}}.Encode())
		Expect(got.Status).To(Equal(http.StatusSeeOther))
		Expect(got.Header.Get("Location")).To(Equal("/login?next=%2Fnamespaces%2Facme&signed-in=1"))
		Expect(got.Header.Get("Set-Cookie")).To(MatchRegexp(`^scim-console=[^;]+; Path=/; HttpOnly; SameSite=Strict$`))
		Expect(got.Header.Get("Set-Cookie")).NotTo(ContainSubstring(token))
		Expect(b.get("/login?signed-in=1&next=/namespaces/acme").Header.Get("Location")).To(Equal("/namespaces/acme"))

		elsewhere := func(r *http.Request) { r.Host = "console.example.com" }
		got = b.do(http.MethodPost, "/login", "token="+token, elsewhere)
		Expect(got.Header.Get("Set-Cookie")).To(Equal("__Host-scim-console=" + token + "; Path=/; HttpOnly; Secure; SameSite=Strict"))
		Expect(b.do(http.MethodGet, "/", "", elsewhere).Status).To(Equal(http.StatusOK))

		without := &browser{map[string]string{}}
		Expect(without.get("/login?signed-in=1")).To(has(http.StatusOK, "did not keep the token"))
		without.cookies["scim-console"] = token
		Expect(without.get("/").Status).To(Equal(http.StatusSeeOther), "an unsealed token is none on the loopback")
	})

	It("ends when the person signs out", func(ctx context.Context) {
		b := signIn(found(ctx).reader(ctx, "scim-operator-view"))
		Expect(b.get("/").Status).To(Equal(http.StatusOK))
		Expect(b.do(http.MethodPost, "/logout", "").Header.Get("Location")).To(Equal("/login"))
		Expect(b.cookies).To(BeEmpty())
		Expect(b.get("/").Status).To(Equal(http.StatusSeeOther))
	})

	It("ends when Kubernetes no longer accepts the token", func(ctx context.Context) {
		o := found(ctx)
		b := signIn(o.reader(ctx, "scim-operator-view"))
		Expect(b.get(o.path(""))).To(has(http.StatusOK, "okta"))
		Expect(installed.Admin.Delete(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: o.namespace, Name: "reader-scim-operator-view"}})).To(Succeed())
		kept := b.cookies["scim-console"]
		Eventually(func() page {
			b.cookies["scim-console"] = kept
			return b.get(o.path(""))
		}).Should(has(http.StatusUnauthorized, "expired, or was withdrawn", `value="`+o.path("")+`"`))
		Expect(b.cookies).To(BeEmpty())
	})

	It("is refused with a wrong token, and after ten of them without asking Kubernetes", func(ctx context.Context) {
		good := found(ctx).reader(ctx, "scim-operator-view")
		caller := func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.7") }
		b := &browser{map[string]string{}}
		Expect(b.do(http.MethodPost, "/login", "token=")).To(has(http.StatusForbidden, "not a token of Kubernetes"))
		Expect(b.do(http.MethodPost, "/login", "token=a%0d%0ab")).To(has(http.StatusForbidden, "not a token of Kubernetes"))
		signedIn := signIn(good)
		Eventually(func() page { return b.do(http.MethodPost, "/login", "token=wrong", caller) }).WithPolling(1).
			Should(has(http.StatusTooManyRequests, "Too many wrong tokens"))
		Expect(b.cookies).To(BeEmpty())
		Expect(signedIn.get("/").Status).To(Equal(http.StatusOK), "who has signed in is not shut out")
	})

	It("takes no form of another site", func(ctx context.Context) {
		token := found(ctx).reader(ctx, "scim-operator-view")
		b := signIn(token)
		for _, form := range []string{"/login", "/logout"} {
			got := b.do(http.MethodPost, form, "token="+token, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") })
			Expect(got.Status).To(Equal(http.StatusForbidden))
			got = b.do(http.MethodPost, form, "token="+token, func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") })
			Expect(got.Status).To(Equal(http.StatusForbidden))
		}
		Expect(b.get("/").Status).To(Equal(http.StatusOK))
	})

	DescribeTable("leads nowhere but into the console", func(next string) {
		b := &browser{map[string]string{}}
		Expect(b.get("/login?next=" + url.QueryEscape(next))).To(has(http.StatusOK, `name="next" value="/"`))
	},
		Entry("another site", "https://evil.example/"), Entry("without a scheme", "//evil.example/"), Entry("backslashes", `/\evil.example`),
		Entry("a script", "javascript:alert(1)"), Entry("itself", "/login?next=/"), Entry("nothing", ""), Entry("a relative path", "evil"),
		Entry("two slashes, escaped", "/%2Fevil.example"),
	)

	It("tells browsers to be strict, whatever the answer", func(ctx context.Context) {
		o := found(ctx)
		b := signIn(o.reader(ctx, "scim-operator-view"))
		for path, status := range map[string]int{
			"/": 200, "/login": 200, o.path(""): 200, o.path("/people"): 403, "/nothing": 404, "/static/style.css": 200, "/static/other": 404,
		} {
			got := b.get(path)
			Expect(got.Status).To(Equal(status), path)
			for name, value := range map[string]string{
				"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
				"X-Frame-Options":         "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
				"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
			} {
				Expect(got.Header.Get(name)).To(Equal(value), path)
			}
			if !strings.HasPrefix(path, "/static/style") {
				Expect(got.Header.Get("Cache-Control")).To(Equal("no-store"), path)
			}
		}
		Expect(b.do(http.MethodPost, o.path(""), "x=y").Status).To(Equal(http.StatusMethodNotAllowed))
	})
})

var _ = Describe("What a token may see", func() {
	var acme, other company
	BeforeEach(func(ctx context.Context) { acme, other = furnished(ctx), company{organization: found(ctx)} })

	It("is everything of its own namespace with the role edit, and nothing of another's", func(ctx context.Context) {
		b := signIn(acme.editor(ctx))
		Expect(b.get("/")).To(SatisfyAll(
			has(http.StatusOK, acme.path(""), "may not list the directories of all namespaces"),
			HaveField("Text", Not(ContainSubstring(other.namespace))),
		))
		people := acme.path("/people")
		for path, parts := range map[string][]string{
			"/namespaces/" + acme.namespace:                      {acme.path("")},
			acme.path(""):                                        {"https://scim.example.com/scim/v2/" + acme.namespace + "/okta", "idp", "Valid", "Conditions"},
			people:                                               {"9 people", "ada@example.com", "Ada Lovelace", "inactive"},
			people + "?q=ADA":                                    {"1 person found", "ada@example.com"},
			people + "?active=no":                                {"1 person found", "lin@example.com"},
			people + "/" + acme.ada:                              {"Ada Lovelace", "ext-ada@example.com", "Administrators", "member of Administrators: AppRole admin is grantedTo displayName"},
			people + "/" + acme.leaver:                           {"the identity provider deactivated the person"},
			acme.path("/groups"):                                 {"2 groups", "Administrators", "Engineering"},
			acme.path("/groups?q=eng"):                           {"1 group found", "Engineering"},
			acme.path("/groups/" + acme.engineering):             {"Engineering", "ada@example.com", "grace@example.com"},
			acme.path("/held"):                                   {"Nothing is held", "has no safeguard"},
			acme.path("/setup"):                                  {"/okta?aadOptscim062020", "HTTP Header", "kubectl scim token create okta -n " + acme.namespace},
			"/namespaces/" + acme.namespace + "/roles":           {"admin", "Changes settings"},
			"/namespaces/" + acme.namespace + "/roles/developer": {"ada@example.com", "grace@example.com", "Engineering"},
			"/namespaces/" + acme.namespace + "/targets":         {"no AppTarget"},
		} {
			Expect(b.get(path)).To(has(http.StatusOK, parts...), path)
		}
		Expect(b.get(people + "?q=ada")).To(HaveField("Text", Not(ContainSubstring("grace@"))))

		stranger := other.user("stranger@example.com", "A Stranger")
		for _, rest := range []string{"", "/people", "/people/" + stranger, "/people/" + acme.ada, "/groups", "/groups/" + acme.admins, "/held", "/setup"} {
			Expect(b.get(other.path(rest))).To(SatisfyAll(
				has(http.StatusNotFound, "There is no such page, or your token may not see it."), HaveField("Text", Not(ContainSubstring("stranger"))),
			), rest)
		}
		for _, rest := range []string{"", "/roles/admin"} {
			Expect(b.get("/namespaces/" + other.namespace + rest).Status).To(Equal(http.StatusNotFound))
		}
		for _, rest := range []string{"/roles", "/targets"} {
			Expect(b.get("/namespaces/" + other.namespace + rest).Status).To(Equal(http.StatusForbidden))
			Expect(b.get("/namespaces/no-such-namespace"+rest).Status).To(Equal(http.StatusForbidden), "whether it exists is not told")
		}
		Expect(b.get(acme.path("/people/" + stranger)).Status).To(Equal(http.StatusNotFound))
	})

	It("is directories and roles with the role view, but no people", func(ctx context.Context) {
		b := signIn(acme.reader(ctx, "scim-operator-view"))
		Expect(b.get("/")).To(has(http.StatusOK, acme.path("")))
		Expect(b.get(acme.path(""))).To(has(http.StatusOK, "Base URL"))
		Expect(b.get("/namespaces/" + acme.namespace + "/roles")).To(has(http.StatusOK, "developer"))
		acme.seesNobody(b)
		Expect(b.get("/namespaces/" + acme.namespace + "/roles/developer")).To(SatisfyAll(
			has(http.StatusOK, "Your token may not list who has the role"), HaveField("Text", Not(ContainSubstring("@example.com")))))
	})

	It("is directories for who manages tokens, but no people and no roles", func(ctx context.Context) {
		b := signIn(acme.reader(ctx, "scim-operator-token-manager"))
		Expect(b.get("/")).To(has(http.StatusOK, acme.path("")))
		Expect(b.get(acme.path("/setup"))).To(has(http.StatusOK, "Base URL"))
		Expect(b.get("/namespaces/" + acme.namespace + "/roles").Status).To(Equal(http.StatusForbidden))
		acme.seesNobody(b)
	})

	It("is people without their groups and roles, where only these may be read", func(ctx context.Context) {
		Expect(installed.Admin.Create(ctx, &rbacv1.Role{
			ObjectMeta: metav1.ObjectMeta{Namespace: acme.namespace, Name: "people"},
			Rules: []rbacv1.PolicyRule{{
				APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"scimdirectories", "scimusers"}, Verbs: []string{"get", "list"},
			}},
		})).To(Succeed())
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: acme.namespace, Name: "people"}}
		Expect(installed.Admin.Create(ctx, account)).To(Succeed())
		Expect(installed.Admin.Create(ctx, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: acme.namespace, Name: "people"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "people"},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: acme.namespace, Name: "people"}},
		})).To(Succeed())
		b := signIn(tokenOf(ctx, account))
		Expect(b.get(acme.path("/people/" + acme.ada))).To(SatisfyAll(
			has(http.StatusOK, "Ada Lovelace", "Your token may not list groups and their members", "Your token may not list roles"),
			HaveField("Text", Not(ContainSubstring("Administrators"))),
		))
		Expect(b.get(acme.path("/groups")).Status).To(Equal(http.StatusForbidden))
		Expect(b.get(acme.path("/groups/" + acme.admins)).Status).To(Equal(http.StatusNotFound))
	})

	It("is all namespaces for who may list them", func(ctx context.Context) {
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: acme.namespace, Name: "overseer"}}
		Expect(installed.Admin.Create(ctx, account)).To(Succeed())
		Expect(installed.Admin.Create(ctx, &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "overseer-" + acme.namespace},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "scim-operator-view"},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: acme.namespace, Name: "overseer"}},
		})).To(Succeed())
		got := signIn(tokenOf(ctx, account)).get("/")
		Expect(got).To(has(http.StatusOK, acme.path(""), other.path("")))
		Expect(got.Text).NotTo(ContainSubstring("Go to a namespace"))
	})
})

// seesNobody is true of who may see no people.
func (c company) seesNobody(b *browser) {
	GinkgoHelper()
	for path, status := range map[string]int{
		"/people": http.StatusForbidden, "/people?q=ada": http.StatusForbidden, "/people/" + c.ada: http.StatusNotFound,
		"/groups": http.StatusForbidden, "/groups/" + c.admins: http.StatusNotFound,
	} {
		Expect(b.get(c.path(path))).To(SatisfyAll(HaveField("Status", status), HaveField("Text", SatisfyAll(
			Not(ContainSubstring("@example.com")), Not(ContainSubstring("Lovelace")), Not(ContainSubstring("9 people")),
		))), path)
	}
}

var _ = Describe("The pages", func() {
	It("show what an identity provider chose as text, and nothing else", func(ctx context.Context) {
		o := found(ctx)
		b := signIn(o.editor(ctx))
		hostile := `<script>alert(1)</script>"'><img src=x onerror=alert(2)>` + "\u202e@example.com"
		id := o.push(http.MethodPost, "/Users", map[string]any{"userName": hostile, "displayName": "{{.}}<b>bold</b>", "title": "javascript:alert(3)"})
		g := o.group(`</bdi><a href="https://evil.example">Click</a>`, id)
		for _, path := range []string{"/people", "/people/" + id, "/people?q=" + url.QueryEscape("<script>"), "/groups", "/groups/" + g} {
			got := b.get(o.path(path))
			Expect(got.Status).To(Equal(http.StatusOK), path)
			for _, bad := range []string{"<script", "<img src=x", "<b>", `href="https://evil`, "\u202e"} {
				Expect(got.Text).NotTo(ContainSubstring(bad), path)
			}
		}
		Expect(b.get(o.path("/people"))).To(has(http.StatusOK, "&lt;script&gt;alert(1)&lt;/script&gt;", `\u202e@example.com`))
	})

	It("show fifty people each", func(ctx context.Context) {
		o := found(ctx)
		for n := range 120 {
			o.user(fmt.Sprintf("p%03d@example.com", n), "")
		}
		b := signIn(o.editor(ctx))
		Expect(b.get(o.path("/people"))).To(has(http.StatusOK, "1–50 of 120", "p000@", "p049@", o.path("/people?page=2")))
		Expect(b.get(o.path("/people?page=3"))).To(has(http.StatusOK, "101–120 of 120", "p100@", "p119@", o.path("/people?page=2")))
		Expect(b.get(o.path("/people?q=p1&page=1"))).To(has(http.StatusOK, "20 people found", "p100@"))
		Expect(b.get(o.path("/people?page=99"))).To(has(http.StatusOK, "120 people"))
		Expect(b.get(o.path("/people?page=-1"))).To(has(http.StatusOK, "1–50 of 120"))
	})

	It("show what is held, and the command that approves exactly that", func(ctx context.Context) {
		c := furnished(ctx, func(d *v1alpha1.ScimDirectory) {
			d.Spec.Safeguard = &v1alpha1.Safeguard{Minimum: new(int32(1)), Percent: new(int32(1))}
		})
		b := signIn(c.editor(ctx))
		c.push(http.MethodDelete, "/Groups/"+c.engineering, nil)
		Eventually(func() page { return b.get(c.path("/held")) }).Should(has(http.StatusOK,
			"2 people would lose something", "grace@example.com", "nothing grants it any more"))
		Expect(b.get(c.path("/held")).Text).To(MatchRegexp(`kubectl scim approve okta -n %s --plan=[0-9a-f]{12}<`, c.namespace))
		Expect(b.get(c.path(""))).To(has(http.StatusOK, "2 people would lose access"))

		blind := signIn(c.reader(ctx, "scim-operator-view"))
		Expect(blind.get(c.path("/held"))).To(SatisfyAll(has(http.StatusOK, "kubectl scim approve", "may not list the people concerned"),
			HaveField("Text", Not(ContainSubstring("grace@")))))
	})
})
