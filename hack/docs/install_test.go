package docs

import (
	"context"
	"net"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/controlplane"
	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// It is installed by kubectl, goes, is installed by Helm, and goes for good.
var _ = playsInTurn("an operator that comes and goes",
	scene{path: "docs/install.md", heading: "By kubectl", prepare: func(ctx context.Context, s *stage, p *player) {
		p.dir = clone()
		company := s.company(ctx, p)
		p.after = map[string]func(context.Context){"kubectl rollout": func(ctx context.Context) {
			s.runs("v0.1.0")(ctx)
			company.appoint(ctx)
			p.instead = map[string]string{"helm": ""}
			p.after = map[string]func(context.Context){"kubectl apply": s.runs("v0.2.0")}
			p.play(ctx, "docs/install.md", "Upgrade")
			p.after = nil
			p.play(ctx, "docs/install.md", "Uninstall")
			s.stop()
			company.isLeft(ctx)
		}}
	}},

	// Helm takes over what kubectl has installed, as docs/install.md says.
	scene{path: "README.md", heading: "Install it", prepare: func(_ context.Context, s *stage, p *player) {
		p.dir = clone()
		p.replace[external] = s.named()
		p.replace["helm install"] = "helm install --take-ownership --force-conflicts"
		p.after = map[string]func(context.Context){"kubectl apply": s.runs("v0.1.0"), "helm install": s.runs("v0.1.0")}
	}},

	scene{path: "docs/install.md", heading: "By Helm", prepare: func(ctx context.Context, s *stage, p *player) {
		s.clear(ctx)
		p.replace[external] = s.named()
		p.after = map[string]func(context.Context){"kubectl label": func(ctx context.Context) {
			s.kubectl(ctx, "rollout", "restart", "deployment/scim-operator", "-n", controlplane.OperatorNamespace)
			s.runs("v0.1.0")(ctx)
		}}
	}},

	scene{path: "docs/console.md", heading: "Open it", prepare: opensConsole},

	scene{path: "docs/install.md", heading: "What the operator may do", prepare: func(ctx context.Context, s *stage, p *player) {
		company := s.company(ctx, p)
		out, err := run(ctx, known.helm, "upgrade", "scim-operator", "config/chart", "--kubeconfig="+s.kubeconfig,
			"--namespace="+controlplane.OperatorNamespace, "--reuse-values", "--set=targets.impersonate=false")
		Expect(err).NotTo(HaveOccurred(), out)
		Eventually(func() string {
			out, _ := run(ctx, known.kubectl, "--kubeconfig="+s.kubeconfig, "auth", "can-i", "impersonate", "serviceaccounts",
				"-n", company.namespace, "--as="+controlplane.AccountName(controlplane.OperatorAccount))
			return out
		}).Should(HavePrefix("no"))
	}},

	scene{path: "docs/install.md", heading: "Upgrade", prepare: func(_ context.Context, s *stage, p *player) {
		p.instead = map[string]string{"make": "", "kubectl": ""}
		p.after = map[string]func(context.Context){"helm upgrade": s.runs("v0.2.0")}
	}},

	scene{path: "docs/install.md", heading: "Uninstall", prepare: func(ctx context.Context, s *stage, p *player) {
		company := s.company(ctx, p)
		company.appoint(ctx)
		p.instead = map[string]string{"kubectl delete": ""}
		p.after = map[string]func(context.Context){"helm uninstall": func(ctx context.Context) {
			s.stop()
			company.isLeft(ctx)
		}}
	}},

	scene{path: "docs/install.md", heading: "With all data", prepare: func(ctx context.Context, s *stage, p *player) {
		// Nobody had the right to hand on the lead any more.
		s.kubectl(ctx, "delete", "leases", "--all", "-n", controlplane.OperatorNamespace, "--ignore-not-found")
		s.install(ctx)
		company := s.company(ctx, p)
		company.appoint(ctx)
		company.applyShown(ctx, p, "docs/targets.md", "kubernetesRBAC")
		bound := func() string { return s.kubectl(ctx, "get", "rolebindings", "-n", company.namespace, "-o", "wide") }
		Eventually(bound).Should(ContainSubstring("oidc:ada@example.com"))
		p.after = map[string]func(context.Context){
			"kubectl delete scimdirectories": func(context.Context) {
				Expect(bound()).NotTo(ContainSubstring("oidc:ada@example.com"))
			},
			"helm uninstall": func(context.Context) { s.stop() },
		}
	}},
)

var _ = plays("docs/install.md", "Who may do what", func(ctx context.Context, s *stage, p *player) {
	company := s.company(ctx, p)
	company.directory(ctx, "okta", "")
	p.after = map[string]func(context.Context){
		// What follows is what one of them does.
		"kubectl create rolebinding": func(ctx context.Context) {
			content, err := s.plane.Kubeconfig("ina", "it")
			Expect(err).NotTo(HaveOccurred())
			kubeconfig := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
			Expect(os.WriteFile(kubeconfig, content, 0o600)).To(Succeed())
			_, entered := p.shell.run("export KUBECONFIG=" + kubeconfig)
			Expect(entered).To(BeTrue())
			Eventually(func() string {
				out, _ := run(ctx, known.kubectl, "--kubeconfig="+kubeconfig, "auth", "can-i", "patch", "scimdirectories", "-n", company.namespace)
				return out
			}).Should(HavePrefix("yes"))
		},
		"kubectl patch scimdirectory": func(ctx context.Context) {
			token, _ := p.shell.run("echo $token")
			company.connectWith(ctx, "okta", token[0])
		},
	}
})

// named is where the operator serves, by a name: an Ingress takes no address.
func (s *stage) named() string {
	GinkgoHelper()
	_, port, err := net.SplitHostPort(s.address)
	Expect(err).NotTo(HaveOccurred())
	return "http://localhost:" + port
}

// kubectl runs it as an administrator, and returns what it prints.
func (s *stage) kubectl(ctx context.Context, arguments ...string) string {
	GinkgoHelper()
	out, err := run(ctx, known.kubectl, append([]string{"--kubeconfig=" + s.kubeconfig}, arguments...)...)
	Expect(err).NotTo(HaveOccurred(), out)
	return out
}

// own are the kinds of what belongs to the cluster and to the operator, but for its custom resource definitions.
const own = "clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings"

// clear takes away what there is of Helm and of the operator's kinds.
func (s *stage) clear(ctx context.Context) {
	GinkgoHelper()
	s.stop()
	out, err := run(ctx, known.helm, "uninstall", "scim-operator", "--kubeconfig="+s.kubeconfig,
		"--namespace="+controlplane.OperatorNamespace, "--ignore-not-found")
	Expect(err).NotTo(HaveOccurred(), out)
	// Helm's own namespace would not keep to a profile yet.
	label := client.RawPatch(types.MergePatchType, []byte(`{"metadata": {"labels": {"pod-security.kubernetes.io/enforce": null}}}`))
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: controlplane.OperatorNamespace}}
	Expect(client.IgnoreNotFound(s.admin.Patch(ctx, namespace, label))).To(Succeed())
	var directories v1alpha1.ScimDirectoryList
	if err := s.admin.List(ctx, &directories); !meta.IsNoMatchError(err) {
		Expect(err).NotTo(HaveOccurred())
	}
	for _, d := range directories.Items {
		d.Finalizers = nil // nobody is there to see to it
		Expect(s.admin.Update(ctx, &d)).To(Succeed())
	}
	s.withoutCRDs(ctx)
}

// runs sees that the Deployment has come to run a version: on both nodes, and guarded from an eviction of both at once. Then it
// runs the operator.
func (s *stage) runs(version string) func(context.Context) {
	return func(ctx context.Context) {
		GinkgoHelper()
		s.kubectl(ctx, "rollout", "status", "deployment/scim-operator", "-n", controlplane.OperatorNamespace)
		Eventually(func(g Gomega) {
			var pods corev1.PodList
			g.Expect(s.admin.List(ctx, &pods, client.InNamespace(controlplane.OperatorNamespace))).To(Succeed())
			var nodes []string
			for _, pod := range pods.Items {
				g.Expect(pod.Spec.Containers[0].Image).To(HaveSuffix(":" + version))
				nodes = append(nodes, pod.Spec.NodeName)
			}
			g.Expect(nodes).To(ConsistOf("node-a", "node-b"))
			var budget policyv1.PodDisruptionBudget
			g.Expect(s.admin.Get(ctx, client.ObjectKey{Namespace: controlplane.OperatorNamespace, Name: "scim-operator"}, &budget)).To(Succeed())
			g.Expect(budget.Status.DisruptionsAllowed).To(Equal(int32(1)))
		}).Should(Succeed())
		s.deploy(ctx)
	}
}

// appoint has an identity provider bring somebody who has a role.
func (c *company) appoint(ctx context.Context) *provider.Client {
	GinkgoHelper()
	c.role(ctx, "admin", "grantedTo: [{displayName: Admins}]")
	idp := c.directory(ctx, "okta", "  primary: true")
	ada := user(ctx, idp, "ada@example.com", "Ada Lovelace")
	group(ctx, idp, "Admins", ada)
	c.eventuallyRoles(ctx, ada, "admin")
	return idp
}

// isLeft sees that the operator is gone, and who has which role is not.
func (c *company) isLeft(ctx context.Context) {
	GinkgoHelper()
	Expect(c.kubectl(ctx, "get", own, "-l", "app.kubernetes.io/name=scim-operator")).To(ContainSubstring("No resources found"))
	Eventually(func() string { return c.kubectl(ctx, "get", "all", "-n", controlplane.OperatorNamespace) }).
		Should(ContainSubstring("No resources found"))
	var left v1alpha1.AppMembershipList
	Expect(c.admin.List(ctx, &left, client.InNamespace(c.namespace))).To(Succeed())
	Expect(left.Items).To(ConsistOf(HaveField("Spec.Roles", ConsistOf("admin"))))
}
