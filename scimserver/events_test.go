package scimserver_test

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver"
	"github.com/scim-operator/scim-operator/scimserver/store"
)

// announced gives a tenant a replica of its own that writes events.
func (t *tenant) announced(ctx SpecContext) {
	GinkgoHelper()
	clients, err := kubernetes.NewForConfig(config)
	Expect(err).NotTo(HaveOccurred())
	broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: clients.EventsV1()})
	Expect(broadcaster.StartRecordingToSinkWithContext(ctx)).To(Succeed())
	DeferCleanup(broadcaster.Shutdown)
	replica, err := store.New(config, store.Options{
		MaxStaleness: time.Minute, Log: logr.Discard(), Events: broadcaster.NewRecorder(cluster.Scheme(), "scim-operator"),
	})
	Expect(err).NotTo(HaveOccurred())
	start(replica)
	t.url = serve(replica, scimserver.Options{}).URL
}

// events are what was told of an object, as reason and note, without regard to order.
func (t *tenant) events(ctx SpecContext, kind, name string) func() []string {
	return func() []string {
		GinkgoHelper()
		var list eventsv1.EventList
		Expect(cluster.List(ctx, &list, client.InNamespace(t.namespace))).To(Succeed())
		told := []string{}
		for _, e := range list.Items {
			if e.Regarding.Kind != kind || e.Regarding.Name != name {
				continue
			}
			Expect(e.Series).To(BeNil(), "each change has an event of its own: %s", e.Note)
			Expect(e.Regarding.UID).NotTo(BeEmpty())
			Expect(e.ReportingController).To(Equal("scim-operator"))
			told = append(told, e.Type+" "+e.Reason+" "+e.Note)
		}
		return told
	}
}

var _ = Describe("Events", func() {
	It("tell what became of a user, by which directory and request", func(ctx SpecContext) {
		t := newTenant(ctx)
		t.announced(ctx)
		call := func(request, method, path, body string) *answer {
			return t.call(method, path, body, "X-Request-Id", request)
		}
		id := call("r-1", http.MethodPost, "/Users", `{"userName":"secret.name"}`).id()
		call("r-2", http.MethodPatch, "/Users/"+id, `{"Operations":[{"op":"replace","value":{"title":"secret","name":{"givenName":"secret"}}}]}`)
		call("r-3", http.MethodPatch, "/Users/"+id, `{"Operations":[{"op":"replace","value":{"title":"secret"}}]}`)
		call("r-4", http.MethodPatch, "/Users/"+id, `{"Operations":[{"op":"replace","value":{"active":false}}]}`)
		call("r-5", http.MethodPatch, "/Users/"+id, `{"Operations":[{"op":"replace","value":{"active":true}}]}`)
		call("r-6", http.MethodPatch, "/Users/"+id, `{"Operations":[{"op":"replace","value":{"active":false}}]}`)
		call("r-7", http.MethodPatch, "/Users/"+id, `{"Operations":[{"op":"replace","value":{"userName":{}}}]}`)
		call("r-8", http.MethodDelete, "/Users/"+id, "")
		Eventually(t.events(ctx, "ScimUser", id)).WithTimeout(10 * time.Second).Should(ConsistOf(
			"Normal UserCreated Created by directory okta, request r-1",
			"Normal UserUpdated Updated by directory okta, request r-2: name.givenName, title",
			"Normal UserDeactivated Deactivated by directory okta, request r-4: active",
			"Normal UserReactivated Reactivated by directory okta, request r-5: active",
			"Normal UserDeactivated Deactivated by directory okta, request r-6: active",
			"Normal UserDeleted Deleted by directory okta, request r-8",
		))
	})

	It("tell on the group and on the member who came and went", func(ctx SpecContext) {
		t := newTenant(ctx)
		user := t.addUser("ada")
		t.announced(ctx)
		group := t.call(http.MethodPost, "/Groups", `{"displayName":"Engineers"}`, "X-Request-Id", "r-1").id()
		member := func(request, op string) {
			t.call(http.MethodPatch, "/Groups/"+group, `{"Operations":[{"op":"`+op+`","path":"members","value":[{"value":"`+user+`"}]},
				{"op":"replace","path":"displayName","value":"Engineers"}]}`, "X-Request-Id", request)
		}
		member("r-2", "add")
		member("r-3", "add")
		member("r-4", "remove")
		member("r-5", "add")
		t.call(http.MethodDelete, "/Groups/"+group, nil, "X-Request-Id", "r-6")
		Eventually(t.events(ctx, "ScimGroup", group)).WithTimeout(10 * time.Second).Should(ConsistOf(
			"Normal GroupCreated Created by directory okta, request r-1",
			"Normal MemberAdded Member "+user+" added by directory okta, request r-2",
			"Normal MemberRemoved Member "+user+" removed by directory okta, request r-4",
			"Normal MemberAdded Member "+user+" added by directory okta, request r-5",
			"Normal GroupDeleted Deleted by directory okta, request r-6",
			"Normal MemberRemoved Member "+user+" removed by directory okta, request r-6",
		))
		Eventually(t.events(ctx, "ScimUser", user)).WithTimeout(10 * time.Second).Should(ConsistOf(
			"Normal MemberAdded Added to ScimGroup/"+group+" by directory okta, request r-2",
			"Normal MemberRemoved Removed from ScimGroup/"+group+" by directory okta, request r-4",
			"Normal MemberAdded Added to ScimGroup/"+group+" by directory okta, request r-5",
			"Normal MemberRemoved Removed from ScimGroup/"+group+" by directory okta, request r-6",
		))
	})

	It("tell of a push of many members once", func(ctx SpecContext) {
		t := newTenant(ctx)
		ids := []string{}
		for i := range 101 {
			ids = append(ids, t.addUser(fmt.Sprintf("user-%d", i)))
		}
		t.announced(ctx)
		group := t.addGroup("Everybody", ids...)
		t.patch("/Groups/"+group, `{"op":"remove","path":"members[value eq \"`+ids[0]+`\"]"}`)
		Eventually(t.events(ctx, "ScimGroup", group)).WithTimeout(10 * time.Second).Should(ConsistOf(
			HavePrefix("Normal GroupCreated Created by directory okta"),
			HavePrefix("Normal MemberAdded 101 members added by directory okta"),
			HavePrefix("Normal MemberRemoved Member "+ids[0]+" removed by directory okta"),
		))
		Expect(t.events(ctx, "ScimUser", ids[1])()).To(BeEmpty())
	})

	It("tell which box to tick when a token lacks a scope, once a minute", func(ctx SpecContext) {
		t := newTenant(ctx, func(d *v1alpha1.ScimDirectory) { d.Spec.Tokens[0].Scopes = []v1alpha1.TokenScope{v1alpha1.ScopeRead} })
		t.announced(ctx)
		for range 5 {
			a := t.call(http.MethodPost, "/Users", `{"userName":"ada"}`)
			Expect(a.status).To(Equal(http.StatusForbidden))
			Expect(a.body).To(HaveKeyWithValue("detail", And(ContainSubstring(`the token "okta" lacks the scope Write`), ContainSubstring("add Write to spec.tokens[name=okta].scopes"))))
		}
		var told []string
		Eventually(func() []string {
			told = t.events(ctx, "ScimDirectory", "okta")()
			return told
		}).WithTimeout(10 * time.Second).Should(ConsistOf(And(
			HavePrefix("Warning TokenScopeMissing "), ContainSubstring(`"Read and write SCIM"`), ContainSubstring("add Write to spec.tokens[name=okta].scopes"))))
		Expect(strings.Join(told, "")).NotTo(ContainSubstring(t.token))
	})
})

var _ = Describe("The status of a directory", func() {
	tokens := func(ctx SpecContext, t *tenant) func() []v1alpha1.DirectoryTokenStatus {
		return func() []v1alpha1.DirectoryTokenStatus {
			GinkgoHelper()
			var d v1alpha1.ScimDirectory
			Expect(cluster.Get(ctx, client.ObjectKey{Namespace: t.namespace, Name: t.directory}, &d)).To(Succeed())
			return d.Status.Tokens
		}
	}

	It("says when each token was used", func(ctx SpecContext) {
		t := newTenant(ctx)
		Expect(tokens(ctx, t)()).To(BeEmpty())
		t.get("/Users")
		Eventually(tokens(ctx, t)).WithTimeout(15 * time.Second).Should(HaveExactElements(And(
			HaveField("Name", "okta"), HaveField("LastUsedTime.Time", BeTemporally("~", time.Now(), 30*time.Second)),
			HaveField("UsedSecretVersion", Not(BeEmpty())), HaveField("LastFailureTime", BeNil()))))
	})

	It("says why a token was refused last", func(ctx SpecContext) {
		reader := newTenant(ctx, func(d *v1alpha1.ScimDirectory) { d.Spec.Tokens[0].Scopes = []v1alpha1.TokenScope{v1alpha1.ScopeRead} })
		reader.call(http.MethodDelete, "/Users/1", nil)
		expired := newTenant(ctx)
		var d v1alpha1.ScimDirectory
		Expect(cluster.Get(ctx, client.ObjectKey{Namespace: expired.namespace, Name: "okta"}, &d)).To(Succeed())
		d.Spec.Tokens[0].ExpirationTime = new(metav1.NewTime(time.Now().Add(-time.Minute)))
		Expect(cluster.Update(ctx, &d)).To(Succeed())
		Eventually(func() int { return expired.get("/Users").status }).WithTimeout(10 * time.Second).Should(Equal(http.StatusUnauthorized))
		Eventually(tokens(ctx, reader)).WithTimeout(15 * time.Second).Should(HaveExactElements(And(
			HaveField("LastFailureReason", v1alpha1.TokenFailureScopeMissing), HaveField("LastUsedTime", BeNil()))))
		Eventually(tokens(ctx, expired)).WithTimeout(15 * time.Second).Should(HaveExactElements(
			HaveField("LastFailureReason", v1alpha1.TokenFailureExpired)))
	})

	It("says of an expired token nothing to a guesser, and its name to the audit log", func(ctx SpecContext) {
		t := newTenant(ctx, func(d *v1alpha1.ScimDirectory) { d.Spec.Tokens[0].Scopes = []v1alpha1.TokenScope{v1alpha1.ScopeRead} })
		log := t.audited(scimserver.Options{})
		t.call(http.MethodPost, "/Groups", `{"displayName":"x"}`)
		Expect(log.only()).To(And(is("GroupCreated", "ScimGroup", 403), HaveKeyWithValue("token", "okta")))
		var d v1alpha1.ScimDirectory
		Expect(cluster.Get(ctx, client.ObjectKey{Namespace: t.namespace, Name: "okta"}, &d)).To(Succeed())
		d.Spec.Tokens[0].ExpirationTime = new(metav1.NewTime(time.Now().Add(-time.Minute)))
		Expect(cluster.Update(ctx, &d)).To(Succeed())
		Eventually(func() int { return t.get("/Users").status }).WithTimeout(10 * time.Second).Should(Equal(http.StatusUnauthorized))
		a := t.call(http.MethodPost, "/Groups", `{"displayName":"x"}`)
		Expect(a.text).To(Equal(t.call(http.MethodPost, "/Groups", `{"displayName":"x"}`, "Authorization", "Bearer unknown").text))
		Expect(log.only()).To(And(is("GroupCreated", "ScimGroup", 401), HaveKeyWithValue("token", "okta")))
	})
})
