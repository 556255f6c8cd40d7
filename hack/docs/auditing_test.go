package docs

import (
	"context"
	"net/http"
	"strconv"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/hack/controlplane"
	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

var _ = plays("docs/auditing.md", "Asking the audit log", func(ctx context.Context, s *stage, p *player) {
	p.dir = GinkgoT().TempDir()
	s.company(ctx, p).comings(ctx, p)
})

var _ = plays("docs/auditing.md", "Kubernetes Events", func(ctx context.Context, s *stage, p *player) {
	s.company(ctx, p).comings(ctx, p)
})

var _ = plays("docs/auditing.md", "The use of tokens", func(ctx context.Context, s *stage, p *player) {
	c := s.company(ctx, p)
	idp := c.directory(ctx, "okta", "")
	var secret corev1.Secret
	Expect(s.admin.Get(ctx, client.ObjectKey{Namespace: c.namespace, Name: "okta-token"}, &secret)).To(Succeed())
	p.replace["DWI7"], p.replace[`"545"`] = lastFour(idp), strconv.Quote(secret.ResourceVersion)
})

// comings has somebody come into a group and go, in requests that are numbered from r-1.
func (c *company) comings(ctx context.Context, p *player) {
	GinkgoHelper()
	c.role(ctx, "admin", "grantedTo: [{displayName: Admins}]")
	idp := c.directory(ctx, "okta", "  primary: true")
	user(ctx, idp, "bob@example.com", "Bob Lee")

	idp.HTTP = &http.Client{Transport: &numbering{}}
	ada := user(ctx, idp, "ada@example.com", "Ada Lovelace")
	admins := group(ctx, idp, "Admins")
	change := func(endpoint, id, op, path string, value any) {
		GinkgoHelper()
		_, _, err := idp.Patch(ctx, endpoint, id, provider.Operation{Op: op, Path: path, Value: value})
		Expect(err).NotTo(HaveOccurred())
	}
	change(provider.Groups, admins, "add", "members", []any{map[string]string{"value": ada}})
	c.eventuallyRecords(ctx, "grant", "r-3")
	change(provider.Users, ada, "replace", "title", "Countess")
	change(provider.Users, ada, "replace", "active", false)
	c.eventuallyRecords(ctx, "grant", "r-5")
	change(provider.Users, ada, "replace", "active", true)
	c.eventuallyRecords(ctx, "grant", "r-6")
	change(provider.Groups, admins, "remove", `members[value eq "`+ada+`"]`, nil)
	c.eventuallyRecords(ctx, "grant", "r-7")
	Expect(idp.Delete(ctx, provider.Users, ada)).To(Succeed())
	a, err := idp.Send(ctx, http.MethodPost, provider.Users, provider.Resource{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": "BOB@example.com",
	})
	Expect(err).NotTo(HaveOccurred())
	Expect(a.Want(http.StatusConflict)).To(Succeed())
	c.eventuallyRecords(ctx, "scim", "r-9")

	p.replace["01a214cd-92cd-77d7-a4e9-9c2922499c34"], p.replace["01a214cd-92dd-76ef-9db9-2aeace129206"] = ada, admins
}

// eventuallyRecords waits until the audit log has a record of this kind about a request.
func (c *company) eventuallyRecords(ctx context.Context, kind, request string) {
	GinkgoHelper()
	Eventually(run).WithContext(ctx).WithArguments(c.plane.Kubectl, "--kubeconfig="+c.kubeconfig, "logs", "deployment/scim-operator",
		"-n", controlplane.OperatorNamespace).
		Should(ContainSubstring(`"msg":%q,"request":%q,"namespace":%q`, kind, request, c.namespace))
}

// lastFour are the characters by which a token is told from others.
func lastFour(idp *provider.Client) string { return idp.Token[len(idp.Token)-4:] }

// numbering is what a proxy does that numbers the requests that it passes on.
type numbering struct{ last int }

func (n *numbering) RoundTrip(r *http.Request) (*http.Response, error) {
	n.last++
	r = r.Clone(r.Context())
	r.Header.Set("X-Request-Id", "r-"+strconv.Itoa(n.last))
	return http.DefaultTransport.RoundTrip(r)
}
