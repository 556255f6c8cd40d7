package console_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/operator"
)

func TestConsole(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second)
	SetDefaultEventuallyPollingInterval(100 * time.Millisecond)
	suite, reporter := GinkgoConfiguration()
	suite.RandomizeAllSpecs = true
	RunSpecs(t, "console", suite, reporter)
}

var (
	installed *operator.Installation
	running   *operator.Process
	// address is where the console is.
	address string
)

var _ = BeforeSuite(func(ctx context.Context) {
	installed = operator.Install(ctx)
	address = operator.FreeAddress()
	running = installed.Launch(operator.FreeAddress(), "--console-bind-address="+address, "--trust-forwarded-headers",
		"--external-url=https://scim.example.com").UntilReady()
})

// organization is a namespace with the primary directory okta, and its identity provider.
type organization struct{ namespace, token string }

func found(ctx context.Context, change ...func(*v1alpha1.ScimDirectory)) organization {
	GinkgoHelper()
	return foundIn(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "org-"}}, change...)
}

func foundIn(ctx context.Context, ns *corev1.Namespace, change ...func(*v1alpha1.ScimDirectory)) organization {
	GinkgoHelper()
	Expect(installed.Admin.Create(ctx, ns)).To(Succeed())
	o := organization{ns.Name, v1alpha1.NewToken()}
	Expect(installed.Admin.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns.Name, Name: "idp"}, Type: v1alpha1.TokenSecretType,
		StringData: map[string]string{v1alpha1.TokenSecretKey: o.token},
	})).To(Succeed())
	d := &v1alpha1.ScimDirectory{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns.Name, Name: "okta"},
		Spec: v1alpha1.ScimDirectorySpec{Primary: true, Tokens: []v1alpha1.DirectoryToken{
			{Name: "idp", SecretRef: v1alpha1.SecretReference{Name: "idp"}},
		}},
	}
	for _, c := range change {
		c(d)
	}
	Expect(installed.Admin.Create(ctx, d)).To(Succeed())
	Eventually(func() (int, error) {
		status, _, err := o.call(http.MethodGet, "/Users?count=1", nil)
		return status, err
	}).Should(Equal(http.StatusOK))
	Eventually(func(g Gomega) {
		g.Expect(installed.Admin.Get(ctx, client.ObjectKeyFromObject(d), d)).To(Succeed())
		g.Expect(d.Status.BaseURL).NotTo(BeEmpty())
	}).Should(Succeed())
	return o
}

// call makes a request as the identity provider.
func (o organization) call(method, path string, body any) (int, []byte, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return 0, nil, err
	}
	request, err := http.NewRequest(method, running.URL+"/scim/v2/"+o.namespace+"/okta"+path, strings.NewReader(string(text)))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+o.token)
	request.Header.Set("Content-Type", "application/scim+json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// push makes a change as the identity provider, and returns the id of what it is about.
func (o organization) push(method, path string, body any) string {
	GinkgoHelper()
	status, answer, err := o.call(method, path, body)
	Expect(err).NotTo(HaveOccurred())
	Expect(status).To(BeNumerically("<", 300), string(answer))
	var resource struct{ ID string }
	_ = json.Unmarshal(answer, &resource) // a 204 has no body
	return resource.ID
}

func (o organization) user(userName, displayName string) string {
	GinkgoHelper()
	return o.push(http.MethodPost, "/Users", map[string]any{
		"userName": userName, "displayName": displayName, "externalId": "ext-" + userName, "active": true,
		"emails": []any{map[string]any{"value": userName, "primary": true, "type": "work"}},
	})
}

func (o organization) group(displayName string, members ...string) string {
	GinkgoHelper()
	list := []any{}
	for _, id := range members {
		list = append(list, map[string]string{"value": id})
	}
	return o.push(http.MethodPost, "/Groups", map[string]any{"displayName": displayName, "members": list})
}

func (o organization) role(ctx context.Context, name, description string, groups ...string) {
	GinkgoHelper()
	r := &v1alpha1.AppRole{
		ObjectMeta: metav1.ObjectMeta{Namespace: o.namespace, Name: name},
		Spec:       v1alpha1.AppRoleSpec{Description: description, Default: len(groups) == 0},
	}
	for _, g := range groups {
		r.Spec.GrantedTo = append(r.Spec.GrantedTo, v1alpha1.GroupSelector{DisplayName: g})
	}
	Expect(installed.Admin.Create(ctx, r)).To(Succeed())
}

// path is that of a page of the directory.
func (o organization) path(rest string) string {
	return "/namespaces/" + o.namespace + "/directories/okta" + rest
}

// reader is a ServiceAccount of the organization with a ClusterRole there, and its token.
func (o organization) reader(ctx context.Context, role string) string {
	GinkgoHelper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: o.namespace, Name: "reader-" + role}}
	Expect(installed.Admin.Create(ctx, account)).To(Succeed())
	// Nothing aggregates roles here: the parts of Kubernetes' roles are bound themselves.
	Expect(installed.Admin.Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: o.namespace, Name: account.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: o.namespace, Name: account.Name}},
	})).To(Succeed())
	return tokenOf(ctx, account)
}

func tokenOf(ctx context.Context, account *corev1.ServiceAccount) string {
	GinkgoHelper()
	request := &authenticationv1.TokenRequest{}
	Expect(installed.Admin.SubResource("token").Create(ctx, account, request)).To(Succeed())
	return request.Status.Token
}

// editor reads people and roles: both parts are bound.
func (o organization) editor(ctx context.Context) string {
	GinkgoHelper()
	token := o.reader(ctx, "scim-operator-edit")
	Expect(installed.Admin.Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: o.namespace, Name: "reader-also-view"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "scim-operator-view"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: o.namespace, Name: "reader-scim-operator-edit"}},
	})).To(Succeed())
	return token
}

// browser keeps cookies, and follows no redirect.
type browser struct{ cookies map[string]string }

// page is what it got.
type page struct {
	Status int
	Header http.Header
	Text   string
}

func (b *browser) do(method, path, body string, change ...func(*http.Request)) page {
	GinkgoHelper()
	request, err := http.NewRequest(method, "http://"+address+path, strings.NewReader(body))
	Expect(err).NotTo(HaveOccurred())
	if body != "" {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range b.cookies {
		request.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for _, c := range change {
		c(request)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	Expect(err).NotTo(HaveOccurred())
	for _, cookie := range response.Cookies() {
		if cookie.MaxAge < 0 {
			delete(b.cookies, cookie.Name)
		} else {
			b.cookies[cookie.Name] = cookie.Value
		}
	}
	return page{response.StatusCode, response.Header, string(text)}
}

func (b *browser) get(path string) page {
	GinkgoHelper()
	return b.do(http.MethodGet, path, "")
}

// signIn is a browser of somebody who has signed in.
func signIn(token string) *browser {
	GinkgoHelper()
	b := &browser{map[string]string{}}
	Expect(b.do(http.MethodPost, "/login", "token="+token).Status).To(Equal(http.StatusSeeOther))
	Expect(b.cookies).NotTo(BeEmpty())
	return b
}

func has(status int, parts ...string) OmegaMatcher {
	matchers := []OmegaMatcher{HaveField("Status", status)}
	for _, part := range parts {
		matchers = append(matchers, HaveField("Text", ContainSubstring(part)))
	}
	return SatisfyAll(matchers...)
}

// company is an organization with something to see on every page.
type company struct {
	organization
	ada, grace, leaver, admins, engineering string
}

func furnished(ctx context.Context, change ...func(*v1alpha1.ScimDirectory)) company {
	GinkgoHelper()
	return furnish(ctx, found(ctx, change...))
}

func furnish(ctx context.Context, o organization) company {
	GinkgoHelper()
	c := company{organization: o}
	c.role(ctx, "member", "Everybody who works here")
	c.role(ctx, "admin", "Changes settings and invites people", "Administrators")
	c.role(ctx, "developer", "Deploys and reads logs", "Engineering")
	c.ada, c.grace = c.user("ada@example.com", "Ada Lovelace"), c.user("grace@example.com", "Grace Hopper")
	c.leaver = c.user("lin@example.com", "Lin Leaver")
	for _, name := range []string{"Barbara Liskov", "Edsger Dijkstra", "Frances Allen", "Ken Thompson", "Radia Perlman", "Tony Hoare"} {
		c.user(strings.ToLower(strings.Fields(name)[0])+"@example.com", name)
	}
	c.push(http.MethodPatch, "/Users/"+c.leaver, map[string]any{
		"schemas":    []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
		"Operations": []any{map[string]any{"op": "replace", "path": "active", "value": false}},
	})
	c.admins = c.group("Administrators", c.ada)
	c.engineering = c.group("Engineering", c.ada, c.grace)
	Eventually(func(g Gomega) {
		m := &v1alpha1.AppMembership{}
		g.Expect(installed.Admin.Get(ctx, client.ObjectKey{Namespace: c.namespace, Name: c.ada}, m)).To(Succeed())
		g.Expect(m.Status.Grants).To(HaveLen(3))
		r := &v1alpha1.AppRole{}
		g.Expect(installed.Admin.Get(ctx, client.ObjectKey{Namespace: c.namespace, Name: "developer"}, r)).To(Succeed())
		g.Expect(r.Status.Members).To(BeEquivalentTo(2))
		d := &v1alpha1.ScimDirectory{}
		g.Expect(installed.Admin.Get(ctx, client.ObjectKey{Namespace: c.namespace, Name: "okta"}, d)).To(Succeed())
		g.Expect(d.Status.ActiveUsers).To(BeEquivalentTo(8))
		u := &v1alpha1.ScimUser{}
		g.Expect(installed.Admin.Get(ctx, client.ObjectKey{Namespace: c.namespace, Name: c.ada}, u)).To(Succeed())
		g.Expect(u.Status.Roles).To(HaveLen(3))
	}).Should(Succeed())
	return c
}
