// Package guides plays the Okta guides of four products from their first step to their last: each with the sample that is
// meant for it, against the operator as it runs in a cluster.
package guides

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/operator"
	"github.com/scim-operator/scim-operator/hack/replay/okta"
	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

var installed *operator.Installation

func TestGuides(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second)
	SetDefaultEventuallyPollingInterval(100 * time.Millisecond)
	t.Setenv("KUBE_EDITOR", "sed -i s/example.com/example.org/") // what kubectl edit changes
	RunSpecs(t, "The products' guides")
}

var _ = BeforeSuite(func(ctx context.Context) { installed = operator.Install(ctx) })

// guide is one product's, while an administrator follows it.
type guide struct {
	ctx      context.Context
	ns       string
	operator *operator.Process
	okta     *okta.Tenant
}

// follow begins a guide: the product has these people, its sample is applied, and the operator runs.
func follow(product string, people ...*v1alpha1.AppMembership) *guide {
	GinkgoHelper()
	ctx, cancel := context.WithCancel(context.Background())
	DeferCleanup(cancel)
	g := &guide{ctx: ctx, ns: product}
	Expect(installed.Admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: g.ns}})).To(Succeed())
	for _, p := range people {
		p.Namespace = g.ns
		Expect(installed.Admin.Create(ctx, p)).To(Succeed())
	}
	installed.Kubectl("apply", "--server-side", "-f", "config/samples/"+product+".yaml")
	g.operator = installed.Launch(operator.FreeAddress()).UntilReady()
	return g
}

// local is a person whom the app has without any directory.
func local(name string, active bool, roles ...string) *v1alpha1.AppMembership {
	m := &v1alpha1.AppMembership{ObjectMeta: metav1.ObjectMeta{Name: name}}
	m.Spec.User = v1alpha1.MemberIdentity{UserName: name + "@example.com", Email: name + "@example.com", DisplayName: name}
	m.Spec.Active, m.Spec.Roles = active, roles
	return m
}

// person is one of the tenant's.
func person(givenName string) okta.Person {
	return okta.Person{
		GivenName: givenName, FamilyName: "Example", UserName: strings.ToLower(givenName) + "@example.com",
		Title: "Specialist", Department: "Risk", EmployeeNumber: "7", ExternalID: "00u" + strings.ToLower(givenName),
	}
}

func member(id string, p okta.Person) okta.Member { return okta.Member{ID: id, Display: p.UserName} }

// connect reads what an administrator enters in Okta, where kubectl shows it.
func (g *guide) connect(app okta.App, directory, secret string) *okta.Tenant {
	GinkgoHelper()
	t := &okta.Tenant{App: app}
	Eventually(func() string {
		t.BaseURL = g.kubectl("get", "scimdirectory", directory, "-o", "jsonpath={.status.baseURL}")
		return t.BaseURL
	}).Should(Equal(g.operator.URL + "/scim/v2/" + g.ns + "/" + directory))
	t.Token = g.token(secret)
	// Until the server has seen the Secret too.
	Eventually(func() error { return t.TestCredentials(g.ctx) }).Should(Succeed())
	return t
}

// token waits until the operator has made the Secret, and reads it as the guide says.
func (g *guide) token(secret string) string {
	GinkgoHelper()
	var token []byte
	Eventually(func(a Gomega) {
		encoded, err := g.tryKubectl("get", "secret", secret, "-o", "jsonpath={.data.token}")
		a.Expect(err).NotTo(HaveOccurred(), encoded)
		token, err = base64.StdEncoding.DecodeString(encoded)
		a.Expect(err).NotTo(HaveOccurred())
		a.Expect(token).NotTo(BeEmpty())
	}).Should(Succeed())
	return string(token)
}

// kubectl runs it in the product's namespace.
func (g *guide) kubectl(arguments ...string) string {
	GinkgoHelper()
	return installed.Kubectl(append([]string{"-n", g.ns}, arguments...)...)
}

func (g *guide) tryKubectl(arguments ...string) (string, error) {
	return installed.TryKubectl(append([]string{"-n", g.ns}, arguments...)...)
}

// refused is what the API server says to a change that it does not permit.
func (g *guide) refused(arguments ...string) string {
	GinkgoHelper()
	out, err := g.tryKubectl(arguments...)
	Expect(err).To(HaveOccurred(), out)
	return out
}

// shows waits until kubectl prints what matches.
func (g *guide) shows(pattern string, arguments ...string) {
	GinkgoHelper()
	Eventually(func() string {
		out, _ := g.tryKubectl(arguments...)
		return out
	}).Should(MatchRegexp(pattern), "kubectl %s", strings.Join(arguments, " "))
}

// access waits until the app sees exactly these people, each as "givenName [roles]"; nobody else has any role that counts.
func (g *guide) access(people ...string) {
	GinkgoHelper()
	Eventually(func(a Gomega) {
		var list v1alpha1.AppMembershipList
		a.Expect(installed.Admin.List(g.ctx, &list, client.InNamespace(g.ns))).To(Succeed())
		seen := []string{}
		for _, m := range list.Items {
			if m.Spec.Active {
				roles := slices.Sorted(slices.Values(m.Spec.Roles))
				seen = append(seen, strings.TrimSuffix(m.Spec.User.UserName, "@example.com")+" ["+strings.Join(roles, " ")+"]")
			}
		}
		a.Expect(seen).To(ConsistOf(people))
	}).Should(Succeed())
}

// happened waits until there are events for these reasons about an object, among others.
func (g *guide) happened(kind, name string, reasons ...string) {
	GinkgoHelper()
	Eventually(func(a Gomega) { a.Expect(g.events(a, kind, name)).To(ContainElements(reasons)) }).Should(Succeed())
}

func (g *guide) events(a Gomega, kind, name string) []string {
	var list eventsv1.EventList
	a.Expect(installed.Admin.List(g.ctx, &list, client.InNamespace(g.ns))).To(Succeed())
	var reasons []string
	for _, e := range list.Items {
		if e.Regarding.Kind == kind && e.Regarding.Name == name {
			times := 1
			if e.Series != nil {
				times = int(e.Series.Count)
			}
			reasons = append(reasons, slices.Repeat([]string{e.Reason}, times)...)
		}
	}
	return reasons
}

// named finds a resource that was imported.
func named(imported []provider.Resource, name string) provider.Resource {
	for _, r := range imported {
		if r["userName"] == name || r["displayName"] == name {
			return r
		}
	}
	return nil
}

func names(imported []provider.Resource, attribute string) []string {
	found := []string{}
	for _, r := range imported {
		found = append(found, r[attribute].(string))
	}
	return found
}

func memberIDs(group provider.Resource) []string {
	ids := []string{}
	members, _ := group["members"].([]any)
	for _, m := range members {
		ids = append(ids, m.(map[string]any)["value"].(string))
	}
	return ids
}
