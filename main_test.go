package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/operator"
	"github.com/scim-operator/scim-operator/hack/replay/okta"
)

func TestOperator(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second)
	t.Setenv("KUBE_EDITOR", "sed -i s/example.com/example.org/") // what kubectl edit changes
	suite, reporter := GinkgoConfiguration()
	suite.RandomizeAllSpecs = true
	RunSpecs(t, "operator", suite, reporter)
}

// namespace is that of the sample directory.
const namespace = "demo"

var installed *operator.Installation

var _ = BeforeSuite(func(ctx context.Context) {
	installed = operator.Install(ctx)
	Expect(installed.Admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})).To(Succeed())
	installed.Apply(ctx, "config/samples/demo.yaml")
})

// demo is a running operator, and where it serves the sample directory.
type demo struct {
	*operator.Process
	baseURL string
}

// launch starts the operator and returns when it serves; address is where.
func launch(address string, flags ...string) demo {
	GinkgoHelper()
	o := installed.Launch(address, flags...).UntilReady()
	return demo{o, o.URL + "/scim/v2/demo/okta"}
}

// token is the one that the operator has generated for the sample directory, once it opens the door.
func (o demo) token(ctx context.Context) string {
	GinkgoHelper()
	secret := &corev1.Secret{}
	Eventually(func(g Gomega) {
		g.Expect(installed.Admin.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "okta-token"}, secret)).To(Succeed())
		j := &journal{bearer: "Bearer " + string(secret.Data["token"])}
		_, err := j.read(ctx, o.baseURL+"/ServiceProviderConfig")
		g.Expect(err).NotTo(HaveOccurred())
	}).Should(Succeed())
	return string(secret.Data["token"])
}

func kubectl(arguments ...string) string {
	GinkgoHelper()
	return installed.Kubectl(append([]string{"-n", namespace}, arguments...)...)
}

var _ = Describe("The operator", Ordered, ContinueOnFailure, func() {
	It("turns what Okta sends into people, groups, roles and memberships", func(ctx context.Context) {
		o := launch(operator.FreeAddress())
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
		Expect(o.Log).NotTo(gbytes.Say("forbidden"))
	})

	It("is ready when it runs the controllers alone", func() {
		installed.Launch(operator.FreeAddress(), "--scim=false").UntilReady()
	})

	It("finishes what it has accepted when it is told to end", func(ctx context.Context) {
		o := launch(operator.FreeAddress())
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
		o.Signal(syscall.SIGTERM)
		Eventually(o.Exited, 35*time.Second).Should(BeClosed())
		Expect(o.Failure).NotTo(HaveOccurred())
		posting.Wait()
		users := &v1alpha1.ScimUserList{}
		Expect(installed.Admin.List(ctx, users, client.InNamespace(namespace))).To(Succeed())
		stored := int32(0)
		for _, u := range users.Items {
			if strings.HasPrefix(u.Spec.UserName, "drain-") {
				stored++
			}
		}
		Expect(stored).To(Equal(answered.Load()), "each write was answered, and each answer was true")
	})

	It("loses nothing that was acknowledged when it is killed, and goes on where it was", func(ctx context.Context) {
		address := operator.FreeAddress()
		bearer := ""
		// Each round kills the operator while Okta is at work, a little later than the round before.
		for round, after := range []int{3, 17, 31, 40, 52} {
			o := launch(address)
			bearer = o.token(ctx)
			journal := newJournal(after, func() { o.Signal(os.Kill) })
			err := okta.Run(ctx, okta.Options{
				BaseURL: o.baseURL, Token: bearer, Apps: []okta.App{okta.Wizard, okta.Catalogue}, Users: 30 + 10*round, Groups: 5,
				HTTP: &http.Client{Transport: journal},
			}, nil)
			Expect(err).To(HaveOccurred(), "the operator was killed at work")
			Eventually(o.Exited).Should(BeClosed())

			By(fmt.Sprintf("restarting after %d acknowledged writes", journal.writes))
			o = launch(address)
			for url, acknowledged := range journal.acknowledged {
				Expect(journal.state(ctx, url)).To(Equal(acknowledged), url)
			}
			Expect(journal.acknowledged).NotTo(BeEmpty())
			o.Kill()
		}

		By("letting Okta try again")
		o := launch(address)
		Expect(okta.Run(ctx, okta.Options{
			BaseURL: o.baseURL, Token: bearer, Apps: []okta.App{okta.Wizard, okta.Catalogue}, Users: 70, Groups: 5,
		}, nil)).To(Succeed())

		By("having one person for each userName, and one membership for each person")
		users := &v1alpha1.ScimUserList{}
		Expect(installed.Admin.List(ctx, users, client.InNamespace(namespace))).To(Succeed())
		active := map[string]bool{}
		for _, u := range users.Items {
			Expect(active).NotTo(HaveKey(u.Spec.UserName))
			active[u.Spec.UserName] = u.Spec.Active
		}
		Eventually(func(g Gomega) {
			members := &v1alpha1.AppMembershipList{}
			g.Expect(installed.Admin.List(ctx, members, client.InNamespace(namespace))).To(Succeed())
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
		o := launch(operator.FreeAddress(), "--trust-forwarded-headers")
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
		out, err := installed.Command(flags...).CombinedOutput()
		Expect(err).To(HaveOccurred())
		Expect(string(out)).To(ContainSubstring(want))
	},
		Entry("no address", "--external-url", "--scim-bind-address=:0"),
		Entry("an address without a scheme", "--external-url", "--external-url=scim.example.com"),
		Entry("nothing to do", "leave nothing to do", "--scim=false", "--controllers=false", "--external-url=https://x"),
		Entry("a console without its index", "needs --scim", "--console-bind-address=:0", "--scim=false", "--external-url=https://x"),
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
		// What came of this write, nobody has said. A POST may have brought back somebody who was there.
		name := nameOf(r)
		maps.DeleteFunc(j.acknowledged, func(url string, state map[string]any) bool {
			return url == r.URL.String() || name != nil && state["userName"] == name
		})
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

// nameOf is the userName in a request that the client has sent, or nil.
func nameOf(r *http.Request) any {
	body, err := r.GetBody()
	if err != nil {
		return nil
	}
	sent, err := io.ReadAll(body)
	if err != nil {
		return nil
	}
	return stateOf(sent)["userName"]
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
