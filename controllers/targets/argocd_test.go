package targets_test

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/argocd"
	"github.com/scim-operator/scim-operator/hack/controlplane"
)

const argoRBAC = "argocd-rbac-cm"

// mayPolicy lets a ServiceAccount keep keys of Argo CD's ConfigMap, and nothing else.
var mayPolicy = rbacv1.PolicyRule{
	APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{argoRBAC}, Verbs: []string{"get", "patch"},
}

// installArgoCD makes the ConfigMap of an Argo CD in the spec's namespace.
func (w *world) installArgoCD(data map[string]string) {
	GinkgoHelper()
	w.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: argoRBAC}, Data: data})
}

func (w *world) policyKey() string { return "policy." + w.ns + ".target.csv" }

// policy is the text of the target's key.
func (w *world) policy() string {
	GinkgoHelper()
	return get[corev1.ConfigMap](w, argoRBAC).Data[w.policyKey()]
}

// edit changes Argo CD's ConfigMap as somebody with kubectl edit would.
func (w *world) edit(f func(map[string]string)) {
	GinkgoHelper()
	change(w, argoRBAC, func(cm *corev1.ConfigMap) { f(cm.Data) })
}

// apply applies the target's key as somebody who keeps it elsewhere would.
func (w *world) apply(text string) {
	GinkgoHelper()
	cm := corev1ac.ConfigMap(argoRBAC, w.ns).WithData(map[string]string{w.policyKey(): text})
	Expect(k8s.Apply(w.ctx, cm, client.FieldOwner("gitops"), client.ForceOwnership)).To(Succeed())
}

func argoSpec(w *world) v1alpha1.AppTargetSpec {
	return v1alpha1.AppTargetSpec{
		ServiceAccountName: "argo",
		ArgoCD: &v1alpha1.ArgoCDTarget{Namespace: w.ns, Roles: []v1alpha1.ArgoCDRole{
			{Role: "admin", ArgoCDRole: "role:admin"}, {Role: "viewer", ArgoCDRole: "role:readonly"},
		}},
	}
}

// argoCD gives Argo CD's own roles.
func argoCD(w *world) *fixture {
	GinkgoHelper()
	fail, mend := w.account("argo", mayPolicy)
	w.installArgoCD(map[string]string{"scopes": "[groups, email]", "policy.csv": "g, engineering, role:readonly"})
	means := map[string]string{"role:admin": "admin", "role:readonly": "viewer"}
	r := record(w, &corev1.ConfigMapList{}, func(o client.Object) (held []string, own bool) {
		for key, text := range o.(*corev1.ConfigMap).Data {
			if !strings.HasPrefix(key, "policy."+w.ns) {
				continue
			}
			for line := range strings.Lines(text) {
				token := strings.Split(strings.TrimSpace(line), ", ")
				held = append(held, strings.TrimSuffix(token[1], "@example.com")+" "+means[token[2]])
			}
		}
		return held, o.GetName() == argoRBAC
	}, client.InNamespace(w.ns))
	Eventually(r.writes).Should(Equal(1)) // Argo CD's installation
	line := func(name string) string { return "g, " + mail(name) + ", role:admin\n" }
	return &fixture{
		spec: argoSpec(w),
		held: r.held, log: r.log, writes: func() int { return r.writes() - 1 },
		grant: func(name, _ string) {
			GinkgoHelper()
			w.edit(func(data map[string]string) { data[w.policyKey()] += line(name) })
		},
		revoke: func(string, string) {
			GinkgoHelper()
			w.edit(func(data map[string]string) { delete(data, w.policyKey()) })
		},
		occupy: func() {
			GinkgoHelper()
			w.edit(func(data map[string]string) { data[w.policyKey()] = line("ada") })
		},
		fail: fail, mend: mend, failure: v1alpha1.ReasonTargetRefused,
	}
}

var _ = Describe("An argoCD target", func() {
	var w *world
	BeforeEach(func() {
		w = newWorld()
		w.roles("admin", "viewer")
		w.account("argo", mayPolicy)
	})
	condition := func() string {
		GinkgoHelper()
		c := meta.FindStatusCondition(w.status().Conditions, v1alpha1.ConditionScopesMatch)
		if c == nil {
			return ""
		}
		return fmt.Sprintf("%s %s: %s", c.Status, c.Reason, c.Message)
	}
	// mayDo asks Argo CD's own code who of these may do what, in the ConfigMap as it is.
	mayDo := func(ctx context.Context, requests ...argocd.Request) []bool {
		GinkgoHelper()
		root, err := controlplane.Root()
		Expect(err).NotTo(HaveOccurred())
		allowed, err := argocd.Judge(ctx, root, get[corev1.ConfigMap](w, argoRBAC).Data, requests)
		Expect(err).NotTo(HaveOccurred())
		return allowed
	}
	may := func(action, claim, value string) argocd.Request {
		return argocd.Request{Claims: map[string]any{"sub": "x", claim: value}, Resource: "applications", Action: action, Object: "shop/web"}
	}

	It("gives and takes what Argo CD's own code acts on", func(ctx context.Context) {
		w.installArgoCD(map[string]string{"scopes": "[email]"})
		w.member("ada", "admin")
		w.member("bob", "viewer")
		w.target(argoSpec(w))
		w.eventuallyReady("True InSync")
		Expect(w.policy()).To(Equal("g, ada@example.com, role:admin\ng, bob@example.com, role:readonly\n"))
		Expect(condition()).To(HavePrefix("True ScopesMatch"))
		ask := []argocd.Request{may("sync", "email", mail("ada")), may("sync", "email", mail("bob")), may("get", "email", mail("bob")),
			may("sync", "email", "ADA@example.com"), may("sync", "preferred_username", mail("ada"))}
		Expect(mayDo(ctx, ask...)).To(Equal([]bool{true, false, true, false, false}))
		w.setActive("ada", false)
		Eventually(w.policy).ShouldNot(ContainSubstring("ada"))
		Expect(mayDo(ctx, ask...)).To(Equal([]bool{false, false, true, false, false}))
		w.setActive("bob", false)
		Eventually(func() map[string]string { return get[corev1.ConfigMap](w, argoRBAC).Data }).Should(Equal(map[string]string{"scopes": "[email]"}))
	})

	It("is not misled by what an identity provider calls people", func(ctx context.Context) {
		w.installArgoCD(map[string]string{"scopes": "[preferred_username]", "policy.csv": "g, team, role:readonly"})
		hostile := []string{
			"role:readonly", "proj:shop:deployer", "*", "#ada", "a, role:admin", `"ada"`, `ada"`, "ada\ng, mallory, role:admin",
			"ada\r", "x\u2028g", " ada", "ada ", "\u00a0ada", "p, mallory, *, *, *, allow", "\u202eada", "ada\x00",
		}
		for i, name := range hostile {
			w.member(fmt.Sprintf("h%02d", i), "admin")
			change(w, fmt.Sprintf("h%02d", i), func(m *v1alpha1.AppMembership) { m.Spec.User.UserName = name })
		}
		odd := []string{"Zoë", "o'neil", "a b", "a:b", "a*", "a#b", "\\", "日本", "x@y", "g", "p", "-"}
		for i, name := range odd {
			w.member(fmt.Sprintf("o%02d", i), "admin")
			change(w, fmt.Sprintf("o%02d", i), func(m *v1alpha1.AppMembership) { m.Spec.User.UserName = name })
		}
		w.target(argoSpec(w), func(s *v1alpha1.AppTargetSpec) { s.ArgoCD.Subject = v1alpha1.ArgoCDByUserName })
		w.eventuallyReady(fmt.Sprintf("True InSync: every grant is as it should be; %d people with a role are left out (a name that ", len(hostile)))
		Expect(w.status().Grants).To(BeEquivalentTo(len(odd)))
		var ask []argocd.Request
		var allowed []bool
		for _, name := range odd {
			ask, allowed = append(ask, may("sync", "preferred_username", name)), append(allowed, true)
		}
		for _, name := range append(hostile, "mallory", "ada", "team", "a", "x", "g, x") {
			if name != "x" {
				ask, allowed = append(ask, may("sync", "preferred_username", name)), append(allowed, false)
			}
		}
		Expect(mayDo(ctx, ask...)).To(Equal(allowed))
	})

	It("says when Argo CD does not look at the claim", func() {
		w.installArgoCD(map[string]string{})
		w.member("ada", "admin")
		w.target(argoSpec(w))
		w.eventuallyReady("True InSync")
		where := "ConfigMap " + w.ns + "/" + argoRBAC
		Expect(condition()).To(HavePrefix("False ScopesMismatch: scopes in " + where + " is '[groups]': set it to '[groups, email]'; until then, what is written has no effect"))
		w.edit(func(data map[string]string) { data["scopes"] = "[groups, email]" })
		Eventually(condition).Should(HavePrefix("True ScopesMatch"))
		w.edit(func(data map[string]string) { data["scopes"] = "email" })
		Eventually(condition).Should(HavePrefix("False ScopesMismatch: scopes in " + where + " is not a list"))
		w.changeTarget(func(s *v1alpha1.AppTargetSpec) { s.ArgoCD.Subject = v1alpha1.ArgoCDByExternalID })
		Eventually(condition).Should(HavePrefix("True ScopesMatch"))
		Eventually(w.policy).Should(Equal("g, x-ada, role:admin\n"))
		w.changeTarget(func(s *v1alpha1.AppTargetSpec) { s.ArgoCD.Subject = v1alpha1.ArgoCDByUserName })
		Eventually(condition).Should(ContainSubstring("set it to '[groups, preferred_username]'"))
	})

	It("waits for Argo CD, and never makes its ConfigMap", func() {
		w.member("ada", "admin")
		w.target(argoSpec(w))
		w.eventuallyReady("False InvalidSpec: there is no ConfigMap " + w.ns + "/" + argoRBAC + ": Argo CD is not installed in that namespace")
		Expect(get[corev1.ConfigMap](w, argoRBAC)).To(BeNil())
		w.installArgoCD(map[string]string{})
		w.eventuallyReady("True InSync")
		Expect(k8s.Delete(w.ctx, get[corev1.ConfigMap](w, argoRBAC))).To(Succeed())
		w.member("bob", "admin")
		w.eventuallyReady("False")
		Expect(get[corev1.ConfigMap](w, argoRBAC)).To(BeNil())
		By("an end, because what is gone holds nothing")
		Expect(k8s.Delete(w.ctx, get[v1alpha1.AppTarget](w, "target"))).To(Succeed())
		Eventually(w.ready).Should(Equal("gone"))
	})

	It("undoes edits of its key, and nothing else", func() {
		others := map[string]string{"scopes": "[email]", "policy.csv": "p, role:x, applications, get, *, allow", "policy.other.csv": "g, a, role:x"}
		w.installArgoCD(others)
		w.member("ada", "admin")
		w.target(argoSpec(w))
		w.eventuallyReady("True InSync")
		w.edit(func(data map[string]string) {
			data[w.policyKey()] = "p, mallory, *, *, *, allow\n# mine\ng, mallory, role:admin\nbroken"
			data["policy.other.csv"] = "g, b, role:x"
		})
		Eventually(w.policy).Should(Equal("g, ada@example.com, role:admin\n"))
		Eventually(w.told).Should(ContainElement(v1alpha1.EventDriftCorrected))
		others["policy.other.csv"], others[w.policyKey()] = "g, b, role:x", w.policy()
		Expect(get[corev1.ConfigMap](w, argoRBAC).Data).To(Equal(others))
		By("an edit of the last line, whose owner leaves")
		w.edit(func(data map[string]string) { data[w.policyKey()] = "\ng, ada@example.com, role:admin" })
		w.setActive("ada", false)
		delete(others, w.policyKey())
		Eventually(func() map[string]string { return get[corev1.ConfigMap](w, argoRBAC).Data }).Should(Equal(others))
	})

	It("takes its key back from somebody who applies it only if it is to adopt", func() {
		w.installArgoCD(map[string]string{"scopes": "[email]"})
		w.member("ada", "admin")
		w.target(argoSpec(w))
		w.eventuallyReady("True InSync")
		w.apply("g, mallory, role:admin\n")
		w.eventuallyReady("False NotOurs: the key " + w.policyKey())
		Expect(w.ready()).To(And(ContainSubstring("field manager gitops"), Not(ContainSubstring("more"))))
		Consistently(w.policy).Should(Equal("g, mallory, role:admin\n"))
		w.changeTarget(func(s *v1alpha1.AppTargetSpec) { s.Adopt = true })
		Eventually(w.policy).Should(Equal("g, ada@example.com, role:admin\n"))
		By("one who applies the same")
		w.apply("g, ada@example.com, role:admin\n")
		w.setActive("ada", false)
		Eventually(w.policy).Should(BeEmpty())
		Eventually(func() map[string]string { return get[corev1.ConfigMap](w, argoRBAC).Data }).Should(Equal(map[string]string{"scopes": "[email]"}))
	})

	It("takes back what stood in a key that it took over, though it was what is wanted", func() {
		w.installArgoCD(map[string]string{w.policyKey(): "g, ada@example.com, role:admin"})
		w.member("ada", "admin")
		w.target(argoSpec(w), func(s *v1alpha1.AppTargetSpec) { s.Adopt = true })
		w.eventuallyReady("True InSync")
		Expect(k8s.Delete(w.ctx, get[v1alpha1.AppTarget](w, "target"))).To(Succeed())
		Eventually(w.ready).Should(Equal("gone"))
		Expect(w.policy()).To(BeEmpty())
	})

	It("shares the ConfigMap with others of its kind", func() {
		w.installArgoCD(map[string]string{"scopes": "[email]"})
		other := newWorld()
		other.roles("admin")
		other.member("eve", "admin")
		other.create(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "argo"}})
		change(w, "argo", func(b *rbacv1.RoleBinding) {
			b.Subjects = append(b.Subjects, rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: other.ns, Name: "argo"})
		})
		w.member("ada", "admin")
		w.target(argoSpec(w))
		other.target(argoSpec(w))
		eves := func() string { return get[corev1.ConfigMap](w, argoRBAC).Data["policy."+other.ns+".target.csv"] }
		Eventually(w.policy).Should(Equal("g, ada@example.com, role:admin\n"))
		Eventually(eves).Should(Equal("g, eve@example.com, role:admin\n"))
		both := func() string { return w.policy() + eves() }
		Consistently(both, 2*interval).Should(Equal("g, ada@example.com, role:admin\ng, eve@example.com, role:admin\n"))
		Expect(k8s.Delete(w.ctx, get[v1alpha1.AppTarget](w, "target"))).To(Succeed())
		Eventually(w.ready).Should(Equal("gone"))
		Expect(w.policy()).To(BeEmpty())
		Expect(eves()).To(Equal("g, eve@example.com, role:admin\n"))
		other.eventuallyReady("True InSync")
	})

	It("says how many fit when the ConfigMap is full", func() {
		line := len("g, p0@example.com, role:readonly\n")
		filler := strings.Repeat("#", 1<<20-3*line-len("[email]")-10)
		w.installArgoCD(map[string]string{"scopes": "[email]", "policy.others.csv": filler})
		for i := range 5 {
			w.member(fmt.Sprintf("p%d", i), "viewer")
		}
		w.target(argoSpec(w))
		w.eventuallyReady("False TargetRefused: ConfigMap " + w.ns + "/" + argoRBAC + " is full: of this target 3 grants fit beside 1023 KiB")
		Expect(strings.Count(w.policy(), "\n")).To(Equal(3))
		w.setActive("p0", false)
		Eventually(w.policy).Should(ContainSubstring("p3"))
		w.edit(func(data map[string]string) { delete(data, "policy.others.csv") })
		w.eventuallyReady("True InSync")
		Expect(strings.Count(w.policy(), "\n")).To(Equal(4))
	})
})
