package upgrade

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/controlplane"
	"github.com/scim-operator/scim-operator/hack/operator"
)

func TestUpgrade(t *testing.T) {
	RegisterFailHandler(Fail)
	ctrl.SetLogger(GinkgoLogr)
	SetDefaultEventuallyTimeout(30 * time.Second)
	SetDefaultEventuallyPollingInterval(100 * time.Millisecond)
	SetDefaultConsistentlyDuration(2 * time.Second)
	RunSpecs(t, "Upgrade and restore")
}

const namespace = "acme"

// cluster is one with the organization acme in it, its operator, and its identity provider.
type cluster struct {
	*operator.Installation
	operator *operator.Process
	token    string
}

// begin starts the operator in a cluster.
func begin(i *operator.Installation) *cluster {
	GinkgoHelper()
	return &cluster{Installation: i, operator: i.Launch(operator.FreeAddress(), "--target-interval=1s", "--target-networks=127.0.0.0/8").UntilReady()}
}

// shell runs a block of a document in a folder of its own, with kubectl as an administrator, and returns what it prints.
func shell(i *operator.Installation, folder, script string) string {
	GinkgoHelper()
	command := exec.Command("bash", "-euo", "pipefail", "-c", script)
	command.Dir = folder
	command.Env = append(os.Environ(), "KUBECONFIG="+i.Kubeconfig(), "PATH="+filepath.Dir(i.Plane.Kubectl)+":"+os.Getenv("PATH"))
	out, err := command.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "%s\n%s", script, out)
	return string(out)
}

var (
	session = regexp.MustCompile("(?ms)^```console\n(.*?)^```")
	typed   = regexp.MustCompile(`(?m)^\$ ((?:.*\\\n)*.*)$`)
)

// scripts are what a document has its reader type first below each heading.
func scripts(document string) map[string]string {
	GinkgoHelper()
	root, err := controlplane.Root()
	Expect(err).NotTo(HaveOccurred())
	page, err := os.ReadFile(filepath.Join(root, "docs", document))
	Expect(err).NotTo(HaveOccurred())
	all := map[string]string{}
	for _, section := range strings.Split(string(page), "\n## ")[1:] {
		heading, body, _ := strings.Cut(section, "\n")
		if b := session.FindStringSubmatch(body); b != nil {
			for _, line := range typed.FindAllStringSubmatch(b[1], -1) {
				all[heading] += line[1] + "\n"
			}
		}
	}
	return all
}

// readToken reads the token that the operator made.
func (c *cluster) readToken(ctx context.Context) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		var s corev1.Secret
		g.Expect(c.Admin.Get(ctx, key("okta-token"), &s)).To(Succeed())
		c.token = string(s.Data[v1alpha1.TokenSecretKey])
		g.Expect(c.scim(http.MethodGet, "/Users", "").status).To(Equal(http.StatusOK))
	}).Should(Succeed())
}

func key(name string) client.ObjectKey { return client.ObjectKey{Namespace: namespace, Name: name} }

// answer is what the SCIM server answered.
type answer struct {
	status int
	etag   string
	body   struct {
		ID        string   `json:"id"`
		Resources []listed `json:"Resources"`
		Members   []struct {
			Value string `json:"value"`
		} `json:"members"`
	}
}

// listed is what an identity provider remembers of a resource.
type listed struct {
	ID         string `json:"id"`
	ExternalID string `json:"externalId"`
	Active     bool   `json:"active"`
	Meta       struct {
		Version string `json:"version"`
	} `json:"meta"`
}

// scim makes a call as the identity provider.
func (c *cluster) scim(method, path, body string, headers ...string) answer {
	GinkgoHelper()
	request, err := http.NewRequest(method, c.operator.URL+"/scim/v2/"+namespace+"/okta"+path, strings.NewReader(body))
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/scim+json")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	Expect(err).NotTo(HaveOccurred())
	a := answer{status: response.StatusCode, etag: response.Header.Get("ETag")}
	if len(text) > 0 {
		Expect(json.Unmarshal(text, &a.body)).To(Succeed(), "%s", text)
	}
	return a
}

// person provisions somebody and returns the id.
func (c *cluster) person(name string) string {
	GinkgoHelper()
	a := c.scim(http.MethodPost, "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"active":true,
		"userName":"`+name+`@example.com","externalId":"00u-`+name+`","emails":[{"value":"`+name+`@example.com","primary":true}]}`)
	Expect(a.status).To(Equal(http.StatusCreated))
	return a.body.ID
}

func (c *cluster) group(name string, members ...string) string {
	GinkgoHelper()
	a := c.scim(http.MethodPost, "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"`+name+
		`","members":[`+inJSON(members)+`]}`)
	Expect(a.status).To(Equal(http.StatusCreated))
	return a.body.ID
}

func inJSON(members []string) string {
	var values []string
	for _, id := range members {
		values = append(values, `{"value":"`+id+`"}`)
	}
	return strings.Join(values, ",")
}

// patch changes a resource by one operation.
func (c *cluster) patch(path, operation string, headers ...string) int {
	GinkgoHelper()
	return c.scim(http.MethodPatch, path, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`+operation+`]}`,
		headers...).status
}

func (c *cluster) deactivate(id string) {
	GinkgoHelper()
	Expect(c.patch("/Users/"+id, `{"op":"replace","value":{"active":false}}`)).To(BeNumerically("<", 300))
}

func (c *cluster) add(group, id string) {
	GinkgoHelper()
	Expect(c.patch("/Groups/"+group, `{"op":"add","path":"members","value":[{"value":"`+id+`"}]}`)).To(BeNumerically("<", 300))
}

func (c *cluster) remove(group, id string) {
	GinkgoHelper()
	Expect(c.patch("/Groups/"+group, `{"op":"remove","path":"members[value eq \"`+id+`\"]"}`)).To(BeNumerically("<", 300))
}

// access says in one line per person what the app sees.
func (c *cluster) access(ctx context.Context) func() []string {
	return func() []string {
		GinkgoHelper()
		var list v1alpha1.AppMembershipList
		Expect(c.Admin.List(ctx, &list, client.InNamespace(namespace))).To(Succeed())
		var words []string
		for _, m := range list.Items {
			state := "inactive"
			if m.Spec.Active {
				state = "active"
			}
			slices.Sort(m.Spec.Roles)
			words = append(words, strings.TrimSuffix(m.Spec.User.UserName, "@example.com")+" "+state+" "+strings.Join(m.Spec.Roles, ","))
		}
		slices.Sort(words)
		return words
	}
}

// bound are the people whom the target has granted a ClusterRole in the cluster.
func (c *cluster) bound(ctx context.Context) func() []string {
	return func() []string {
		GinkgoHelper()
		var b rbacv1.RoleBinding
		if err := c.Admin.Get(ctx, key("admins"), &b); err != nil {
			Expect(client.IgnoreNotFound(err)).To(Succeed())
		}
		names := []string{}
		for _, s := range b.Subjects {
			names = append(names, strings.TrimSuffix(strings.TrimPrefix(s.Name, "oidc:"), "@example.com"))
		}
		slices.Sort(names)
		return names
	}
}

// reason is that of an object's condition; empty if it has none.
func reason(conditions []metav1.Condition, kind string) string {
	if c := meta.FindStatusCondition(conditions, kind); c != nil {
		return c.Reason
	}
	return ""
}

// readyReasons are those of the directory, the targets and all people, without repetition.
func (c *cluster) readyReasons(ctx context.Context) func() []string {
	return func() []string {
		GinkgoHelper()
		var d v1alpha1.ScimDirectory
		var targets v1alpha1.AppTargetList
		var users v1alpha1.ScimUserList
		Expect(c.Admin.Get(ctx, key("okta"), &d)).To(Succeed())
		Expect(c.Admin.List(ctx, &targets, client.InNamespace(namespace))).To(Succeed())
		Expect(c.Admin.List(ctx, &users, client.InNamespace(namespace))).To(Succeed())
		reasons := []string{"directory " + reason(d.Status.Conditions, v1alpha1.ConditionReady)}
		for _, t := range targets.Items {
			reasons = append(reasons, "target "+reason(t.Status.Conditions, v1alpha1.ConditionReady))
		}
		for _, u := range users.Items {
			if u.Spec.Origin != "App" {
				reasons = append(reasons, "user "+reason(u.Status.Conditions, v1alpha1.ConditionReady))
			}
		}
		slices.Sort(reasons)
		return slices.Compact(reasons)
	}
}
