package scimserver_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

var _ = Describe("A user", func() {
	// What Okta posts: with groups, a password, and attributes of its own.
	const oktaPost = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com",
		"name":{"givenName":"Ada","familyName":"Lovelace"},"emails":[{"primary":true,"value":"ada@example.com","type":"work"}],
		"displayName":"Ada Lovelace","locale":"en-US","externalId":"00u1","groups":[],"password":"1mz050nq","active":true}`

	It("is created as Okta sends it, and is shown as it is stored", func(ctx SpecContext) {
		t := newTenant(ctx)
		created := t.call(http.MethodPost, "/Users", oktaPost)
		Expect(created.status).To(Equal(http.StatusCreated), created.String())
		location := externalURL + "/scim/v2/" + t.namespace + "/okta/Users/" + created.id()
		Expect(created.header.Get("Location")).To(Equal(location))
		Expect(created.header.Get("ETag")).To(MatchRegexp(`^W/".+"$`))
		Expect(created.body).To(SatisfyAll(
			HaveKeyWithValue("schemas", ConsistOf("urn:ietf:params:scim:schemas:core:2.0:User")),
			HaveKeyWithValue("userName", "ada@example.com"),
			HaveKeyWithValue("externalId", "00u1"),
			HaveKeyWithValue("active", true),
			HaveKeyWithValue("name", HaveKeyWithValue("familyName", "Lovelace")),
			HaveKeyWithValue("meta", SatisfyAll(
				HaveKeyWithValue("resourceType", "User"),
				HaveKeyWithValue("location", location),
				HaveKeyWithValue("version", created.header.Get("ETag")),
				HaveKey("created"), HaveKey("lastModified"))),
			Not(HaveKey("password")),
		))
		Expect(t.get("/Users/" + created.id()).text).To(Equal(created.text))

		user := &v1alpha1.ScimUser{}
		Expect(cluster.Get(ctx, client.ObjectKey{Namespace: t.namespace, Name: created.id()}, user)).To(Succeed())
		Expect(user.Spec.DirectoryRef.Name).To(Equal("okta"))
		Expect(fmt.Sprint(user)).NotTo(ContainSubstring("1mz050nq"))
	})

	It("is answered without a body to HEAD", func(ctx SpecContext) {
		t := newTenant(ctx)
		path := "/Users/" + t.addUser("ada")
		a := t.call(http.MethodHead, path, nil)
		Expect(a.status).To(Equal(http.StatusOK))
		Expect(a.text).To(BeEmpty())
		Expect(a.header.Get("ETag")).To(Equal(t.get(path).header.Get("ETag")))
	})

	It("is active unless it says otherwise", func(ctx SpecContext) {
		t := newTenant(ctx)
		for sent, active := range map[string]bool{`{"userName":"a"}`: true, `{"userName":"b","active":"False"}`: false, `{"userName":"c","active":null}`: true} {
			Expect(t.call(http.MethodPost, "/Users", sent).body).To(HaveKeyWithValue("active", active), sent)
		}
	})

	It("is changed by Okta's PUT of the whole resource, with id, meta, groups and unknown attributes", func(ctx SpecContext) {
		t := newTenant(ctx)
		created := t.call(http.MethodPost, "/Users", oktaPost)
		whole := created.body
		whole["displayName"] = "Countess"
		whole["favouriteColor"] = "red"
		whole["groups"] = []any{map[string]any{"value": "x"}}
		delete(whole, "locale")
		a := t.call(http.MethodPut, "/Users/"+created.id(), whole)
		Expect(a.status).To(Equal(http.StatusOK), a.String())
		Expect(a.id()).To(Equal(created.id()))
		Expect(a.body).To(SatisfyAll(HaveKeyWithValue("displayName", "Countess"), HaveKeyWithValue("externalId", "00u1"),
			Not(HaveKey("favouriteColor")), Not(HaveKey("groups")), Not(HaveKey("locale"))))
		Expect(a.header.Get("ETag")).NotTo(Equal(created.header.Get("ETag")))
	})

	It("keeps active when a PUT does not mention it", func(ctx SpecContext) {
		t := newTenant(ctx)
		leaver := t.call(http.MethodPost, "/Users", `{"userName":"a","active":false}`).id()
		stayer := t.call(http.MethodPost, "/Users", `{"userName":"b"}`).id()
		Expect(t.call(http.MethodPut, "/Users/"+leaver, `{"userName":"a"}`).body).To(HaveKeyWithValue("active", false))
		Expect(t.call(http.MethodPut, "/Users/"+stayer, `{"userName":"b"}`).body).To(HaveKeyWithValue("active", true))
	})

	DescribeTable("is deactivated in every form, and keeps everything else",
		func(ctx SpecContext, operation string) {
			t := newTenant(ctx)
			created := t.call(http.MethodPost, "/Users", oktaPost)
			a := t.patch("/Users/"+created.id(), operation)
			Expect(a.status).To(Equal(http.StatusOK), a.String())
			Expect(a.body).To(HaveKeyWithValue("active", false))
			for _, kept := range []string{"userName", "name", "emails", "externalId", "displayName"} {
				Expect(a.body).To(HaveKeyWithValue(kept, created.body[kept]))
			}
			Expect(t.get("/Users").body).To(HaveKeyWithValue("totalResults", BeEquivalentTo("1")))
		},
		Entry("Okta", `{"op":"replace","value":{"active":false}}`),
		Entry("Entra ID", `{"op":"Replace","path":"active","value":"False"}`),
		Entry("Entra ID by Add", `{"op":"Add","path":"active","value":false}`),
	)

	It("comes back under its old id when it is posted again, and not while it is active", func(ctx SpecContext) {
		t := newTenant(ctx)
		id := t.call(http.MethodPost, "/Users", oktaPost).id()
		a := t.call(http.MethodPost, "/Users", oktaPost)
		Expect(a.status).To(Equal(http.StatusConflict))
		Expect(a.scimType()).To(Equal("uniqueness"))
		t.patch("/Users/"+id, `{"op":"replace","value":{"active":false}}`)
		a = t.call(http.MethodPost, "/Users", oktaPost)
		Expect(a.status).To(Equal(http.StatusCreated), a.String())
		Expect(a.id()).To(Equal(id))
		Expect(a.body).To(HaveKeyWithValue("active", true))
	})

	It("takes Entra ID's path-less value with dotted and URN keys", func(ctx SpecContext) {
		t := newTenant(ctx)
		id := t.addUser("ada")
		a := t.patch("/Users/"+id, `{"op":"replace","value":{"displayName":"x","name.givenName":"y","`+enterprise+`:employeeNumber":"7"}}`,
			`{"op":"Add","path":"`+enterprise+`:manager","value":"boss"}`,
			`{"op":"Replace","path":"emails[type eq \"work\"].value","value":"x@example.com"}`)
		Expect(a.status).To(Equal(http.StatusOK), a.String())
		Expect(a.body).To(SatisfyAll(
			HaveKeyWithValue("displayName", "x"),
			HaveKeyWithValue("name", HaveKeyWithValue("givenName", "y")),
			HaveKeyWithValue("emails", ConsistOf(SatisfyAll(HaveKeyWithValue("type", "work"), HaveKeyWithValue("value", "x@example.com")))),
			HaveKeyWithValue("schemas", ContainElement(enterprise)),
			HaveKeyWithValue(enterprise, SatisfyAll(HaveKeyWithValue("employeeNumber", "7"), HaveKeyWithValue("manager", HaveKeyWithValue("value", "boss")))),
		))
	})

	It("keeps extensions that no schema describes", func(ctx SpecContext) {
		t := newTenant(ctx)
		a := t.call(http.MethodPost, "/Users", `{"userName":"a","urn:example:Badge":{"number":7,"Doors":["a","b"]}}`)
		Expect(a.status).To(Equal(http.StatusCreated), a.String())
		Expect(t.get("/Users/" + a.id()).body).To(HaveKeyWithValue("urn:example:Badge",
			Equal(map[string]any{"number": jsonNumber("7"), "Doors": []any{"a", "b"}})))
	})

	It("is gone after DELETE", func(ctx SpecContext) {
		t := newTenant(ctx)
		id := t.addUser("ada")
		a := t.call(http.MethodDelete, "/Users/"+id, nil)
		Expect(a.status).To(Equal(http.StatusNoContent))
		Expect(a.text).To(BeEmpty())
		Expect(t.get("/Users/" + id).status).To(Equal(http.StatusNotFound))
		Expect(t.call(http.MethodDelete, "/Users/"+id, nil).status).To(Equal(http.StatusNotFound))
		Expect(t.stored(ctx)).To(BeEmpty())
	})

	It("changes its version with its content only, and versions are honoured", func(ctx SpecContext) {
		t := newTenant(ctx)
		id := t.addUser("ada")
		path := "/Users/" + id
		first := t.get(path).header.Get("ETag")
		same := t.patch(path, `{"op":"replace","value":{"userName":"ada"}}`)
		Expect(same.header.Get("ETag")).To(Equal(first))
		a := t.get(path, "If-None-Match", first)
		Expect(a.status).To(Equal(http.StatusNotModified))
		Expect(a.text).To(BeEmpty())
		Expect(a.header.Get("ETag")).To(Equal(first))

		Expect(t.call(http.MethodPut, path, `{"userName":"ada","title":"x"}`, "If-Match", first).status).To(Equal(http.StatusOK))
		before := t.stored(ctx)
		for method, body := range map[string]any{
			http.MethodPut:    `{"userName":"ada","title":"y"}`,
			http.MethodPatch:  `{"Operations":[{"op":"add","path":"title","value":"y"}]}`,
			http.MethodDelete: nil,
		} {
			Expect(t.call(method, path, body, "If-Match", first).status).To(Equal(http.StatusPreconditionFailed), method)
		}
		Expect(t.stored(ctx)).To(Equal(before))
		Expect(t.get(path, "If-None-Match", first).status).To(Equal(http.StatusOK))
	})

	It("shows what was asked for, in every answer", func(ctx SpecContext) {
		t := newTenant(ctx)
		a := t.call(http.MethodPost, "/Users?attributes=userName,name.givenName", oktaPost)
		keys := func(a map[string]any) []string {
			names := []string{}
			for name := range a {
				names = append(names, name)
			}
			return names
		}
		Expect(a.status).To(Equal(http.StatusCreated))
		Expect(keys(a.body)).To(ConsistOf("schemas", "id", "userName", "name"))
		Expect(a.body["name"]).To(Equal(map[string]any{"givenName": "Ada"}))
		Expect(a.header.Get("Location")).NotTo(BeEmpty())
		Expect(keys(t.get("/Users?attributes=" + "URN:ietf:params:scim:schemas:core:2.0:User:USERNAME").resources()[0])).To(ConsistOf("schemas", "id", "userName"))
		Expect(keys(t.get("/Users/" + a.id() + "?excludedAttributes=emails,name,meta,id").body)).To(
			ConsistOf("schemas", "id", "userName", "externalId", "active", "displayName", "locale"))
	})
})

var _ = Describe("A list of users", func() {
	It("is an array even when it is empty", func(ctx SpecContext) {
		t := newTenant(ctx)
		for _, query := range []string{"", "?startIndex=1&count=2", `?filter=userName+eq+"nobody"&startIndex=1&count=100`} {
			a := t.get("/Users" + query)
			Expect(a.status).To(Equal(http.StatusOK))
			Expect(a.resources()).To(BeEmpty())
			Expect(a.body).To(SatisfyAll(
				HaveKeyWithValue("schemas", ConsistOf("urn:ietf:params:scim:api:messages:2.0:ListResponse")),
				HaveKeyWithValue("totalResults", jsonNumber("0")),
				HaveKeyWithValue("itemsPerPage", jsonNumber("0")),
				HaveKeyWithValue("startIndex", jsonNumber("1"))))
		}
	})

	It("comes in pages that hold everybody once, with exact numbers", func(ctx SpecContext) {
		t := newTenant(ctx)
		var made []string
		for i := range 7 {
			made = append(made, t.addUser(fmt.Sprintf("user-%d", i)))
		}
		t.patch("/Users/"+made[3], `{"op":"replace","value":{"active":false}}`)
		var seen []string
		for start := 1; start <= 7; start += 3 {
			a := t.get(fmt.Sprintf("/Users?startIndex=%d&count=3", start))
			Expect(a.body["totalResults"]).To(Equal(jsonNumber("7")))
			Expect(a.body["startIndex"]).To(Equal(jsonNumber(fmt.Sprint(start))))
			Expect(a.body["itemsPerPage"]).To(Equal(jsonNumber(fmt.Sprint(len(a.resources())))))
			for _, u := range a.resources() {
				seen = append(seen, u["id"].(string))
			}
		}
		Expect(seen).To(ConsistOf(made))
		for query, want := range map[string]int{
			"count=0": 0, "count=-1": 0, "startIndex=0&count=2": 2, "startIndex=-3&count=2": 2, "startIndex=8": 0,
			"startIndex=99999999999999999999": 0, "count=99999999999999999999": 7, "filter=active+eq+true&count=2&startIndex=6": 1,
		} {
			a := t.get("/Users?" + query)
			Expect(a.resources()).To(HaveLen(want), query)
			Expect(a.body["itemsPerPage"]).To(Equal(jsonNumber(fmt.Sprint(want))), query)
		}
		Expect(t.get("/Users?filter=active+eq+false").body["totalResults"]).To(Equal(jsonNumber("1")))
	})

	It("is filtered as identity providers do", func(ctx SpecContext) {
		t := newTenant(ctx)
		ada := t.call(http.MethodPost, "/Users", `{"userName":"Ada@Example.com","externalId":"E1","emails":[{"value":"ada@work.example","type":"work"},{"value":"ada@home.example","type":"home"}]}`).id()
		bob := t.addUser("bob")
		group := t.addGroup("Engineers", bob)
		for filter, want := range map[string][]string{
			`userName eq "ada@EXAMPLE.com"`:                      {ada},
			`userName eq "ada@EXAMPLE.com" and active eq false`:  {},
			`externalId eq "E1"`:                                 {ada},
			`externalId eq "e1"`:                                 {},
			`id eq "` + bob + `"`:                                {bob},
			`emails[type eq "work"].value eq "ADA@work.example"`: {ada},
			`emails[type eq "home"].value eq "ada@work.example"`: {},
			`emails.value eq "ada@home.example"`:                 {ada},
			`email eq "ada@home.example"`:                        {ada},
			`meta.lastModified ge "2011-05-13T04:42:34Z"`:        {ada, bob},
			`userName sw "A" or userName eq "BOB"`:               {ada, bob},
			`not (userName eq "bob")`:                            {ada},
			`groups.value eq "` + group + `"`:                    {bob},
			`groups[display eq "engineers"]`:                     {bob},
			`userName eq bob`:                                    {bob},
		} {
			a := t.get("/Users?aadOptscim062020&filter=" + url.QueryEscape(filter))
			Expect(a.status).To(Equal(http.StatusOK), "%s: %s", filter, a)
			ids := []string{}
			for _, u := range a.resources() {
				ids = append(ids, u["id"].(string))
			}
			Expect(ids).To(ConsistOf(want), filter)
			Expect(a.body["totalResults"]).To(Equal(jsonNumber(fmt.Sprint(len(want)))), filter)
		}
	})
})

var _ = Describe("Discovery", func() {
	It("says what the server can do, one by one and in lists", func(ctx SpecContext) {
		t := newTenant(ctx)
		config := t.get("/ServiceProviderConfig")
		Expect(config.status).To(Equal(http.StatusOK))
		for feature, supported := range map[string]bool{"patch": true, "bulk": true, "filter": true, "changePassword": false, "sort": true, "etag": true} {
			Expect(config.body).To(HaveKeyWithValue(feature, HaveKeyWithValue("supported", supported)))
		}
		Expect(config.body["filter"]).To(HaveKeyWithValue("maxResults", jsonNumber("500")))

		for _, endpoint := range []string{"/Schemas", "/ResourceTypes"} {
			list := t.get(endpoint).resources()
			Expect(list).NotTo(BeEmpty())
			for _, entry := range list {
				one := t.get(endpoint + "/" + entry["id"].(string))
				Expect(one.status).To(Equal(http.StatusOK))
				Expect(one.body).To(Equal(entry))
				Expect(entry["meta"]).To(HaveKeyWithValue("location", externalURL+"/scim/v2/"+t.namespace+"/okta"+endpoint+"/"+entry["id"].(string)))
			}
			Expect(t.get(endpoint + "/nothing").status).To(Equal(http.StatusNotFound))
			Expect(t.get(endpoint + "?filter=id+pr").status).To(Equal(http.StatusForbidden))
		}
		user := t.get("/ResourceTypes/User").body
		Expect(user).To(SatisfyAll(HaveKeyWithValue("endpoint", "/Users"),
			HaveKeyWithValue("schemaExtensions", ConsistOf(HaveKeyWithValue("schema", enterprise)))))
		Expect(t.get("/Schemas/" + strings.ToLower(enterprise)).body).To(HaveKeyWithValue("name", "EnterpriseUser"))
	})
})
