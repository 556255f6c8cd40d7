package docs

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/hack/controlplane"
	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// The chapters of every runbook.
const (
	look = "How to look"
	mend = "How to mend"
)

var _ = plays("docs/runbooks/ScimAuditRecordsLost.md", look, func(ctx context.Context, s *stage, p *player) {
	path := filepath.Join(GinkgoT().TempDir(), "audit.log")
	Expect(os.Symlink("/dev/full", path)).To(Succeed()) // a volume on which no space is left
	s.set(ctx, "auditLog.path="+path)
	DeferCleanup(func(ctx context.Context) { s.set(ctx, "auditLog.path=") })
	p.replace["/var/log/scim/audit.log"] = path
	idp := s.company(ctx, p).directory(ctx, "okta", "")
	user(ctx, idp, "ada@example.com", "Ada Lovelace")
})

var _ = plays("docs/runbooks/ScimAuthenticationFailures.md", look, tokenEnding(-time.Hour))

var (
	_ = plays("docs/runbooks/ScimChangesHeld.md", look, unassigned)
	_ = plays("docs/runbooks/ScimChangesHeld.md", mend, unassigned)
)

// unassigned is after a group was unassigned whose people had access by it.
func unassigned(ctx context.Context, s *stage, p *player) {
	GinkgoHelper()
	c := s.company(ctx, p)
	c.role(ctx, "member", "default: true")
	idp := c.directory(ctx, "okta", "  primary: true\n  safeguard: {minimum: 1, percent: 0}\n")
	var ids []string
	for _, name := range []string{"Ada Lovelace", "Bob Lee", "Eve Stone"} {
		ids = append(ids, user(ctx, idp, strings.ToLower(name[:3])+"@example.com", name))
	}
	p.replace["3f9c02a1b7de"] = c.deactivateAtOnce(ctx, "okta", idp, ids)
}

var _ = plays("docs/runbooks/ScimNamesConflict.md", look, func(ctx context.Context, s *stage, p *player) {
	c := s.company(ctx, p)
	idp := c.directory(ctx, "okta", "  localEdits: Allow")
	user(ctx, idp, "ada@example.com", "Ada Lovelace")
	a, err := idp.Send(ctx, http.MethodPost, provider.Users, provider.Resource{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": "ADA@example.com",
	})
	Expect(err).NotTo(HaveOccurred())
	Expect(a.Want(http.StatusConflict)).To(Succeed())
	// What a crash at the worst moment leaves.
	const second = "01a21428-6cff-7d10-9a98-4060ff4b10cc"
	c.apply(ctx, fmt.Sprintf(`
apiVersion: scim-operator.io/v1alpha1
kind: ScimUser
metadata: {name: %s}
spec:
  directoryRef: {name: okta}
  userName: ADA@example.com
  active: true
`, second))
})

var (
	_ = plays("docs/runbooks/ScimNobodyLeads.md", look, func(context.Context, *stage, *player) {})
	_ = plays("docs/runbooks/ScimNobodyLeads.md", mend, func(context.Context, *stage, *player) {})
	_ = plays("docs/runbooks/ScimOperatorDown.md", look, func(context.Context, *stage, *player) {})
)

var (
	_ = plays("docs/runbooks/ScimServerErrors.md", look, refused)
	_ = plays("docs/runbooks/ScimWritesFailing.md", look, refused)
)

// refused is after Kubernetes has refused a write, because a quota is used up.
func refused(ctx context.Context, s *stage, p *player) {
	GinkgoHelper()
	c := s.company(ctx, p)
	idp := c.directory(ctx, "okta", "")
	c.apply(ctx, `
apiVersion: v1
kind: ResourceQuota
metadata: {name: objects}
spec: {hard: {count/scimusers.scim-operator.io: "0"}}
`)
	trying, stop := context.WithCancel(context.WithoutCancel(ctx))
	DeferCleanup(stop)
	go func() { // again and again, as identity providers do
		_, _, _ = idp.Create(trying, provider.Users, provider.Resource{
			"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": "ada@example.com",
		})
	}()
}

var _ = plays("docs/runbooks/ScimTargetOutOfSync.md", look, func(ctx context.Context, s *stage, p *player) {
	c := s.company(ctx, p)
	c.role(ctx, "deployer", "default: true")
	idp := c.directory(ctx, "okta", "  primary: true")
	user(ctx, idp, "ada@example.com", "Ada Lovelace")
	// May write RoleBindings, and not bind the role.
	c.apply(ctx, `
apiVersion: v1
kind: ServiceAccount
metadata: {name: granter}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: granter}
rules:
- {apiGroups: [rbac.authorization.k8s.io], resources: [rolebindings], verbs: [get, list, create, update, delete]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: granter}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: granter}
subjects:
- {kind: ServiceAccount, name: granter}
---
apiVersion: scim-operator.io/v1alpha1
kind: AppTarget
metadata: {name: deploy}
spec:
  mode: Enforce
  serviceAccountName: granter
  kubernetesRBAC:
    subject: "oidc:{{ .userName }}"
    bindings:
    - {role: deployer, roleRef: {kind: ClusterRole, name: edit}}
`)
})

var (
	_ = plays("docs/runbooks/ScimTokenExpired.md", look, tokenEnding(-time.Hour))
	_ = plays("docs/runbooks/ScimTokenExpired.md", mend, tokenEnding(-time.Hour))
	_ = plays("docs/runbooks/ScimTokenExpiresSoon.md", look, tokenEnding(6*24*time.Hour))
	_ = plays("docs/runbooks/ScimTokenExpiresSoon.md", mend, tokenEnding(6*24*time.Hour))
)

// tokenEnding is when the token of a directory, which was used before, ends after so long.
func tokenEnding(after time.Duration) func(context.Context, *stage, *player) {
	return func(ctx context.Context, s *stage, p *player) {
		GinkgoHelper()
		c := s.company(ctx, p)
		idp := c.directory(ctx, "okta", "")
		c.apply(ctx, fmt.Sprintf(`
apiVersion: scim-operator.io/v1alpha1
kind: ScimDirectory
metadata: {name: okta}
spec:
  tokens:
  - {name: idp, generate: true, secretRef: {name: okta-token}, expirationTime: %q}
`, time.Now().Add(after).UTC().Format(time.RFC3339)))
		p.replace["C2X9"], p.replace["CNyj"] = lastFour(idp), lastFour(idp)
		want := http.StatusOK
		if after < 0 {
			want = http.StatusUnauthorized
		}
		Eventually(func(g Gomega) {
			a, err := idp.Send(ctx, http.MethodGet, provider.Users, nil)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(a.Want(want)).To(Succeed())
		}).Should(Succeed())
	}
}

var _ = plays("docs/runbooks/ScimViewStale.md", look, func(ctx context.Context, s *stage, _ *player) {
	var bindings []rbacv1.ClusterRoleBinding
	for _, name := range []string{"scim-operator-server", "scim-operator-controllers"} {
		b := rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: name}}
		Expect(s.admin.Get(ctx, client.ObjectKeyFromObject(&b), &b)).To(Succeed())
		Expect(s.admin.Delete(ctx, &b)).To(Succeed())
		b.ResourceVersion = ""
		bindings = append(bindings, b)
	}
	s.stop()
	DeferCleanup(func(ctx context.Context) {
		_ = s.process.Process.Kill() // as long as it does not see anything it takes its time to end
		for _, b := range bindings {
			Expect(s.admin.Create(ctx, &b)).To(Succeed())
		}
		s.deploy(ctx)
	})
	s.launch(ctx)
})

// set changes values of the chart by which the operator is installed, and waits until it has been restarted with them.
func (s *stage) set(ctx context.Context, settings ...string) {
	GinkgoHelper()
	arguments := []string{"upgrade", "scim-operator", "config/chart", "--kubeconfig=" + s.kubeconfig, "--namespace=" + controlplane.OperatorNamespace,
		"--reset-then-reuse-values"}
	for _, setting := range settings {
		arguments = append(arguments, "--set="+setting)
	}
	out, err := run(ctx, known.helm, arguments...)
	Expect(err).NotTo(HaveOccurred(), out)
	s.deploy(ctx)
	out, err = run(ctx, s.plane.Kubectl, "rollout", "status", "deployment/scim-operator", "--kubeconfig="+s.kubeconfig,
		"-n", controlplane.OperatorNamespace)
	Expect(err).NotTo(HaveOccurred(), out)
}
