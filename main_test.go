package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/controlplane"
	"github.com/scim-operator/scim-operator/hack/replay/okta"
)

func TestOperator(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second)
	suite, reporter := GinkgoConfiguration()
	suite.RandomizeAllSpecs = true
	RunSpecs(t, "operator", suite, reporter)
}

// The operator runs as a process of its own, as its ServiceAccount with the shipped ClusterRole and nothing more.
const (
	systemNamespace = "scim-system"
	serviceAccount  = "system:serviceaccount:scim-system:scim-operator"
	namespace       = "demo"
)

var (
	plane     *controlplane.ControlPlane
	admin     client.Client
	binary    string
	workspace string
)

var _ = BeforeSuite(func(ctx context.Context) {
	var err error
	plane, err = controlplane.Start(ctx, controlplane.Options{Progress: GinkgoWriter})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(plane.Stop()).To(Succeed()) })

	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	admin, err = client.New(plane.Config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	for _, name := range []string{systemNamespace, namespace} {
		Expect(admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})).To(Succeed())
	}
	for _, manifests := range []string{"config/rbac/*.yaml", "config/admission/*.yaml", "config/samples/demo.yaml"} {
		Expect(controlplane.Apply(ctx, plane.Config, manifests)).To(Succeed())
	}

	workspace = GinkgoT().TempDir()
	write := func(name, user string, groups ...string) {
		kubeconfig, err := plane.Kubeconfig(user, groups...)
		Expect(err).NotTo(HaveOccurred())
		Expect(os.WriteFile(filepath.Join(workspace, name), kubeconfig, 0o600)).To(Succeed())
	}
	write("admin", "administrator", "system:masters")
	write("operator", serviceAccount, "system:serviceaccounts", "system:serviceaccounts:"+systemNamespace)

	binary = filepath.Join(workspace, "scim-operator")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, ".")
	build.Stdout, build.Stderr = GinkgoWriter, GinkgoWriter
	Expect(build.Run()).To(Succeed())
})

// operator is one running process of it.
type operator struct {
	cmd     *exec.Cmd
	exited  chan struct{}
	failure error
	log     *bytes.Buffer
	baseURL string
	ready   string
}

// launch starts the operator; address is where it serves SCIM.
func launch(address string, flags ...string) *operator {
	GinkgoHelper()
	probe := freeAddress()
	o := &operator{exited: make(chan struct{}), log: &bytes.Buffer{}, baseURL: "http://" + address + "/scim/v2/demo/okta", ready: "http://" + probe + "/readyz"}
	o.cmd = exec.Command(binary, append([]string{
		"--scim-bind-address=" + address, "--external-url=http://" + address,
		"--health-probe-bind-address=" + probe, "--metrics-bind-address=0", "--requests-per-second=0",
	}, flags...)...)
	o.cmd.Env = append(os.Environ(), "KUBECONFIG="+filepath.Join(workspace, "operator"))
	o.cmd.Stdout, o.cmd.Stderr = o.log, o.log
	Expect(o.cmd.Start()).To(Succeed())
	go func() {
		defer close(o.exited)
		o.failure = o.cmd.Wait()
	}()
	DeferCleanup(func() {
		_ = o.cmd.Process.Kill()
		Eventually(o.exited).Should(BeClosed())
		if CurrentSpecReport().Failed() {
			AddReportEntry("operator.log", o.log.String())
		}
	})
	return o
}

func (o *operator) untilReady() *operator {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		response, err := http.Get(o.ready)
		g.Expect(err).NotTo(HaveOccurred())
		defer response.Body.Close()
		g.Expect(response.StatusCode).To(Equal(http.StatusOK))
	}).Should(Succeed())
	return o
}

func freeAddress() string {
	GinkgoHelper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	defer listener.Close()
	return listener.Addr().String()
}

// token is the one that the operator has generated for the sample directory, once it opens the door.
func (o *operator) token(ctx context.Context) string {
	GinkgoHelper()
	secret := &corev1.Secret{}
	Eventually(func(g Gomega) {
		g.Expect(admin.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "okta-token"}, secret)).To(Succeed())
		j := &journal{bearer: "Bearer " + string(secret.Data["token"])}
		_, err := j.read(ctx, o.baseURL+"/ServiceProviderConfig")
		g.Expect(err).NotTo(HaveOccurred())
	}).Should(Succeed())
	return string(secret.Data["token"])
}

func kubectl(arguments ...string) string {
	GinkgoHelper()
	cmd := exec.Command(plane.Kubectl, append([]string{"--kubeconfig=" + filepath.Join(workspace, "admin"), "-n", namespace}, arguments...)...)
	out, err := cmd.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "%s", out)
	return string(out)
}

var _ = Describe("The operator", Ordered, ContinueOnFailure, func() {
	It("turns what Okta sends into people, groups, roles and memberships", func(ctx context.Context) {
		o := launch(freeAddress()).untilReady()
		Expect(okta.Run(ctx, okta.Options{
			BaseURL: o.baseURL, Token: o.token(ctx), Apps: []okta.App{okta.Catalogue, okta.Wizard}, Users: 20, Groups: 5,
		}, nil)).To(Succeed())

		By("showing the tables")
		Eventually(func() string { return kubectl("get", "scimdirectories") }).Should(
			MatchRegexp(`(?m)^okta +true +20 +18 +5 +True `), "20 people, of whom each app unassigned one, and five groups")
		Expect(kubectl("get", "scimusers")).To(And(
			MatchRegexp(`^NAME +USERNAME +ACTIVE +DIRECTORY +ROLES +READY +AGE`),
			MatchRegexp(`(?m)^[0-9a-f-]{36} +\S+@example\.com +true +okta +\["member"[^\]]*\] +True `),
			MatchRegexp(`(?m)^[0-9a-f-]{36} +\S+@example\.com +false +okta +True `),
		))
		Eventually(func() string { return kubectl("get", "scimgroups") }).Should(
			MatchRegexp(`(?m)^[0-9a-f-]{36} +Administrators +[1-9]\d* +\["admin"\] +okta +True `))
		Eventually(func() string { return kubectl("get", "approles") }).Should(MatchRegexp(`(?m)^admin +Administrator +1 +[1-9]`))
		Eventually(func() string { return kubectl("get", "appmemberships") }).Should(
			MatchRegexp(`(?m)^[0-9a-f-]{36} +\S+@example\.com +true +\["[^\]]*admin[^\]]*"\] +okta +True `))

		By("needing no right that its role does not give")
		Expect(o.log.String()).NotTo(ContainSubstring("forbidden"))

	})

	It("finishes what it has accepted when it is told to end", func(ctx context.Context) {
		o := launch(freeAddress()).untilReady()
		bearer := o.token(ctx)
		var posting sync.WaitGroup
		var answered atomic.Int32
		enough := make(chan struct{})
		for worker := range 8 {
			posting.Go(func() {
				defer GinkgoRecover()
				for i := 0; ; i++ {
					body := fmt.Sprintf(`{"userName":"drain-%d-%d@example.com"}`, worker, i)
					request, err := http.NewRequestWithContext(ctx, http.MethodPost, o.baseURL+"/Users", strings.NewReader(body))
					Expect(err).NotTo(HaveOccurred())
					request.Header.Set("Authorization", bearer)
					request.Header.Set("Content-Type", "application/scim+json")
					response, err := http.DefaultClient.Do(request)
					if err != nil {
						return // it takes no more requests
					}
					Expect(response.Body.Close()).To(Succeed())
					Expect(response.StatusCode).To(Equal(http.StatusCreated))
					if answered.Add(1) == 40 {
						close(enough)
					}
				}
			})
		}
		Eventually(enough).Should(BeClosed())
		Expect(o.cmd.Process.Signal(syscall.SIGTERM)).To(Succeed())
		Eventually(o.exited, 35*time.Second).Should(BeClosed())
		Expect(o.failure).NotTo(HaveOccurred())
		posting.Wait()
		users := &v1alpha1.ScimUserList{}
		Expect(admin.List(ctx, users, client.InNamespace(namespace))).To(Succeed())
		stored := int32(0)
		for _, u := range users.Items {
			if strings.HasPrefix(u.Spec.UserName, "drain-") {
				stored++
			}
		}
		Expect(stored).To(Equal(answered.Load()), "each write was answered, and each answer was true")
	})

	It("loses nothing that was acknowledged when it is killed, and goes on where it was", func(ctx context.Context) {
		address := freeAddress()
		bearer := ""
		// Each round kills the operator while Okta is at work, a little later than the round before.
		for round, after := range []int{3, 17, 31, 40, 52} {
			o := launch(address).untilReady()
			bearer = o.token(ctx)
			journal := newJournal(after, func() { _ = o.cmd.Process.Kill() })
			err := okta.Run(ctx, okta.Options{
				BaseURL: o.baseURL, Token: bearer, Apps: []okta.App{okta.Wizard, okta.Catalogue}, Users: 30 + 10*round, Groups: 5,
				HTTP: &http.Client{Transport: journal},
			}, nil)
			Expect(err).To(HaveOccurred(), "the operator was killed at work")
			Eventually(o.exited).Should(BeClosed())

			By(fmt.Sprintf("restarting after %d acknowledged writes", journal.writes))
			o = launch(address).untilReady()
			for url, acknowledged := range journal.acknowledged {
				Expect(journal.state(ctx, url)).To(Equal(acknowledged), url)
			}
			Expect(journal.acknowledged).NotTo(BeEmpty())
			Expect(o.cmd.Process.Kill()).To(Succeed())
			Eventually(o.exited).Should(BeClosed())
		}

		By("letting Okta try again")
		o := launch(address).untilReady()
		Expect(okta.Run(ctx, okta.Options{
			BaseURL: o.baseURL, Token: bearer, Apps: []okta.App{okta.Wizard, okta.Catalogue}, Users: 70, Groups: 5,
		}, nil)).To(Succeed())

		By("having one person for each userName, and one membership for each person")
		users := &v1alpha1.ScimUserList{}
		Expect(admin.List(ctx, users, client.InNamespace(namespace))).To(Succeed())
		active := map[string]bool{}
		for _, u := range users.Items {
			Expect(active).NotTo(HaveKey(u.Spec.UserName))
			active[u.Spec.UserName] = u.Spec.Active
		}
		Eventually(func(g Gomega) {
			members := &v1alpha1.AppMembershipList{}
			g.Expect(admin.List(ctx, members, client.InNamespace(namespace))).To(Succeed())
			has := map[string]bool{}
			for _, m := range members.Items {
				g.Expect(has).NotTo(HaveKey(m.Spec.User.UserName))
				has[m.Spec.User.UserName] = m.Spec.Active
				g.Expect(m.Spec.Active || len(m.Spec.Roles) == 0).To(BeTrue(), "a leaver has no role")
			}
			g.Expect(has).To(Equal(active))
		}).Should(Succeed())
	})

	It("gives addresses as its proxy is called when it is told to trust the proxy's headers", func(ctx context.Context) {
		o := launch(freeAddress(), "--trust-forwarded-headers").untilReady()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.baseURL+"/ServiceProviderConfig", nil)
		Expect(err).NotTo(HaveOccurred())
		request.Header.Set("Authorization", "Bearer "+o.token(ctx))
		request.Header.Set("X-Forwarded-Host", "idp.example.org")
		response, err := http.DefaultClient.Do(request)
		Expect(err).NotTo(HaveOccurred())
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		Expect(err).NotTo(HaveOccurred())
		Expect(string(body)).To(ContainSubstring(`"location":"http://idp.example.org/scim/v2/demo/okta/ServiceProviderConfig"`))
	})

	It("explains its fields", func() {
		Expect(kubectl("explain", "scimdirectory.spec.tokens")).To(And(
			ContainSubstring("bearer tokens that the identity provider may present"),
			ContainSubstring("Without it the token does not expire"), ContainSubstring("secretRef"), ContainSubstring("-required-"),
		))
		Expect(kubectl("explain", "scimuser.spec.userName")).To(ContainSubstring("RFC 7643"))
	})

	DescribeTable("refuses flags that make no sense, and says which", func(want string, flags ...string) {
		cmd := exec.Command(binary, flags...)
		cmd.Env = append(os.Environ(), "KUBECONFIG="+filepath.Join(workspace, "operator"))
		out, err := cmd.CombinedOutput()
		Expect(err).To(HaveOccurred())
		Expect(string(out)).To(ContainSubstring(want))
	},
		Entry("no address", "--external-url", "--scim-bind-address=:0"),
		Entry("an address without a scheme", "--external-url", "--external-url=scim.example.com"),
		Entry("nothing to do", "leave nothing to do", "--scim=false", "--controllers=false", "--external-url=https://x"),
		Entry("half a certificate", "--tls-key-file", "--tls-cert-file=x", "--external-url=https://x"),
		Entry("a stray word", `unknown argument "serve"`, "serve"),
	)
})

// journal is an http.RoundTripper that notes for each resource the state that the server has last acknowledged, and calls
// kill while the write after the given number is under way.
type journal struct {
	after int
	kill  func()

	mu           sync.Mutex
	writes       int
	bearer       string
	acknowledged map[string]map[string]any
}

func newJournal(after int, kill func()) *journal {
	return &journal{after: after, kill: kill, acknowledged: map[string]map[string]any{}}
}

func (j *journal) RoundTrip(r *http.Request) (*http.Response, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.bearer = r.Header.Get("Authorization")
	if r.Method == http.MethodGet {
		return http.DefaultTransport.RoundTrip(r)
	}
	if j.writes++; j.writes > j.after {
		go j.kill()
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || response.StatusCode >= 300 {
		// What came of this write, nobody has said.
		delete(j.acknowledged, r.URL.String())
		return response, err
	}
	url := r.URL.String()
	if location := response.Header.Get("Location"); location != "" {
		url = location
	}
	body, err := io.ReadAll(response.Body)
	response.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		return response, err
	}
	if len(body) > 0 {
		j.acknowledged[url] = stateOf(body)
	} else if state, err := j.read(r.Context(), url); err == nil {
		j.acknowledged[url] = state
	} else {
		delete(j.acknowledged, url)
	}
	return response, nil
}

// state is what the server shows now.
func (j *journal) state(ctx context.Context, url string) map[string]any {
	GinkgoHelper()
	state, err := j.read(ctx, url)
	Expect(err).NotTo(HaveOccurred())
	return state
}

func (j *journal) read(ctx context.Context, url string) (map[string]any, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", j.bearer)
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s: %s", url, response.Status, body)
	}
	return stateOf(body), err
}

// stateOf is a resource without what other resources' changes show in it.
func stateOf(body []byte) map[string]any {
	var state map[string]any
	_ = json.Unmarshal(body, &state)
	maps.DeleteFunc(state, func(name string, _ any) bool { return slices.Contains([]string{"groups", "meta"}, name) })
	if members, ok := state["members"].([]any); ok {
		slices.SortFunc(members, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	}
	return state
}
