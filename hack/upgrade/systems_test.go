package upgrade

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/openfga"
	"github.com/scim-operator/scim-operator/hack/operator"
)

// signingSecret is that of the webhook, in every baseline.
const signingSecret = "whsec_dGhlIHNhbWUgaW4gZXZlcnkgcmVsZWFzZSwgYW5kIG5vIHNlY3JldA=="

// auditors may look, and only who is in one of the teams is one.
const auditors = "auditor"

const model = `{"schema_version": "1.1", "type_definitions": [
	{"type": "user"},
	{"type": "organization",
		"relations": {"admin": {"this": {}}, "auditor": {"this": {}}},
		"metadata": {"relations": {
			"admin": {"directly_related_user_types": [{"type": "user"}]},
			"auditor": {"directly_related_user_types": [{"type": "user"}]}
		}}}
]}`

// systems are those outside of Kubernetes that follow the organization: a real OpenFGA, and an app that is told by a webhook.
type systems struct {
	fga     *openfga.Server
	storeID string
	// front is OpenFGA's address, at which calls that write are counted.
	front  *httptest.Server
	writes atomic.Int64

	app  *httptest.Server
	mu   sync.Mutex
	told []string
}

// startSystems starts them, empty.
func startSystems(ctx context.Context) *systems {
	GinkgoHelper()
	s := &systems{}
	var err error
	s.fga, err = openfga.Start(ctx, openfga.Options{Progress: GinkgoWriter})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(s.fga.Stop)
	s.storeID, err = s.fga.CreateStore(ctx, namespace)
	Expect(err).NotTo(HaveOccurred())
	_, err = s.fga.WriteModel(ctx, s.storeID, []byte(model))
	Expect(err).NotTo(HaveOccurred())

	to, err := url.Parse(s.fga.URL)
	Expect(err).NotTo(HaveOccurred())
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	s.front = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/write") {
			s.writes.Add(1)
		}
		proxy.ServeHTTP(w, r)
	}))
	DeferCleanup(s.front.Close)

	signed, err := standardwebhooks.NewWebhook(signingSecret)
	Expect(err).NotTo(HaveOccurred())
	s.app = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || signed.Verify(body, r.Header) != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		s.hear(body)
		w.WriteHeader(http.StatusNoContent)
	}))
	DeferCleanup(s.app.Close)
	return s
}

// hear notes an event in words, such as "role.granted ada admin"; of a snapshot, a line for each person in it.
func (s *systems) hear(body []byte) {
	type person struct {
		UserName string   `json:"userName"`
		Roles    []string `json:"roles"`
	}
	var event struct {
		Type string `json:"type"`
		Data struct {
			Person person                `json:"person"`
			Role   struct{ Name string } `json:"role"`
			People []person              `json:"people"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &event) != nil {
		event.Type = "unreadable"
	}
	line := func(p person, roles ...string) string {
		return strings.TrimSpace(event.Type + " " + strings.TrimSuffix(p.UserName, "@example.com") + " " + strings.Join(roles, ","))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range event.Data.People {
		s.told = append(s.told, line(p, slices.Sorted(slices.Values(p.Roles))...))
	}
	if event.Type != "snapshot" {
		s.told = append(s.told, line(event.Data.Person, event.Data.Role.Name))
	}
}

// heard is what the app was told, sorted.
func (s *systems) heard() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(slices.Values(s.told))
}

// tuples are what OpenFGA holds, such as "ada admin", sorted.
func (s *systems) tuples(ctx context.Context) func() []string {
	return func() []string {
		GinkgoHelper()
		all, err := s.fga.Read(ctx, s.storeID, openfga.Tuple{})
		Expect(err).NotTo(HaveOccurred())
		words := []string{}
		for _, t := range all {
			words = append(words, strings.TrimSuffix(strings.TrimPrefix(t.User, "user:"), "@example.com")+" "+t.Relation)
		}
		slices.Sort(words)
		return words
	}
}

// hold makes tuples as the last release wrote them.
func (s *systems) hold(ctx context.Context, words []string) {
	GinkgoHelper()
	for _, w := range words {
		name, relation, _ := strings.Cut(w, " ")
		Expect(s.fga.Write(ctx, s.storeID, openfga.Tuple{
			User: "user:" + name + "@example.com", Relation: relation, Object: "organization:acme",
		})).To(Succeed())
	}
}

// follow makes the role of the teams, and the targets.
func (s *systems) follow(ctx context.Context, i *operator.Installation) {
	GinkgoHelper()
	role := &v1alpha1.AppRole{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: auditors}}
	for writes := 1; writes < len(steps); writes++ {
		role.Spec.GrantedTo = append(role.Spec.GrantedTo, v1alpha1.GroupSelector{DisplayName: teamAfter(writes)})
	}
	Expect(i.Admin.Create(ctx, role)).To(Succeed())
	Expect(i.Admin.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "hook"}, Type: v1alpha1.TargetSecretType,
		StringData: map[string]string{
			v1alpha1.TargetSecretSigningKey: signingSecret,
			v1alpha1.TargetSecretCAKey:      string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.app.Certificate().Raw})),
		},
	})).To(Succeed())
	Expect(i.Admin.Create(ctx, &v1alpha1.AppTarget{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "openfga"},
		Spec: v1alpha1.AppTargetSpec{Mode: v1alpha1.TargetEnforce, OpenFGA: &v1alpha1.OpenFGATarget{
			URL: s.front.URL, StoreID: s.storeID, Tuples: []v1alpha1.OpenFGATuple{
				{Role: "admin", Relation: "admin", Object: "organization:acme"},
				{Role: auditors, Relation: "auditor", Object: "organization:acme"},
			},
		}},
	})).To(Succeed())
	Expect(i.Admin.Create(ctx, &v1alpha1.AppTarget{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "hook"},
		Spec: v1alpha1.AppTargetSpec{Mode: v1alpha1.TargetEnforce, Webhook: &v1alpha1.WebhookTarget{
			URL: s.app.URL, Credentials: v1alpha1.TargetSecretReference{Name: "hook"},
		}},
	})).To(Succeed())
}

// moveHere has an AppTarget of the last release, whose systems are gone, lead to these.
func (s *systems) moveHere(o *unstructured.Unstructured) {
	GinkgoHelper()
	set := func(value string, fields ...string) {
		GinkgoHelper()
		Expect(unstructured.SetNestedField(o.Object, value, append([]string{"spec"}, fields...)...)).To(Succeed())
	}
	if o.GetKind() != "AppTarget" {
		return
	}
	switch o.GetName() {
	case "openfga":
		set(s.front.URL, "openFGA", "url")
		set(s.storeID, "openFGA", "storeId")
	case "hook":
		set(s.app.URL, "webhook", "url")
	}
}
