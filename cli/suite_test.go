package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/operator"
)

func TestCLI(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second)
	SetDefaultEventuallyPollingInterval(100 * time.Millisecond)
	suite, reporter := GinkgoConfiguration()
	suite.RandomizeAllSpecs = true
	RunSpecs(t, "kubectl scim", suite, reporter)
}

var (
	installed *operator.Installation
	running   *operator.Process
	plugin    string
)

var _ = BeforeSuite(func(ctx context.Context) {
	installed = operator.Install(ctx)
	running = installed.Launch(operator.FreeAddress()).UntilReady()
	plugin = filepath.Join(filepath.Dir(installed.Binary), "kubectl-scim")
	for _, name := range []string{plugin, filepath.Join(filepath.Dir(plugin), "kubectl_complete-scim")} {
		Expect(os.Symlink(installed.Binary, name)).To(Succeed())
	}
})

// output is what a command printed.
type output struct{ out, err string }

// run runs the plugin as a user does; arguments are words of the line, and then those that have spaces.
func run(namespace, line string, more ...string) (output, error) {
	return with("", namespace, line, more...)
}

// with is run with a standard input.
func with(input, namespace, line string, more ...string) (output, error) {
	arguments := append(strings.Fields(line), more...)
	command := exec.Command(plugin, append(arguments, "-n", namespace, "--kubeconfig", installed.Kubeconfig())...)
	var out, err bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(input), &out, &err
	failure := command.Run()
	return output{out.String(), err.String()}, failure
}

// scim is run for what must succeed; it returns what stands on standard output.
func scim(namespace, line string, more ...string) string {
	GinkgoHelper()
	printed, err := run(namespace, line, more...)
	Expect(err).NotTo(HaveOccurred(), "%s\n%s", printed.out, printed.err)
	return printed.out
}

// refused is run for what must fail; it returns what stands on standard error.
func refused(namespace, line string, more ...string) string {
	GinkgoHelper()
	printed, err := run(namespace, line, more...)
	Expect(err).To(HaveOccurred(), "%s\n%s", printed.out, printed.err)
	Expect(printed.err).To(HavePrefix("error: "))
	return printed.err
}

// completed is what kubectl is told when its user presses tab.
func completed(namespace string, words ...string) string {
	GinkgoHelper()
	command := exec.Command(filepath.Join(filepath.Dir(plugin), "kubectl_complete-scim"),
		append([]string{"-n", namespace, "--kubeconfig", installed.Kubeconfig()}, words...)...)
	printed, err := command.Output()
	Expect(err).NotTo(HaveOccurred())
	return string(printed)
}

// organization is a namespace with a directory, and its identity provider.
type organization struct{ namespace, token string }

// found makes a namespace with the primary directory okta and the token idp.
func found(ctx context.Context, change ...func(*v1alpha1.ScimDirectory)) organization {
	GinkgoHelper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "org-"}}
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
	Eventually(o.knows).WithArguments(o.token).Should(Equal(http.StatusOK))
	Eventually(func() string { return o.directory(ctx).Status.BaseURL }).Should(Equal(o.baseURL()), "the controllers have seen it, too")
	return o
}

func (o organization) baseURL() string { return running.URL + "/scim/v2/" + o.namespace + "/okta" }

// call makes a request as the identity provider.
func (o organization) call(token, method, path, body string) (int, []byte) {
	GinkgoHelper()
	request, err := http.NewRequest(method, o.baseURL()+path, strings.NewReader(body))
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/scim+json")
	response, err := http.DefaultClient.Do(request)
	Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	Expect(err).NotTo(HaveOccurred())
	return response.StatusCode, text
}

// knows is how the server answers a token.
func (o organization) knows(token string) int {
	status, _ := o.call(token, http.MethodGet, "/Users?count=1", "")
	return status
}

// push makes a change as the identity provider, and returns the id of what it is about.
func (o organization) push(method, path, body string) string {
	GinkgoHelper()
	status, text := o.call(o.token, method, path, body)
	Expect(status).To(BeNumerically("<", 300), string(text))
	var resource struct{ ID string }
	_ = json.Unmarshal(text, &resource) // a 204 has no body
	return resource.ID
}

func (o organization) user(userName, displayName string) string {
	GinkgoHelper()
	return o.push(http.MethodPost, "/Users", `{"userName":"`+userName+`","displayName":"`+displayName+`","emails":[{"value":"`+userName+`","primary":true}]}`)
}

func (o organization) group(displayName string, members ...string) string {
	GinkgoHelper()
	body := map[string]any{"displayName": displayName}
	var list []map[string]string
	for _, id := range members {
		list = append(list, map[string]string{"value": id})
	}
	body["members"] = list
	text, err := json.Marshal(body)
	Expect(err).NotTo(HaveOccurred())
	return o.push(http.MethodPost, "/Groups", string(text))
}

func (o organization) role(ctx context.Context, name string, change func(*v1alpha1.AppRoleSpec)) {
	GinkgoHelper()
	r := &v1alpha1.AppRole{ObjectMeta: metav1.ObjectMeta{Namespace: o.namespace, Name: name}}
	change(&r.Spec)
	Expect(installed.Admin.Create(ctx, r)).To(Succeed())
}

func grantedTo(groups ...string) func(*v1alpha1.AppRoleSpec) {
	return func(r *v1alpha1.AppRoleSpec) {
		for _, g := range groups {
			r.GrantedTo = append(r.GrantedTo, v1alpha1.GroupSelector{DisplayName: g})
		}
	}
}

func (o organization) directory(ctx context.Context) *v1alpha1.ScimDirectory {
	GinkgoHelper()
	d := &v1alpha1.ScimDirectory{}
	Expect(installed.Admin.Get(ctx, client.ObjectKey{Namespace: o.namespace, Name: "okta"}, d)).To(Succeed())
	return d
}

// table is a printed table as a pattern: words of a line with any space between them.
func table(lines ...string) OmegaMatcher {
	return WithTransform(func(printed string) []string {
		var seen []string
		for line := range strings.Lines(printed) {
			seen = append(seen, strings.Join(strings.Fields(line), " "))
		}
		return seen
	}, ContainElements(lines))
}
