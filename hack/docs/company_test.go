package docs

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// acme is the organization in the pages. Each scene has a namespace of its own for it.
var acme = regexp.MustCompile(`\bacme\b`)

// company is an organization with a namespace on a stage.
type company struct {
	*stage
	namespace string
}

// company makes an organization that the pages call acme, for the player of one scene.
func (s *stage) company(ctx context.Context, p *player) *company {
	GinkgoHelper()
	s.companies++
	c := &company{stage: s, namespace: fmt.Sprintf("acme-%d", s.companies)}
	p.words = append(p.words, word{acme, c.namespace})
	Expect(s.admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: c.namespace}})).To(Succeed())
	return c
}

// apply applies manifests that name no namespace.
func (c *company) apply(ctx context.Context, manifests string) {
	GinkgoHelper()
	command := exec.CommandContext(ctx, c.plane.Kubectl, "--kubeconfig="+c.kubeconfig, "apply", "--server-side", "-n", c.namespace, "-f", "-")
	command.Stdin = strings.NewReader(manifests)
	out, err := command.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(out))
}

// applyShown applies the manifests that a chapter shows.
func (c *company) applyShown(ctx context.Context, p *player, path, heading string) {
	GinkgoHelper()
	for _, b := range shown(path, heading, "yaml") {
		c.apply(ctx, p.replaced(b.text))
	}
}

// directory makes a directory whose Secret <name>-token the operator fills, with what else its spec says, and returns an
// identity provider that is connected to it.
func (c *company) directory(ctx context.Context, name, spec string) *provider.Client {
	GinkgoHelper()
	c.apply(ctx, fmt.Sprintf(`
apiVersion: scim-operator.io/v1alpha1
kind: ScimDirectory
metadata: {name: %[1]s}
spec:
  tokens:
  - {name: idp, generate: true, secretRef: {name: %[1]s-token}}
%[2]s`, name, spec))
	return c.connect(ctx, name, name+"-token")
}

// connect returns an identity provider of a directory, with the token of a Secret.
func (c *company) connect(ctx context.Context, directory, secret string) *provider.Client {
	GinkgoHelper()
	var s corev1.Secret
	Eventually(c.admin.Get).WithArguments(ctx, client.ObjectKey{Namespace: c.namespace, Name: secret}, &s).Should(Succeed())
	return c.connectWith(ctx, directory, string(s.Data[v1alpha1.TokenSecretKey]))
}

// connectWith returns an identity provider of a directory, with a token.
func (c *company) connectWith(ctx context.Context, directory, token string) *provider.Client {
	GinkgoHelper()
	idp := &provider.Client{Name: directory, Token: token}
	Eventually(func(g Gomega) {
		var d v1alpha1.ScimDirectory
		g.Expect(c.admin.Get(ctx, client.ObjectKey{Namespace: c.namespace, Name: directory}, &d)).To(Succeed())
		idp.BaseURL = d.Status.BaseURL
		a, err := idp.Send(ctx, "GET", provider.Users, nil)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(a.Want(200)).To(Succeed())
	}).Should(Succeed())
	return idp
}

// user pushes somebody active, and returns the id.
func user(ctx context.Context, idp *provider.Client, userName, displayName string) string {
	GinkgoHelper()
	given, family, _ := strings.Cut(displayName, " ")
	_, r, err := idp.Create(ctx, provider.Users, provider.Resource{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": userName, "displayName": displayName, "active": true,
		"name": map[string]string{"givenName": given, "familyName": family}, "emails": []any{map[string]any{"value": userName, "primary": true}},
	})
	Expect(err).NotTo(HaveOccurred())
	return r.ID()
}

// group pushes a group of these members, and returns the id.
func group(ctx context.Context, idp *provider.Client, displayName string, members ...string) string {
	GinkgoHelper()
	list := []any{}
	for _, id := range members {
		list = append(list, map[string]string{"value": id})
	}
	_, r, err := idp.Create(ctx, provider.Groups, provider.Resource{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "displayName": displayName, "members": list,
	})
	Expect(err).NotTo(HaveOccurred())
	return r.ID()
}

// deactivate takes somebody's access away.
func deactivate(ctx context.Context, idp *provider.Client, id string) {
	GinkgoHelper()
	_, _, err := idp.Patch(ctx, provider.Users, id, provider.Operation{Op: "replace", Value: map[string]any{"active": false}})
	Expect(err).NotTo(HaveOccurred())
}

// role makes a role of the app, with what its spec says.
func (c *company) role(ctx context.Context, name, spec string) {
	GinkgoHelper()
	c.apply(ctx, fmt.Sprintf(`
apiVersion: scim-operator.io/v1alpha1
kind: AppRole
metadata: {name: %s}
spec: {displayName: %[1]s, %s}
`, name, spec))
}

// eventuallyRoles waits until somebody has exactly these roles in the app.
func (c *company) eventuallyRoles(ctx context.Context, id string, roles ...string) {
	GinkgoHelper()
	Eventually(func(g Gomega) []string {
		var m v1alpha1.AppMembership
		g.Expect(client.IgnoreNotFound(c.admin.Get(ctx, client.ObjectKey{Namespace: c.namespace, Name: id}, &m))).To(Succeed())
		return m.Spec.Roles
	}).Should(ConsistOf(roles))
}
