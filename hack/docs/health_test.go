package docs

import (
	"context"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	lua "github.com/yuin/gopher-lua"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/operator"
)

var _ = Describe("docs/gitops.md", func() {
	It("has a health check by which Argo CD tells how our objects are", func(ctx context.Context) {
		const ns = "health"
		Expect(installed.Admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}})).To(Succeed())
		create := func(o client.Object) {
			GinkgoHelper()
			o.SetNamespace(ns)
			Expect(installed.Admin.Create(ctx, o)).To(Succeed())
		}
		named := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name} }
		tokens := func(secret string) []v1alpha1.DirectoryToken {
			return []v1alpha1.DirectoryToken{{Name: "idp", Generate: true, SecretRef: v1alpha1.SecretReference{Name: secret}}}
		}
		create(&v1alpha1.ScimDirectory{ObjectMeta: named("okta"), Spec: v1alpha1.ScimDirectorySpec{Primary: true, Tokens: tokens("okta")}})
		create(&v1alpha1.ScimDirectory{ObjectMeta: named("paused"), Spec: v1alpha1.ScimDirectorySpec{Suspended: true, Tokens: tokens("paused")}})
		create(&v1alpha1.ScimDirectory{ObjectMeta: named("closed")})
		create(&v1alpha1.AppRole{ObjectMeta: named("member"), Spec: v1alpha1.AppRoleSpec{Default: true}})
		create(&v1alpha1.AppRole{ObjectMeta: named("admin"), Spec: v1alpha1.AppRoleSpec{
			GrantedTo: []v1alpha1.GroupSelector{{DisplayName: "Nobody has pushed it"}},
		}})
		create(&v1alpha1.AppTarget{ObjectMeta: named("broken"), Spec: v1alpha1.AppTargetSpec{
			Mode: v1alpha1.TargetEnforce,
			Webhook: &v1alpha1.WebhookTarget{
				URL: "https://hooks.example.com/", Credentials: v1alpha1.TargetSecretReference{Name: "there-is-none"},
			},
		}})
		health := func(kind, name string) func(Gomega) string {
			return func(g Gomega) string {
				o := &unstructured.Unstructured{}
				o.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
				g.Expect(installed.Admin.Get(ctx, client.ObjectKey{Namespace: ns, Name: name}, o)).To(Succeed())
				return judged(o)
			}
		}
		Expect(health("ScimDirectory", "okta")(Default)).To(Equal("Progressing"), "nobody has looked at it")

		installed.Launch(operator.FreeAddress()).UntilReady()
		for _, c := range []struct{ kind, name, want string }{
			{"ScimDirectory", "okta", "Healthy"},
			{"ScimDirectory", "paused", "Suspended"},
			{"ScimDirectory", "closed", "Degraded"}, // it has no token
			{"AppRole", "member", "Healthy"},
			{"AppRole", "admin", "Progressing"},
			{"AppTarget", "broken", "Degraded"},
		} {
			Eventually(health(c.kind, c.name)).Should(Equal(c.want), "%s %s", c.kind, c.name)
		}
	})
})

// judged runs the health check of the page as Argo CD does: in a machine for Lua that knows the object as obj.
func judged(o *unstructured.Unstructured) string {
	GinkgoHelper()
	machine := lua.NewState()
	defer machine.Close()
	machine.SetGlobal("obj", inLua(machine, o.Object))
	Expect(machine.DoString(healthCheck())).To(Succeed())
	answer, ok := machine.Get(-1).(*lua.LTable)
	Expect(ok).To(BeTrue())
	Expect(answer.RawGetString("message").String()).NotTo(BeEmpty())
	return answer.RawGetString("status").String()
}

// healthCheck is the one in the page's argocd-cm.
func healthCheck() string {
	GinkgoHelper()
	i := slices.IndexFunc(pages, func(p page) bool { return p.path == "docs/gitops.md" })
	for _, b := range pages[i].blocks {
		if !strings.Contains(b.text, "name: argocd-cm\n") {
			continue
		}
		var config corev1.ConfigMap
		Expect(yaml.Unmarshal([]byte(b.text), &config)).To(Succeed())
		var checks map[string]map[string]string
		Expect(yaml.Unmarshal([]byte(config.Data["resource.customizations"]), &checks)).To(Succeed())
		return checks[v1alpha1.GroupVersion.Group+"/*"]["health.lua"]
	}
	Fail("docs/gitops.md has no argocd-cm")
	return ""
}

func inLua(machine *lua.LState, value any) lua.LValue {
	switch v := value.(type) {
	case map[string]any:
		table := machine.NewTable()
		for key, inner := range v {
			table.RawSetString(key, inLua(machine, inner))
		}
		return table
	case []any:
		table := machine.NewTable()
		for _, inner := range v {
			table.Append(inLua(machine, inner))
		}
		return table
	case string:
		return lua.LString(v)
	case bool:
		return lua.LBool(v)
	case int64:
		return lua.LNumber(v)
	default:
		return lua.LNil
	}
}
