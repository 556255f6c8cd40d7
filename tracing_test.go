package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/operator"
)

const (
	tracedToken = "scimop_traced_from_the_proxy_to_the_webhook"
	// What a proxy sends that has begun a trace.
	proxyTrace  = "4bf92f3577b34da6a3ce929d0e0e4736"
	proxySpan   = "00f067aa0ba902b7"
	traceparent = "00-" + proxyTrace + "-" + proxySpan + "-01"
)

// collector takes traces as an OpenTelemetry collector does: OTLP over HTTP, in protobuf.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*tracepb.Span
	raw   bytes.Buffer
}

func newCollector() *collector {
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var export collectorpb.ExportTraceServiceRequest
		if r.URL.Path != "/v1/traces" || err != nil || proto.Unmarshal(body, &export) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.raw.Write(body)
		for _, from := range export.GetResourceSpans() {
			for _, scope := range from.GetScopeSpans() {
				c.spans = append(c.spans, scope.GetSpans()...)
			}
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	DeferCleanup(c.Close)
	return c
}

// span is a span as the specs look at it.
type span struct {
	ID, Parent, Trace string
	Links             []string
	Attributes        map[string]string
}

// named returns the spans of that name that have come in.
func (c *collector) named(name string) (found []span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if s.GetName() != name {
			continue
		}
		one := span{hex.EncodeToString(s.GetSpanId()), hex.EncodeToString(s.GetParentSpanId()), hex.EncodeToString(s.GetTraceId()), nil, map[string]string{}}
		for _, l := range s.GetLinks() {
			one.Links = append(one.Links, hex.EncodeToString(l.GetTraceId()))
		}
		for _, a := range s.GetAttributes() {
			one.Attributes[a.GetKey()] = a.GetValue().GetStringValue()
		}
		found = append(found, one)
	}
	return found
}

// traced makes a namespace with a directory, a role for a group, and a webhook that is told who has it.
func traced(ctx context.Context, name string, hook *httptest.Server) {
	GinkgoHelper()
	meta := func(object string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: name, Name: object} }
	for _, object := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}},
		&corev1.Secret{ObjectMeta: meta("token"), Type: v1alpha1.TokenSecretType, StringData: map[string]string{v1alpha1.TokenSecretKey: tracedToken}},
		&v1alpha1.ScimDirectory{ObjectMeta: meta("okta"), Spec: v1alpha1.ScimDirectorySpec{
			Primary: true, Tokens: []v1alpha1.DirectoryToken{{Name: "production", SecretRef: v1alpha1.SecretReference{Name: "token"}}},
		}},
		&v1alpha1.AppRole{ObjectMeta: meta("admin"), Spec: v1alpha1.AppRoleSpec{GrantedTo: []v1alpha1.GroupSelector{{DisplayName: "Crown"}}}},
		&corev1.Secret{ObjectMeta: meta("hook"), Type: v1alpha1.TargetSecretType, StringData: map[string]string{
			"signingSecret":            "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), 32)),
			v1alpha1.TargetSecretCAKey: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: hook.Certificate().Raw})),
		}},
		&v1alpha1.AppTarget{ObjectMeta: meta("hook"), Spec: v1alpha1.AppTargetSpec{
			Mode: v1alpha1.TargetEnforce, Webhook: &v1alpha1.WebhookTarget{URL: hook.URL, Credentials: v1alpha1.TargetSecretReference{Name: "hook"}},
		}},
	} {
		Expect(installed.Admin.Create(ctx, object)).To(Succeed())
	}
}

// call makes a request to a directory of a namespace, and returns the answer and its body.
func (o demo) call(namespace, method, path, body string, headers ...string) (*http.Response, string) {
	GinkgoHelper()
	r, err := http.NewRequest(method, o.URL+"/scim/v2/"+namespace+"/okta"+path, strings.NewReader(body))
	Expect(err).NotTo(HaveOccurred())
	r.Header.Set("Authorization", "Bearer "+tracedToken)
	r.Header.Set("Content-Type", "application/scim+json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	Expect(err).NotTo(HaveOccurred())
	Expect(response.StatusCode).To(BeNumerically("<", 300), string(text))
	return response, string(text)
}

func idIn(body string) string {
	GinkgoHelper()
	var resource struct{ ID string }
	Expect(json.Unmarshal([]byte(body), &resource)).To(Succeed())
	return resource.ID
}

// marks are the marks of traces on a namespace's objects.
func marks(ctx context.Context, namespace string) (found []string) {
	GinkgoHelper()
	for _, list := range []client.ObjectList{&v1alpha1.ScimUserList{}, &v1alpha1.ScimGroupList{}, &v1alpha1.ScimMemberSliceList{}, &v1alpha1.AppMembershipList{}} {
		Expect(installed.Admin.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
		text, err := json.Marshal(list)
		Expect(err).NotTo(HaveOccurred())
		var objects struct {
			Items []struct {
				Metadata struct{ Annotations map[string]string }
			}
		}
		Expect(json.Unmarshal(text, &objects)).To(Succeed())
		for _, o := range objects.Items {
			if mark, ok := o.Metadata.Annotations[v1alpha1.TraceparentAnnotation]; ok {
				found = append(found, mark)
			}
		}
	}
	return found
}

var _ = Describe("Tracing", func() {
	It("leads from a request to what took effect, and names nobody", func(ctx context.Context) {
		const place = "traced"
		var told sync.Map // the traces in which events of each type were told
		hook := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var event struct{ Type string }
			if json.NewDecoder(r.Body).Decode(&event) == nil {
				told.Store(event.Type, r.Header.Get("Traceparent"))
			}
			w.WriteHeader(http.StatusNoContent)
		}))
		DeferCleanup(hook.Close)
		traced(ctx, place, hook)
		c := newCollector()
		GinkgoT().Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.URL)
		GinkgoT().Setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
		// Of requests that come without a trace, none is recorded; of the others, all that follows is.
		GinkgoT().Setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
		GinkgoT().Setenv("OTEL_TRACES_SAMPLER_ARG", "0")
		o := launch(operator.FreeAddress(), "--trust-forwarded-headers", "--target-networks=127.0.0.0/8")

		By("giving somebody a role, in requests that are not traced")
		_, body := o.call(place, http.MethodPost, "/Users",
			`{"userName":"ada@example.com","name":{"familyName":"Lovelace"},"emails":[{"value":"countess@example.org"}]}`)
		ada := idIn(body)
		_, body = o.call(place, http.MethodPost, "/Groups", `{"displayName":"Crown","members":[{"value":"`+ada+`"}]}`)
		group := "/Groups/" + idIn(body)
		Eventually(func() bool { _, ok := told.Load("role.granted"); return ok }).Should(BeTrue())
		Expect(marks(ctx, place)).To(BeEmpty())

		By("taking it away, in one that is")
		remove := `{"Operations":[{"op":"remove","path":"members[value eq \"` + ada + `\"]"}]}`
		o.call(place, http.MethodPatch, group, remove, "Traceparent", traceparent, "X-Request-Id", "r-taken", "User-Agent", "Lovelace/1.0")

		By("finding the request, the store, and the calls of the API server in the proxy's trace")
		request := span{}
		Eventually(func(g Gomega) {
			found := c.named("PATCH /scim/v2/{namespace}/{directory}/Groups/{id}")
			g.Expect(found).To(HaveLen(1))
			request = found[0]
		}).Should(Succeed())
		Expect(request.Trace).To(Equal(proxyTrace))
		Expect(request.Parent).To(Equal(proxySpan))
		Expect(request.Attributes).To(And(HaveKeyWithValue("scim.request", "r-taken"), HaveKeyWithValue("scim.directory", "okta"),
			HaveKeyWithValue("scim.token", "production"), HaveKeyWithValue("k8s.namespace.name", place),
			HaveKeyWithValue("scim.resource", strings.TrimPrefix(group, "/Groups/"))))
		change := c.named("change members")
		Expect(change).To(HaveLen(1))
		Expect(change[0].Parent).To(Equal(request.ID))
		Expect(c.named("wait for the index")).To(ContainElement(HaveField("Parent", change[0].ID)))
		Expect(c.named("Kubernetes PUT")).To(ContainElement(And(HaveField("Parent", change[0].ID), HaveField("Trace", proxyTrace))))
		Expect(o.Log).To(gbytes.Say(`"request":"r-taken".*"trace_id":"` + proxyTrace + `"`))

		By("finding what followed, linked to it")
		follows := HaveField("Links", ContainElement(proxyTrace))
		Eventually(func() []span { return c.named("reconcile membership") }).Should(
			ContainElement(And(follows, HaveField("Attributes", HaveKeyWithValue("scim.resource", ada)))))
		Expect(c.named("Kubernetes PATCH")).To(ContainElement(HaveField("Parent", c.named("reconcile membership")[0].ID)))
		Eventually(func() []span { return c.named("reconcile target") }).Should(
			ContainElement(And(follows, HaveField("Attributes", HaveKeyWithValue("scim.target", "hook")))))
		target, revoke := c.named("reconcile target")[0], c.named("revoke")
		Expect(revoke).To(HaveLen(1))
		Expect(revoke[0].Parent).To(Equal(target.ID))
		Expect(c.named("POST")).To(ContainElement(HaveField("Parent", revoke[0].ID)))
		toldIn, _ := told.Load("role.revoked")
		Expect(toldIn).To(HavePrefix("00-" + target.Trace + "-"))
		Expect(marks(ctx, place)).To(ContainElement(HavePrefix("00-" + proxyTrace + "-")))

		By("changing nothing, in another trace")
		before := marks(ctx, place)
		answered, shown := o.call(place, http.MethodGet, group, "")
		o.call(place, http.MethodPatch, group, remove, "Traceparent", strings.Replace(traceparent, proxyTrace, strings.Repeat("a", 32), 1))
		again, _ := o.call(place, http.MethodGet, group, "")
		Expect(again.Header.Get("ETag")).To(Equal(answered.Header.Get("ETag")))
		Expect(marks(ctx, place)).To(Equal(before))
		Expect(shown).NotTo(ContainSubstring(proxyTrace))

		By("changing something, in none")
		o.call(place, http.MethodPatch, group, `{"Operations":[{"op":"replace","path":"externalId","value":"00g1"}]}`)
		Expect(c.named("reconcile membership")).To(HaveEach(HaveField("Links", ContainElement(proxyTrace))))

		By("tracing each operation of a bulk request")
		o.call(place, http.MethodPost, "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
			{"method":"POST","path":"/Users","bulkId":"1","data":{"userName":"grace@example.org"}}]}`,
			"Traceparent", strings.Replace(traceparent, proxyTrace, strings.Repeat("b", 32), 1))
		Eventually(func(g Gomega) {
			bulk, operation := c.named("POST /scim/v2/{namespace}/{directory}/Bulk"), c.named("POST /scim/v2/Users")
			g.Expect(bulk).To(HaveLen(1))
			g.Expect(operation).To(ConsistOf(HaveField("Parent", bulk[0].ID)))
		}).Should(Succeed())

		By("having told the collector no name and no address")
		o.Signal(syscall.SIGTERM)
		Eventually(o.Exited, 35*time.Second).Should(BeClosed())
		for _, name := range []string{"ada@", "grace@", "Lovelace", "countess@", "example.org", "Crown", tracedToken} {
			Expect(c.raw.String()).NotTo(ContainSubstring(name))
		}
	})

	It("holds nobody up when the collector is away, and says so", func(ctx context.Context) {
		hook := httptest.NewTLSServer(http.NotFoundHandler())
		DeferCleanup(hook.Close)
		traced(ctx, "untold", hook)
		GinkgoT().Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+operator.FreeAddress())
		GinkgoT().Setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
		GinkgoT().Setenv("OTEL_BSP_EXPORT_TIMEOUT", "200")
		o := launch(operator.FreeAddress())
		o.call("untold", http.MethodPost, "/Users", `{"userName":"ada@example.com"}`, "Traceparent", traceparent)
		Expect(marks(ctx, "untold")).To(And(Not(BeEmpty()), Not(ContainElement(ContainSubstring(proxyTrace)))),
			"who is not trusted says in no way which trace it is")
		Eventually(o.Log).Should(gbytes.Say("Traces do not reach the collector.*OTEL_EXPORTER_OTLP_ENDPOINT"))
		o.Signal(syscall.SIGTERM)
		Eventually(o.Exited, 35*time.Second).Should(BeClosed())
		Expect(o.Failure).NotTo(HaveOccurred())
	})

	It("is off unless there is a collector", func(ctx context.Context) {
		hook := httptest.NewTLSServer(http.NotFoundHandler())
		DeferCleanup(hook.Close)
		traced(ctx, "untraced", hook)
		o := launch(operator.FreeAddress(), "--trust-forwarded-headers")
		o.call("untraced", http.MethodPost, "/Users", `{"userName":"ada@example.com"}`, "Traceparent", traceparent)
		Expect(marks(ctx, "untraced")).To(BeEmpty())
		Expect(o.Log).NotTo(gbytes.Say("trace_id"))
	})
})

func TestTracingAsTheEnvironmentSays(t *testing.T) {
	const generic, own = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	for name, c := range map[string]struct {
		env     map[string]string
		on      bool
		problem string
	}{
		"nothing":               {},
		"a collector":           {env: map[string]string{generic: "http://otel-collector:4318"}, on: true},
		"one for traces":        {env: map[string]string{own: "https://traces.example.com/v1/traces"}, on: true},
		"no scheme":             {env: map[string]string{generic: "otel-collector:4318"}, problem: generic},
		"no scheme, for traces": {env: map[string]string{generic: "http://x", own: "x:4318"}, problem: own},
		"gRPC":                  {env: map[string]string{generic: "http://x:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, problem: "4318"},
		"another exporter":      {env: map[string]string{generic: "http://x", "OTEL_TRACES_EXPORTER": "zipkin"}, problem: "otlp"},
		"the exporter we have":  {env: map[string]string{generic: "http://x", "OTEL_TRACES_EXPORTER": "otlp"}, on: true},
		"no exporter":           {env: map[string]string{generic: "x", "OTEL_TRACES_EXPORTER": "none"}},
		"switched off":          {env: map[string]string{generic: "http://x", "OTEL_SDK_DISABLED": "true"}},
	} {
		on, err := tracingWanted(func(key string) string { return c.env[key] })
		if on != c.on || (err == nil) != (c.problem == "") || err != nil && !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%s: %v, %v", name, on, err)
		}
	}
}
