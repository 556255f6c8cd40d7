package main

import (
	"context"
	"net/http"
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/controlplane"
	"github.com/scim-operator/scim-operator/hack/operator"
)

var _ = Describe("Server and controllers by themselves", func() {
	It("work together with no more rights than each needs, and have one leader", func(ctx context.Context) {
		operator.Split(ctx, installed.Plane)
		DeferCleanup(installed.Plane.GiveRights)
		may := func(account, what string) func() string {
			return func() string {
				out, _ := installed.TryKubectl(append(strings.Fields("auth can-i "+what), "-n", "split", "--as="+controlplane.AccountName(account))...)
				return strings.TrimSpace(out) // no is a failure, too
			}
		}
		Eventually(may(operator.Server, "patch appmemberships")).Should(Equal("no"))
		Eventually(may(operator.Controllers, "patch appmemberships")).Should(Equal("yes"))
		Expect(may(operator.Server, "impersonate serviceaccounts")()).To(Equal("no"))
		Expect(may(operator.Server, "get secrets")()).To(Equal("no"))
		Expect(may(operator.Controllers, "update scimtombstones")()).To(Equal("no"))

		Expect(installed.Admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "split"}})).To(Succeed())
		d := &v1alpha1.ScimDirectory{ObjectMeta: metav1.ObjectMeta{Namespace: "split", Name: "okta"}}
		d.Spec.Primary = true
		d.Spec.Tokens = []v1alpha1.DirectoryToken{{Name: "okta", SecretRef: v1alpha1.SecretReference{Name: "okta"}, Generate: true}}
		Expect(installed.Admin.Create(ctx, d)).To(Succeed())
		server := installed.LaunchAs(operator.Server, operator.FreeAddress(), "--controllers=false").UntilReady()
		lead := func() *operator.Process {
			return installed.LaunchAs(operator.Controllers, operator.FreeAddress(), "--scim=false",
				"--leader-elect", "--leader-election-namespace="+controlplane.OperatorNamespace)
		}
		leader := lead()

		secret := &corev1.Secret{}
		Eventually(installed.Admin.Get).WithArguments(ctx, client.ObjectKey{Namespace: "split", Name: "okta"}, secret).Should(Succeed())
		provision := func(userName string) {
			GinkgoHelper()
			Eventually(func(g Gomega) {
				request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/scim/v2/split/okta/Users",
					strings.NewReader(`{"userName":"`+userName+`"}`))
				g.Expect(err).NotTo(HaveOccurred())
				request.Header.Set("Authorization", "Bearer "+string(secret.Data["token"]))
				request.Header.Set("Content-Type", "application/scim+json")
				response, err := http.DefaultClient.Do(request)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(response.Body.Close()).To(Succeed())
				g.Expect(response.StatusCode).To(Equal(http.StatusCreated))
			}).Should(Succeed())
			Eventually(func() string { return installed.Kubectl("get", "appmemberships", "-n", "split") }).Should(ContainSubstring(userName))
		}
		provision("ada@example.com")

		By("giving the lead to another replica when the leader ends")
		lead()
		leader.Signal(syscall.SIGTERM)
		Eventually(leader.Exited).Should(BeClosed())
		provision("grace@example.com")
		Expect(installed.Kubectl("get", "events", "-n", controlplane.OperatorNamespace)).To(ContainSubstring("became leader"))
		for _, p := range []*operator.Process{server, leader} {
			Expect(p.Log).NotTo(gbytes.Say("cannot "))
		}
	})
})

var _ = Describe("Without the right to act as other ServiceAccounts", func() {
	It("targets say so, until it is given in their namespace", func(ctx context.Context) {
		installed.Kubectl("delete", "clusterrolebinding", "scim-operator-impersonator")
		DeferCleanup(installed.Plane.GiveRights)
		const ns = "targets-apart"
		Expect(installed.Admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}})).To(Succeed())
		installed.Kubectl("create", "serviceaccount", "granter", "-n", ns)
		installed.Kubectl("create", "role", "granter", "-n", ns, "--verb=get,list,create,update,delete", "--resource=rolebindings")
		installed.Kubectl("create", "rolebinding", "granter", "-n", ns, "--role=granter", "--serviceaccount="+ns+":granter")
		Expect(installed.Admin.Create(ctx, &v1alpha1.AppRole{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "viewer"}})).To(Succeed())
		t := &v1alpha1.AppTarget{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "cluster"}}
		t.Spec.Mode, t.Spec.ServiceAccountName = v1alpha1.TargetEnforce, "granter"
		t.Spec.KubernetesRBAC = &v1alpha1.KubernetesRBACTarget{
			Subject:  "{{ .userName }}",
			Bindings: []v1alpha1.KubernetesBinding{{Role: "viewer", RoleRef: v1alpha1.KubernetesRoleReference{Kind: "ClusterRole", Name: "view"}}},
		}
		Expect(installed.Admin.Create(ctx, t)).To(Succeed())
		installed.Launch(operator.FreeAddress(), "--target-interval=1s").UntilReady()
		ready := func() string {
			return installed.Kubectl("get", "apptarget", "cluster", "-n", ns, "-o", `jsonpath={.status.conditions[?(@.type=="Ready")]}`)
		}
		Eventually(ready).Should(And(ContainSubstring(`"status":"False"`), ContainSubstring("cannot impersonate")))
		installed.Kubectl("create", "rolebinding", "scim-operator-impersonator", "-n", ns,
			"--clusterrole=scim-operator-impersonator", "--serviceaccount=scim-system:scim-operator")
		Eventually(ready).Should(ContainSubstring(`"status":"True"`))
	})
})
