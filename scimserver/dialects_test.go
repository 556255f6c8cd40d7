package scimserver_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver"
	"github.com/scim-operator/scim-operator/scimserver/store"
)

// What identity providers send beside, or against, the RFCs. The replayers play the whole of each; the specs here say line by
// line what a provider relies on.

// found are the ids that a lookup selects.
func (t *tenant) found(endpoint, filter string, parameters ...string) []string {
	GinkgoHelper()
	a := t.get(endpoint + "?filter=" + url.QueryEscape(filter) + strings.Join(parameters, ""))
	Expect(a.status).To(Equal(http.StatusOK), "%s: %s", filter, a)
	ids := []string{}
	for _, r := range a.resources() {
		ids = append(ids, r["id"].(string))
	}
	Expect(a.body["totalResults"]).To(Equal(jsonNumber(fmt.Sprint(len(ids)))), filter)
	return ids
}

// sliceReads counts how often an object with members of a group is read from the API server.
type sliceReads struct {
	http.RoundTripper
	count atomic.Int64
}

func (s *sliceReads) wrap(next http.RoundTripper) http.RoundTripper {
	s.RoundTripper = next
	return s
}

// RoundTrip counts, and passes on.
func (s *sliceReads) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.URL.Path, "/scimmemberslices/") {
		s.count.Add(1)
	}
	return s.RoundTripper.RoundTrip(r)
}

var _ = Describe("Okta's dialect", func() {
	It("tests the credentials with startIndex and count: numbers are numbers, itemsPerPage is what came, totalResults all", func(ctx SpecContext) {
		t := newTenant(ctx)
		for _, name := range []string{"a", "b", "c"} {
			t.addUser(name)
		}
		users := t.get("/Users?startIndex=1&count=2")
		Expect(users.status).To(Equal(http.StatusOK))
		Expect(users.text).To(SatisfyAll(
			ContainSubstring(`"totalResults":3,`), ContainSubstring(`"itemsPerPage":2,`), ContainSubstring(`"startIndex":1,`)))
		Expect(users.resources()).To(HaveLen(2))
		groups := t.get("/Groups?startIndex=1&count=100")
		Expect(groups.text).To(SatisfyAll(
			ContainSubstring(`"totalResults":0,`), ContainSubstring(`"itemsPerPage":0,`), ContainSubstring(`"Resources":[]`)))
	})

	DescribeTable("puts the token into the header", func(ctx SpecContext, form string) {
		t := newTenant(ctx)
		Expect(t.get("/Users", "Authorization", fmt.Sprintf(form, t.token)).status).To(Equal(http.StatusOK))
	},
		Entry("raw, in header mode", "%s"),
		Entry("with the scheme, in bearer mode", "Bearer %s"),
		Entry("pasted with the scheme into header mode", "bearer %s"),
		Entry("pasted with the scheme into bearer mode", "Bearer bearer %s"),
		Entry("pasted in capitals into bearer mode", "Bearer BEARER %s"),
	)

	It("never sees a password again, nor does anybody else: not in answers, objects or logs", func(ctx SpecContext) {
		const secret = "cor-rect-horse"
		log := gbytes.NewBuffer()
		t := newTenant(ctx)
		t.url = serve(storage, scimserver.Options{Log: slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))}).URL
		answers := []*answer{t.call(http.MethodPost, "/Users", `{"userName":"ada","externalId":"00u1","groups":[],"password":"`+secret+`"}`)}
		Expect(answers[0].status).To(Equal(http.StatusCreated), answers[0].String())
		Expect(answers[0].id()).NotTo(BeEmpty())
		path := "/Users/" + answers[0].id()
		answers = append(answers,
			t.call(http.MethodPost, "/Users", `{"userName":"bob","PassWord":"`+secret+`"}`),
			t.call(http.MethodPost, "/Users", `{"userName":"eve","urn:ietf:params:scim:schemas:core:2.0:User:password":"`+secret+`"}`),
			t.call(http.MethodPost, "/Users", `{"password":"`+secret+`"}`),
			t.call(http.MethodPost, "/Users", `{"userName":"mal","password":{"x":"`+secret+`"}}`),
			t.call(http.MethodPost, "/Users", `{"userName":"mal","password":"`+secret),
			t.call(http.MethodPut, path, `{"userName":"ada","title":"x","password":"`+secret+`"}`),
			t.patch(path, `{"op":"replace","path":"password","value":"`+secret+`"}`),
			t.patch(path, `{"op":"replace","value":{"password":"`+secret+`","title":"y"}}`),
			t.patch(path, `{"op":"add","path":"urn:ietf:params:scim:schemas:core:2.0:User:password","value":"`+secret+`"}`),
			t.get(path+"?attributes=password"),
			t.get("/Users?filter="+url.QueryEscape(`password eq "`+secret+`"`)),
			t.get("/Users?attributes=userName,password"),
			t.get("/Users"),
		)
		for i, a := range answers {
			Expect(a.status).To(BeNumerically("<", 500), "%d: %s", i, a)
			Expect(a.text).NotTo(ContainSubstring(secret), "%d", i)
		}
		Expect(t.get(path).body).To(SatisfyAll(HaveKeyWithValue("title", "y"), Not(HaveKey("password"))))

		users := &v1alpha1.ScimUserList{}
		Expect(cluster.List(ctx, users, client.InNamespace(t.namespace))).To(Succeed())
		Expect(users.Items).NotTo(BeEmpty())
		objects, err := json.Marshal(users)
		Expect(err).NotTo(HaveOccurred())
		Expect(string(objects)).NotTo(SatisfyAny(ContainSubstring(secret), MatchRegexp(`(?i)password`)))
		Eventually(func() int { return strings.Count(string(log.Contents()), `"SCIM request"`) }).Should(Equal(len(answers) + 1))
		Expect(string(log.Contents())).NotTo(ContainSubstring(secret))
	})

	It("puts a whole user back with id, meta, groups and unknown attributes, and a group without id", func(ctx SpecContext) {
		t := newTenant(ctx)
		user := t.addUser("ada")
		group := t.addGroup("G", user)
		whole := t.get("/Users/" + user).body
		Expect(whole).To(SatisfyAll(HaveKey("meta"), HaveKey("groups")))
		whole["shoeSize"], whole["title"] = 42, "Countess"
		a := t.call(http.MethodPut, "/Users/"+user, whole)
		Expect(a.status).To(Equal(http.StatusOK), a.String())
		Expect(a.body).To(SatisfyAll(HaveKeyWithValue("title", "Countess"), HaveKeyWithValue("groups", HaveLen(1)), HaveKeyWithValue("id", user)))

		a = t.call(http.MethodPut, "/Groups/"+group, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"H","members":[{"value":"`+user+`","display":"ada"}]}`)
		Expect(a.status).To(Equal(http.StatusOK), a.String())
		Expect(a.body).To(SatisfyAll(HaveKeyWithValue("id", group), HaveKeyWithValue("displayName", "H"), HaveKeyWithValue("members", HaveLen(1))))
	})

	It("unassigns by active false: the user stays found, listed and counted", func(ctx SpecContext) {
		t := newTenant(ctx)
		id := t.addUser("ada")
		Expect(t.patch("/Users/"+id, `{"op":"replace","value":{"active":false}}`).status).To(Equal(http.StatusOK))
		Expect(t.get("/Users/" + id).body).To(HaveKeyWithValue("active", false))
		Expect(t.found("/Users", `userName eq "ada"`, "&startIndex=1&count=100")).To(ConsistOf(id))
		Expect(t.get("/Users?startIndex=1&count=100").resources()).To(ConsistOf(HaveKeyWithValue("active", false)))
	})

	DescribeTable("assigns again, and the user comes back under the old id",
		func(ctx SpecContext, method, body string, status int) {
			t := newTenant(ctx)
			id := t.call(http.MethodPost, "/Users", `{"userName":"ada","externalId":"00u1","active":false}`).id()
			path := "/Users"
			if method != http.MethodPost {
				path += "/" + id
			}
			a := t.call(method, path, body)
			Expect(a.status).To(Equal(status), a.String())
			Expect(a.body).To(SatisfyAll(HaveKeyWithValue("id", id), HaveKeyWithValue("active", true)))
			Expect(t.get("/Users").resources()).To(HaveLen(1))
			again := t.call(http.MethodPost, "/Users", `{"userName":"ADA","externalId":"00u1"}`)
			Expect(again.status).To(Equal(http.StatusConflict), "the user is active now")
			Expect(again.scimType()).To(Equal("uniqueness"))
		},
		Entry("by PATCH", http.MethodPatch, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","value":{"active":true}}]}`, 200),
		Entry("by PUT", http.MethodPut, `{"userName":"ada","externalId":"00u1","active":true}`, 200),
		Entry("by a fresh POST", http.MethodPost, `{"userName":"ada","externalId":"00u1","active":true,"groups":[],"password":"x"}`, 201),
		Entry("by a fresh POST of the userName in other case", http.MethodPost, `{"userName":"Ada","externalId":"00u1","active":true}`, 201),
	)

	It("renames a group by its id in the value, exchanges members and pushes all, without type", func(ctx SpecContext) {
		t := newTenant(ctx)
		ada, bob := t.addUser("ada"), t.addUser("bob")
		group := t.addGroup("Old", ada)
		for _, step := range []struct {
			operations []string
			members    []string
		}{
			{[]string{`{"op":"replace","value":{"id":"` + group + `","displayName":"New"}}`}, []string{ada}},
			{[]string{`{"op":"remove","path":"members[value eq \"` + ada + `\"]"}`, `{"op":"add","path":"members","value":[{"value":"` + bob + `","display":"bob"}]}`}, []string{bob}},
			{[]string{`{"op":"replace","path":"members","value":[{"value":"` + ada + `","display":"ada"}]}`}, []string{ada}},
			{[]string{`{"op":"replace","value":{"members":[{"value":"` + ada + `"},{"value":"` + bob + `"}]}}`}, []string{ada, bob}},
		} {
			a := t.patch("/Groups/"+group, step.operations...)
			Expect(a.status).To(Equal(http.StatusNoContent), a.String())
			Expect(t.members(group)).To(ConsistOf(step.members))
		}
		Expect(t.get("/Groups/" + group).body).To(HaveKeyWithValue("displayName", "New"))
	})

	It("imports pages that nothing moves: neither who comes nor who is deactivated meanwhile", func(ctx SpecContext) {
		t := newTenant(ctx)
		var made, seen []string
		for i := range 6 {
			made = append(made, t.addUser(fmt.Sprint("user", i)))
		}
		for page := range 3 {
			a := t.get(fmt.Sprintf("/Users?startIndex=%d&count=2", 2*page+1))
			Expect(a.body["totalResults"]).To(Equal(jsonNumber(fmt.Sprint(6+page))), "the inactive count, too")
			for _, u := range a.resources() {
				seen = append(seen, u["id"].(string))
			}
			t.patch("/Users/"+made[page], `{"op":"replace","value":{"active":false}}`)
			t.addUser(fmt.Sprint("late", page))
		}
		Expect(seen).To(ConsistOf(made))
	})

	It("is told by an integer Retry-After when to come again after 429", func(ctx SpecContext) {
		t := newTenant(ctx)
		t.url = serve(storage, scimserver.Options{RequestsPerSecond: 0.5}).URL
		var a *answer
		Eventually(func() int { a = t.get("/Users"); return a.status }).Should(Equal(http.StatusTooManyRequests))
		Expect(a.header.Get("Retry-After")).To(MatchRegexp(`^[12]$`))
		Expect(a.body).To(HaveKeyWithValue("status", "429"))
	})

	It("finds a userName in any case", func(ctx SpecContext) {
		t := newTenant(ctx)
		Expect(t.found("/Users", `userName eq "ADA@EXAMPLE.COM"`, "&startIndex=1&count=100")).To(BeEmpty())
		id := t.addUser("Ada@Example.com")
		Expect(t.found("/Users", `userName eq "ADA@EXAMPLE.COM"`, "&startIndex=1&count=100")).To(ConsistOf(id))
	})
})

var _ = Describe("Microsoft Entra ID's dialect", func() {
	// Both forms of everything that the compliance flag changes.
	DescribeTable("changes a user, with capital op names and strings or without",
		func(ctx SpecContext, query string, operations []string, want string) {
			t := newTenant(ctx)
			id := t.call(http.MethodPost, "/Users", `{"userName":"ada","externalId":"old","displayName":"Ada","active":true,"roles":[]}`).id()
			a := t.call(http.MethodPatch, "/Users/"+id+query, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`+strings.Join(operations, ",")+`]}`)
			Expect(a.status).To(Equal(http.StatusOK), a.String())
			var expected map[string]any
			Expect(json.Unmarshal([]byte(want), &expected)).To(Succeed())
			for name, value := range expected {
				Expect(a.body[name]).To(BeEquivalentTo(value), name)
			}
			Expect(a.body).To(SatisfyAll(HaveKeyWithValue("userName", "ada"), HaveKey("displayName")), "the rest stays")
			Expect(t.get("/Users/" + id).body).To(Equal(a.body))
		},
		Entry("active as a string", "", []string{`{"op":"Replace","path":"active","value":"False"}`}, `{"active":false}`),
		Entry("active as a string, and back", "", []string{`{"op":"Replace","path":"active","value":"False"}`, `{"op":"Replace","path":"active","value":"True"}`}, `{"active":true}`),
		Entry("active as a Boolean, under the flag", "?aadOptscim062020", []string{`{"op":"replace","path":"active","value":false}`}, `{"active":false}`),
		Entry("active by Add", "", []string{`{"op":"Add","path":"active","value":"False"}`}, `{"active":false}`),
		Entry("externalId by Add", "", []string{`{"op":"Add","path":"externalId","value":"new"}`}, `{"externalId":"new"}`),
		Entry("dotted and URN keys in a value without path, under the flag", "?aadOptscim062020",
			[]string{`{"op":"replace","value":{"displayName":"x","name.givenName":"y","` + enterprise + `:employeeNumber":"7"}}`},
			`{"displayName":"x","name":{"givenName":"y"},"`+enterprise+`":{"employeeNumber":"7"}}`),
		Entry("a work address that was not there", "",
			[]string{`{"op":"Replace","path":"emails[type eq \"work\"].value","value":"a@b.example"}`},
			`{"emails":[{"type":"work","value":"a@b.example"}]}`),
		Entry("a work address that was there", "",
			[]string{`{"op":"Add","path":"emails","value":[{"type":"work","value":"x"},{"type":"home","value":"h"}]}`, `{"op":"Replace","path":"emails[type eq \"work\"].value","value":"y"}`},
			`{"emails":[{"type":"work","value":"y"},{"type":"home","value":"h"}]}`),
		Entry("the manager as a string", "", []string{`{"op":"Add","path":"` + enterprise + `:manager","value":"m1"}`}, `{"`+enterprise+`":{"manager":{"value":"m1"}}}`),
		Entry("the manager as a string, behind a dot", "", []string{`{"op":"Replace","path":"` + enterprise + `.manager","value":"m1"}`}, `{"`+enterprise+`":{"manager":{"value":"m1"}}}`),
		Entry("no roles", "", []string{`{"op":"Replace","path":"roles","value":[]}`}, `{}`),
	)

	It("adds its flag to every URL", func(ctx SpecContext) {
		t := newTenant(ctx)
		const flag = "aadOptscim062020"
		id := t.call(http.MethodPost, "/Users?"+flag, `{"userName":"ada"}`).id()
		group := t.call(http.MethodPost, "/Groups?"+flag, `{"displayName":"G"}`).id()
		for request, want := range map[string]int{
			"GET /Users?" + flag:                                      200,
			"GET /Users/" + id + "?":                                  200,
			"PUT /Users/" + id + "?":                                  200,
			"PATCH /Users/" + id + "?":                                200,
			"GET /Groups/" + group + "?":                              200,
			"PATCH /Groups/" + group + "?excludedAttributes=members&": 204,
			"GET /Users?filter=userName+eq+%22ada%22&":                200,
			"GET /ServiceProviderConfig?":                             200,
			"GET /Schemas?":                                           200,
			"GET /ResourceTypes/User?":                                200,
		} {
			method, path, _ := strings.Cut(request, " ")
			body := map[string]any{
				http.MethodPut:   `{"userName":"ada"}`,
				http.MethodPatch: `{"Operations":[{"op":"replace","path":"displayName","value":"G"}]}`,
			}[method]
			a := t.call(method, path+flag, body)
			Expect(a.status).To(Equal(want), "%s: %s", request, a)
		}
		Expect(t.call(http.MethodDelete, "/Users/"+id+"?"+flag, nil).status).To(Equal(http.StatusNoContent))
	})

	DescribeTable("looks up", func(ctx SpecContext, endpoint, filter string) {
		t := newTenant(ctx)
		ids := map[string]string{
			"/Users":  t.call(http.MethodPost, "/Users", `{"userName":"ada","externalId":"E1","emails":[{"type":"work","value":"ada@example.com"}]}`).id(),
			"/Groups": t.call(http.MethodPost, "/Groups", `{"displayName":"Team","externalId":"E2"}`).id(),
		}
		t.call(http.MethodPost, "/Users", `{"userName":"bob","active":false,"meta":{"lastModified":"2001-01-01T00:00:00Z"},"emails":[{"type":"home","value":"ada@example.com"}]}`)
		t.addGroup("Other")
		want := []any{ids[endpoint]}
		if strings.HasPrefix(filter, "meta.lastModified ge") {
			want = append(want, Not(BeEmpty()))
		}
		Expect(t.found(endpoint, strings.ReplaceAll(filter, "<id>", ids[endpoint]))).To(ConsistOf(want...))
	},
		Entry("a user by userName", "/Users", `userName eq "ada"`),
		Entry("a user by userName without quotes", "/Users", `userName eq ada`),
		Entry("a user by externalId", "/Users", `externalId eq "E1"`),
		Entry("a user by externalId without quotes", "/Users", `externalId eq E1`),
		Entry("a user by work address, with a value path before the operator", "/Users", `emails[type eq "work"].value eq "ada@example.com"`),
		Entry("a user by id", "/Users", `id eq "<id>"`),
		Entry("a user by id without quotes", "/Users", `id eq <id>`),
		Entry("users by when they changed", "/Users", `meta.lastModified ge "2011-05-13T04:42:34Z"`),
		Entry("a group by displayName", "/Groups", `displayName eq "Team"`),
		Entry("a group by externalId", "/Groups", `externalId eq "E2"`),
		Entry("a group by id", "/Groups", `id eq "<id>"`),
	)

	It("reads and lists groups without their members, which are then not touched", func(ctx SpecContext) {
		t := newTenant(ctx)
		id := t.addGroup("Team", t.addUser("ada"))
		By("watching a replica that no longer knows the members, and would have to ask the API server")
		Expect(cluster.DeleteAllOf(ctx, &v1alpha1.ScimMemberSlice{}, client.InNamespace(t.namespace))).To(Succeed())
		asked := &sliceReads{}
		watched := rest.CopyConfig(config)
		watched.Wrap(asked.wrap)
		replica, err := store.New(watched, store.Options{MaxStaleness: time.Minute, Log: logr.Discard()})
		Expect(err).NotTo(HaveOccurred())
		start(replica)
		t.url = serve(replica, scimserver.Options{}).URL
		for _, path := range []string{"/Groups/" + id + "?", "/Groups?filter=displayName+eq+%22team%22&", "/Groups?"} {
			a := t.get(path + "excludedAttributes=members")
			Expect(a.status).To(Equal(http.StatusOK), a.String())
			Expect(a.text).To(SatisfyAll(ContainSubstring(id), Not(ContainSubstring(`"members":`))))
			Expect(asked.count.Load()).To(BeZero(), path)
		}
		Expect(t.get("/Groups/" + id).status).To(Equal(http.StatusOK))
		Expect(asked.count.Load()).NotTo(BeZero(), "with members they are read")
	})

	It("posts a group with a schema of Microsoft's and meta.resourceType, and a user with roles that are empty", func(ctx SpecContext) {
		t := newTenant(ctx)
		group := t.call(http.MethodPost, "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
			"externalId":"8aa1a0c0","displayName":"Team","meta":{"resourceType":"Group"}}`)
		Expect(group.status).To(Equal(http.StatusCreated), group.String())
		Expect(group.body).To(SatisfyAll(HaveKeyWithValue("externalId", "8aa1a0c0"), HaveKeyWithValue("meta", HaveKeyWithValue("resourceType", "Group"))))
		user := t.call(http.MethodPost, "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","`+enterprise+`"],"externalId":"0a21f0f2","userName":"ada",
			"active":true,"emails":[{"primary":true,"type":"work","value":"a@b.example"}],"meta":{"resourceType":"User"},"name":{"formatted":"A B","familyName":"B","givenName":"A"},"roles":[]}`)
		Expect(user.status).To(Equal(http.StatusCreated), user.String())
		Expect(user.body).NotTo(HaveKey("roles"))
	})

	DescribeTable("removes one member and nobody else", func(ctx SpecContext, operation string) {
		t := newTenant(ctx)
		ada, bob := t.addUser("ada"), t.addUser("bob")
		group := t.addGroup("Team", ada, bob)
		a := t.patch("/Groups/"+group, strings.ReplaceAll(operation, "<id>", ada))
		Expect(a.status).To(Equal(http.StatusNoContent), a.String())
		Expect(a.text).To(BeEmpty())
		Expect(t.members(group)).To(ConsistOf(bob))
	},
		Entry("by value", `{"op":"Remove","path":"members","value":[{"$ref":null,"value":"<id>"}]}`),
		Entry("by filter", `{"op":"remove","path":"members[value eq \"<id>\"]"}`),
		Entry("by filter, in capitals", `{"op":"Remove","path":"members[value eq \"<id>\"]"}`),
	)

	It("reads a user that is inactive", func(ctx SpecContext) {
		t := newTenant(ctx)
		id := t.call(http.MethodPost, "/Users", `{"userName":"ada","active":false}`).id()
		Expect(t.get("/Users/" + id).body).To(HaveKeyWithValue("active", false))
		Expect(t.found("/Users", `userName eq "ada"`)).To(ConsistOf(id))
	})

	It("loses no member of five PATCHes at the same time, nor a removal among them", func(ctx SpecContext) {
		t := newTenant(ctx)
		leaver := t.addUser("leaver")
		group := t.addGroup("Team", leaver)
		var ids []string
		for i := range 4 {
			ids = append(ids, t.addUser(fmt.Sprint("user", i)))
		}
		operations := []string{`{"op":"Remove","path":"members","value":[{"$ref":null,"value":"` + leaver + `"}]}`}
		for _, id := range ids {
			operations = append(operations, `{"op":"Add","path":"members","value":[{"$ref":null,"value":"`+id+`"}]}`)
		}
		var calls sync.WaitGroup
		for _, o := range operations {
			calls.Go(func() {
				defer GinkgoRecover()
				Expect(t.patch("/Groups/"+group, o).status).To(Equal(http.StatusNoContent))
			})
		}
		calls.Wait()
		Expect(t.members(group)).To(ConsistOf(ids))
	})
})

var _ = Describe("The dialect of other identity providers", func() {
	It("OneLogin: a lookup of nobody is an empty list, in application/json where Accept asks for it", func(ctx SpecContext) {
		t := newTenant(ctx)
		a := t.get("/Users?filter="+url.QueryEscape(`userName eq "nobody"`), "Accept", "application/json")
		Expect(a.status).To(Equal(http.StatusOK))
		Expect(a.header.Get("Content-Type")).To(HavePrefix("application/json"))
		Expect(a.resources()).To(BeEmpty())
	})

	It("OneLogin: active is a string and id is null", func(ctx SpecContext) {
		t := newTenant(ctx)
		a := t.call(http.MethodPost, "/Users", `{"id":null,"userName":"ada","active":"true"}`, "Content-Type", "application/json")
		Expect(a.status).To(Equal(http.StatusCreated), a.String())
		Expect(a.id()).NotTo(BeEmpty())
		Expect(a.body).To(HaveKeyWithValue("active", true))
		a = t.call(http.MethodPut, "/Users/"+a.id(), `{"id":null,"userName":"ada","active":"false"}`)
		Expect(a.body).To(HaveKeyWithValue("active", false))
	})

	It("JumpCloud: a test user and a test group come and go", func(ctx SpecContext) {
		t := newTenant(ctx)
		user, group := t.addUser("test"), t.addGroup("test")
		for _, path := range []string{"/Groups/" + group, "/Users/" + user} {
			Expect(t.call(http.MethodDelete, path, nil).status).To(Equal(http.StatusNoContent))
			Expect(t.get(path).status).To(Equal(http.StatusNotFound))
		}
		Expect(t.stored(ctx)).To(BeEmpty())
	})

	It("CyberArk: resource types and schemas are read one by one", func(ctx SpecContext) {
		t := newTenant(ctx)
		for path, id := range map[string]string{
			"/ResourceTypes/User": "User", "/ResourceTypes/Group": "Group",
			"/Schemas/urn:ietf:params:scim:schemas:core:2.0:User":  "urn:ietf:params:scim:schemas:core:2.0:User",
			"/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group": "urn:ietf:params:scim:schemas:core:2.0:Group",
			"/Schemas/" + url.PathEscape(enterprise):               enterprise,
		} {
			a := t.get(path)
			Expect(a.status).To(Equal(http.StatusOK), path)
			Expect(a.id()).To(Equal(id))
		}
	})

	It("Rippling: the configuration is there, and an externalId is looked up before the POST", func(ctx SpecContext) {
		t := newTenant(ctx)
		Expect(t.get("/ServiceProviderConfig").body).To(HaveKeyWithValue("filter", HaveKeyWithValue("supported", true)))
		Expect(t.found("/Users", `externalId eq "R1"`)).To(BeEmpty())
		id := t.call(http.MethodPost, "/Users", `{"userName":"ada","externalId":"R1"}`).id()
		Expect(t.found("/Users", `externalId eq "R1"`)).To(ConsistOf(id))
	})

	It("Google: one user is asked for without startIndex", func(ctx SpecContext) {
		t := newTenant(ctx)
		t.addUser("ada")
		t.addUser("bob")
		a := t.get("/Users?count=1")
		Expect(a.resources()).To(HaveLen(1))
		Expect(a.body).To(SatisfyAll(HaveKeyWithValue("startIndex", jsonNumber("1")), HaveKeyWithValue("totalResults", jsonNumber("2"))))
	})

	DescribeTable("Keycloak plugins: a value without path that is a JSON string is invalidValue, and changes nothing",
		func(ctx SpecContext, endpoint, value string) {
			t := newTenant(ctx)
			paths := map[string]string{"/Users": "/Users/" + t.addUser("ada"), "/Groups": "/Groups/" + t.addGroup("Team")}
			before := t.stored(ctx)
			encoded, err := json.Marshal(value)
			Expect(err).NotTo(HaveOccurred())
			a := t.patch(paths[endpoint], `{"op":"replace","value":`+string(encoded)+`}`)
			Expect(a.status).To(Equal(http.StatusBadRequest), a.String())
			Expect(a.scimType()).To(Equal("invalidValue"))
			Expect(t.stored(ctx)).To(Equal(before))
		},
		Entry("of a user", "/Users", `{"active":false}`),
		Entry("of a group", "/Groups", `{"members":[]}`),
		Entry("that is no JSON", "/Users", `false`),
	)
})

// What people complain of most at other SCIM servers.
var _ = Describe("A complaint about other servers", func() {
	It("a removal by filter that is acknowledged is carried out", func(ctx SpecContext) {
		t := newTenant(ctx)
		ada, bob := t.addUser("ada"), t.addUser("bob")
		group := t.addGroup("Team", ada, bob)
		for operation, left := range map[string][]string{
			`{"op":"remove","path":"members[value eq \"` + ada + `\"]"}`: {bob},
			`{"op":"remove","path":"members[display sw \"bo\"]"}`:        {ada},
			`{"op":"remove","path":"members[type eq \"User\"]"}`:         {},
		} {
			t.call(http.MethodPut, "/Groups/"+group, map[string]any{"displayName": "Team", "members": []any{map[string]any{"value": ada}, map[string]any{"value": bob}}})
			Expect(t.patch("/Groups/"+group, operation).status).To(Equal(http.StatusNoContent))
			Expect(t.members(group)).To(ConsistOf(left), operation)
		}
		user := t.call(http.MethodPost, "/Users", `{"userName":"eve","emails":[{"type":"work","value":"w"},{"type":"home","value":"h"}]}`).id()
		Expect(t.patch("/Users/"+user, `{"op":"remove","path":"emails[type eq \"work\"]"}`).body["emails"]).To(ConsistOf(HaveKeyWithValue("value", "h")))
	})

	It("accounts of the app that the identity provider did not make do not break the list", func(ctx SpecContext) {
		t := newTenant(ctx)
		id := t.addUser("ada")
		Expect(cluster.Create(ctx, &v1alpha1.AppMembership{
			ObjectMeta: metav1.ObjectMeta{Namespace: t.namespace, Name: "local"},
			Spec:       v1alpha1.AppMembershipSpec{User: v1alpha1.MemberIdentity{UserName: "root"}},
		})).To(Succeed())
		a := t.get("/Users?startIndex=1&count=100")
		Expect(a.status).To(Equal(http.StatusOK), a.String())
		Expect(a.resources()).To(ConsistOf(HaveKeyWithValue("id", id)))
	})

	It("a group of more than 100 members is shown whole, whichever way they came", func(ctx SpecContext) {
		t := newTenant(ctx)
		var ids []string
		var members []any
		for i := range 150 {
			ids = append(ids, t.addUser(fmt.Sprint("user", i)))
			members = append(members, map[string]any{"value": ids[i]})
		}
		posted := t.call(http.MethodPost, "/Groups", map[string]any{"displayName": "A", "members": members})
		Expect(posted.body["members"]).To(HaveLen(len(ids)))
		put := t.call(http.MethodPut, "/Groups/"+t.addGroup("B"), map[string]any{"displayName": "B", "members": members})
		Expect(put.body["members"]).To(HaveLen(len(ids)))
		patched := t.addGroup("C")
		Expect(t.call(http.MethodPatch, "/Groups/"+patched, map[string]any{"Operations": []any{map[string]any{"op": "add", "path": "members", "value": members}}}).status).
			To(Equal(http.StatusNoContent))
		for _, group := range []string{posted.id(), put.id(), patched} {
			Expect(t.members(group)).To(ConsistOf(ids))
		}
		for _, g := range t.get("/Groups").resources() {
			Expect(g["members"]).To(HaveLen(len(ids)))
		}
	})

	It("an error is never plain text or HTML", func(ctx SpecContext) {
		t := newTenant(ctx)
		for _, a := range []*answer{
			t.get("/nothing"), t.get("/Users/x"), t.get("/Users", "Accept", "text/html"), t.get("/Users", "Authorization", "no"),
			t.call(http.MethodPost, "/Users", `<user/>`, "Content-Type", "text/xml"), t.call(http.MethodPost, "/Users", `{`),
			t.call("BREW", "/Users", nil), t.get("/%2e%2e/%2e%2e/x"), t.get("/Users?filter=%zz"), t.send(http.MethodGet, t.url+"/", nil),
		} {
			Expect(a.status).To(BeNumerically(">=", 400))
			Expect(a.header.Get("Content-Type")).To(HavePrefix("application/scim+json"), a.String())
			Expect(a.body).To(SatisfyAll(
				HaveKeyWithValue("schemas", ConsistOf("urn:ietf:params:scim:api:messages:2.0:Error")),
				HaveKeyWithValue("status", fmt.Sprint(a.status)), HaveKeyWithValue("detail", Not(BeEmpty()))))
		}
	})

	DescribeTable("a rename makes no second user",
		func(ctx SpecContext, method, body string) {
			t := newTenant(ctx)
			id := t.call(http.MethodPost, "/Users", `{"userName":"ada@old.example","externalId":"00u1"}`).id()
			a := t.call(method, "/Users/"+id, body)
			Expect(a.status).To(Equal(http.StatusOK), a.String())
			Expect(t.found("/Users", `userName eq "ada@new.example"`)).To(ConsistOf(id))
			Expect(t.found("/Users", `userName eq "ada@old.example"`)).To(BeEmpty())
			Expect(slices.Collect(maps.Keys(t.stored(ctx)))).To(ConsistOf("user " + id))
		},
		Entry("by PUT", http.MethodPut, `{"userName":"ada@new.example","externalId":"00u1"}`),
		Entry("by PATCH", http.MethodPatch, `{"Operations":[{"op":"replace","path":"userName","value":"ada@new.example"}]}`),
		Entry("by PATCH without path", http.MethodPatch, `{"Operations":[{"op":"replace","value":{"userName":"ada@new.example"}}]}`),
	)

	It("who suspended whom is on record", func(ctx SpecContext) {
		log := gbytes.NewBuffer()
		t := newTenant(ctx)
		t.url = serve(storage, scimserver.Options{Log: slog.New(slog.NewJSONHandler(log, nil))}).URL
		id := t.addUser("ada")
		t.call(http.MethodPatch, "/Users/"+id, `{"Operations":[{"op":"replace","value":{"active":false}}]}`, "X-Request-Id", "r-7")
		Eventually(log).Should(gbytes.Say(`"request":"r-7".*"method":"PATCH".*"namespace":"` + t.namespace + `","directory":"okta","token":"okta","resource":"` + id + `"`))
	})

	DescribeTable("a bad filter is the client's mistake, and said so", func(ctx SpecContext, filter string) {
		t := newTenant(ctx)
		for _, endpoint := range []string{"/Users", "/Groups"} {
			a := t.get(endpoint + "?filter=" + url.QueryEscape(filter))
			Expect(a.status).To(Equal(http.StatusBadRequest), a.String())
			Expect(a.scimType()).To(Equal("invalidFilter"))
			Expect(a.body).To(HaveKeyWithValue("detail", Not(BeEmpty())))
		}
	},
		Entry("without value", `id eq`),
		Entry("without operator", `id`),
		Entry("with an operator that there is not", `id like "x"`),
		Entry("with half a quote", `id eq "x`),
		Entry("with half a parenthesis", `(id eq "x"`),
		Entry("with half a value path", `meta[resourceType eq "User"`),
		Entry("of logic alone", `and or not`),
		Entry("of symbols", `)(*&^%$#@!`),
		Entry("of an attribute that there is not", `shoeSize eq 9`),
		Entry("that is deep", strings.Repeat("not (", 500)+"id pr"+strings.Repeat(")", 500)),
	)
})
