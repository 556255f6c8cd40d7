package scimserver_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// search sends a SearchRequest, given as the JSON of its attributes.
func (t *tenant) search(path, attributes string) *answer {
	GinkgoHelper()
	return t.call(http.MethodPost, path+"/.search",
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]`+attributes+`}`)
}

// names are what the resources of a list are called.
func (a *answer) names() []string {
	GinkgoHelper()
	names := []string{}
	for _, r := range a.resources() {
		name, ok := r["userName"].(string)
		if !ok {
			name, _ = r["displayName"].(string)
		}
		names = append(names, name)
	}
	return names
}

// people makes users of the given JSON and returns their userNames in the order of a list.
func (t *tenant) people(users ...string) []string {
	GinkgoHelper()
	for _, u := range users {
		a := t.call(http.MethodPost, "/Users", u)
		Expect(a.status).To(Equal(http.StatusCreated), a.String())
	}
	return t.get("/Users?attributes=userName").names()
}

var _ = Describe("RFC 7644 §3.4.3: searching by POST", func() {
	It("answers what GET with the same parameters answers", func(ctx SpecContext) {
		t := newTenant(ctx)
		ada := t.addUser("ada")
		t.addUser("bob")
		t.addGroup("Engineers", ada)
		for _, x := range []struct{ path, query, body string }{
			{"/Users", "", ``},
			{"/Users", `?filter=userName+eq+"ADA"`, `,"filter":"userName eq \"ADA\""`},
			{"/Users", `?startIndex=2&count=1&attributes=userName`, `,"startIndex":2,"count":1,"attributes":["userName"]`},
			{"/Users", `?sortBy=userName&sortOrder=descending&excludedAttributes=meta,groups`, `,"sortBy":"userName","sortOrder":"descending","excludedAttributes":["meta","groups"]`},
			{"/Groups", "", ``},
			{"/Groups", `?filter=members.value+eq+"` + ada + `"&attributes=members.value`, `,"filter":"members.value eq \"` + ada + `\"","attributes":["members.value"]`},
		} {
			got := t.get(x.path + strings.ReplaceAll(x.query, `"`, "%22"))
			Expect(got.status).To(Equal(http.StatusOK), got.String())
			Expect(t.search(x.path, x.body).text).To(Equal(got.text), x.query)
		}
	})

	It("needs the scope Read only", func(ctx SpecContext) {
		t := newTenant(ctx, func(d *v1alpha1.ScimDirectory) { d.Spec.Tokens[0].Scopes = []v1alpha1.TokenScope{v1alpha1.ScopeRead} })
		Expect(t.search("/Users", "").status).To(Equal(http.StatusOK))
		Expect(t.search("", "").status).To(Equal(http.StatusOK))
		Expect(t.call(http.MethodPost, "/Users", `{"userName":"x"}`).status).To(Equal(http.StatusForbidden))
	})

	It("goes through users and groups at the root, users first", func(ctx SpecContext) {
		t := newTenant(ctx)
		ada, bob := t.addUser("ada"), t.addUser("bob")
		group := t.addGroup("Engineers", ada)
		Expect(t.call(http.MethodPatch, "/Users/"+bob, `{"Operations":[{"op":"add","path":"displayName","value":"Engineers"}]}`).status).To(Equal(http.StatusOK))

		all := t.search("", "")
		Expect(all.status).To(Equal(http.StatusOK), all.String())
		Expect(all.body).To(SatisfyAll(HaveKeyWithValue("totalResults", jsonNumber("3")), HaveKeyWithValue("itemsPerPage", jsonNumber("3")), HaveKeyWithValue("startIndex", jsonNumber("1"))))
		resources := all.resources()
		Expect(resources[2]).To(SatisfyAll(HaveKeyWithValue("id", group), HaveKeyWithValue("members", HaveLen(1)),
			HaveKeyWithValue("meta", SatisfyAll(HaveKeyWithValue("resourceType", "Group"), HaveKeyWithValue("location", ContainSubstring("/Groups/"+group))))))
		Expect(resources[0]).To(HaveKeyWithValue("meta", HaveKeyWithValue("location", ContainSubstring("/Users/"))))

		names := func(filter string) []string {
			GinkgoHelper()
			encoded, err := json.Marshal(filter)
			Expect(err).NotTo(HaveOccurred())
			a := t.search("", `,"filter":`+string(encoded))
			Expect(a.status).To(Equal(http.StatusOK), a.String())
			return a.names()
		}
		Expect(names(`displayName eq "engineers"`)).To(Equal([]string{"bob", "Engineers"}))
		Expect(names(`meta.resourceType eq "Group"`)).To(Equal([]string{"Engineers"}))
		Expect(names(`meta.resourceType eq "User"`)).To(ConsistOf("ada", "bob"))
		Expect(names(`userName eq "ada"`)).To(Equal([]string{"ada"}))
		Expect(names(`members.value eq "` + ada + `"`)).To(Equal([]string{"Engineers"}))
		Expect(names(`userName eq "ada" or members pr`)).To(Equal([]string{"ada", "Engineers"}))
		Expect(names(`not (userName pr)`)).To(Equal([]string{"Engineers"}))
		Expect(names(`id eq "` + group + `"`)).To(Equal([]string{"Engineers"}))
		Expect(names(`urn:ietf:params:scim:schemas:core:2.0:Group:displayName eq "Engineers"`)).To(Equal([]string{"Engineers"}))
		Expect(names(`meta.location ew "/Groups/` + group + `"`)).To(Equal([]string{"Engineers"}))

		refused := t.search("", `,"filter":"shoeSize eq 9"`)
		Expect(refused.status).To(Equal(http.StatusBadRequest))
		Expect(refused.scimType()).To(Equal("invalidFilter"))
		Expect(refused.body).To(HaveKeyWithValue("detail", ContainSubstring("shoeSize")))
	})

	It("pages and sorts across both types at the root", func(ctx SpecContext) {
		t := newTenant(ctx)
		for _, name := range []string{"d", "b"} {
			Expect(t.call(http.MethodPost, "/Users", `{"userName":"`+name+`","displayName":"`+name+`"}`).status).To(Equal(http.StatusCreated))
		}
		t.addUser("nameless")
		t.addGroup("C")
		t.addGroup("a")
		Expect(t.search("", `,"sortBy":"displayName"`).names()).To(Equal([]string{"a", "b", "C", "d", "nameless"}))
		Expect(t.search("", `,"sortBy":"displayName","sortOrder":"descending","startIndex":2,"count":2`).names()).To(Equal([]string{"C", "b"}))
		Expect(t.search("", `,"sortBy":"userName","count":3`).names()).To(Equal([]string{"b", "d", "nameless"}))
		middle := t.search("", `,"startIndex":3,"count":2`)
		Expect(middle.body).To(SatisfyAll(HaveKeyWithValue("totalResults", jsonNumber("5")), HaveKeyWithValue("startIndex", jsonNumber("3")), HaveKeyWithValue("itemsPerPage", jsonNumber("2"))))
		Expect(middle.names()).To(Equal(t.search("", "").names()[2:4]))
		Expect(t.search("", `,"attributes":["members","userName"],"count":1`).resources()[0]).To(SatisfyAll(HaveKey("userName"), Not(HaveKey("meta"))))
	})

	DescribeTable("refuses a SearchRequest that says nothing sensible",
		func(ctx SpecContext, body string, scimType, detail string) {
			t := newTenant(ctx)
			a := t.call(http.MethodPost, "/Users/.search", body)
			Expect(a.status).To(Equal(http.StatusBadRequest), a.String())
			Expect(a.scimType()).To(Equal(scimType))
			Expect(a.body).To(HaveKeyWithValue("detail", ContainSubstring(detail)))
		},
		Entry("of another message", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]}`, "invalidSyntax", "SearchRequest"),
		Entry("with a filter that is no text", `{"filter":{"userName":"x"}}`, "invalidValue", "filter"),
		Entry("with a broken filter", `{"filter":"userName eq"}`, "invalidFilter", "userName"),
		Entry("with an attribute of groups", `{"filter":"members pr"}`, "invalidFilter", "members"),
		Entry("with too long a filter", `{"filter":"userName eq \"`+strings.Repeat("x", 9000)+`\""}`, "invalidFilter", "long"),
		Entry("with a count that is none", `{"count":"many"}`, "invalidValue", "count"),
		Entry("with both projections", `{"attributes":["id"],"excludedAttributes":["name"]}`, "invalidValue", "excludedAttributes"),
		Entry("with attributes that are none", `{"attributes":[1]}`, "invalidValue", "attributes[0]"),
		Entry("with an unknown sortBy", `{"sortBy":"shoeSize"}`, "invalidValue", "shoeSize"),
		Entry("without a body", ``, "invalidSyntax", "empty"),
	)
})

var _ = Describe("RFC 7644 §3.4.2.3: sorting", func() {
	sorted := func(t *tenant, by, order string) []string {
		GinkgoHelper()
		a := t.get("/Users?sortBy=" + url.QueryEscape(by) + "&sortOrder=" + order)
		Expect(a.status).To(Equal(http.StatusOK), a.String())
		return a.names()
	}

	It("is by any attribute, without a value last in either direction, and stable", func(ctx SpecContext) {
		t := newTenant(ctx)
		created := t.people(
			`{"userName":"eve","title":"b"}`,
			`{"userName":"Ada","title":"A","name":{"familyName":"Lovelace"},"emails":[{"value":"a@home","type":"home"},{"value":"z@work","type":"work","primary":true}]}`,
			`{"userName":"bob","title":"C","active":false,"emails":[{"value":"m@home"},{"value":"a@work"}],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Sales"}}`,
			`{"userName":"dan","externalId":"B","emails":[{"value":"B@home"}],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"care"}}`,
			`{"userName":"Cid","externalId":"a"}`,
		)
		inOrder := func(names ...string) []string {
			in := []string{}
			for _, name := range created {
				for _, wanted := range names {
					if name == wanted {
						in = append(in, name)
					}
				}
			}
			return in
		}
		Expect(sorted(t, "userName", "")).To(Equal([]string{"Ada", "bob", "Cid", "dan", "eve"}))
		Expect(sorted(t, "username", "descending")).To(Equal([]string{"eve", "dan", "Cid", "bob", "Ada"}))
		Expect(sorted(t, "title", "ascending")).To(Equal(append([]string{"Ada", "eve", "bob"}, inOrder("Cid", "dan")...)))
		Expect(sorted(t, "title", "descending")).To(Equal(append([]string{"bob", "eve", "Ada"}, inOrder("Cid", "dan")...)))
		By("case where it counts")
		Expect(sorted(t, "externalId", "")[:2]).To(Equal([]string{"dan", "Cid"}))
		By("the primary value, else the first")
		Expect(sorted(t, "emails", "")[:3]).To(Equal([]string{"dan", "bob", "Ada"}))
		Expect(sorted(t, "emails.value", "descending")[:3]).To(Equal([]string{"Ada", "bob", "dan"}))
		Expect(sorted(t, "name.familyName", "")[0]).To(Equal("Ada"))
		By("an extension")
		Expect(sorted(t, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "")[:2]).To(Equal([]string{"dan", "bob"}))
		Expect(sorted(t, "active", "")).To(Equal(append([]string{"bob"}, inOrder("Ada", "Cid", "dan", "eve")...)))
		By("pages")
		page := t.get("/Users?sortBy=userName&startIndex=2&count=2")
		Expect(page.names()).To(Equal([]string{"bob", "Cid"}))
		Expect(page.body).To(HaveKeyWithValue("totalResults", jsonNumber("5")))
		Expect(t.get("/Users?sortBy=userName&filter=" + url.QueryEscape(`title pr`)).names()).To(Equal([]string{"Ada", "bob", "eve"}))
	})

	It("is by instants, by groups and by members", func(ctx SpecContext) {
		t := newTenant(ctx)
		ada, bob := t.addUser("ada"), t.addUser("bob")
		modify(ctx, t, ada, "2126-01-31T12:00:00Z")
		modify(ctx, t, bob, "2126-01-31T12:30:00+01:00")
		Eventually(func() []string { return sorted(t, "meta.lastModified", "") }).Should(Equal([]string{"bob", "ada"}))
		t.addGroup("B", ada)
		t.addGroup("A", bob)
		Expect(sorted(t, "groups.display", "")).To(Equal([]string{"bob", "ada"}))
		byMember := t.get("/Groups?sortBy=members.display")
		Expect(byMember.names()).To(Equal([]string{"B", "A"}))
		byPlace := t.get("/Users?sortBy=meta.location&attributes=id").resources()
		Expect(byPlace[0]["id"].(string) < byPlace[1]["id"].(string)).To(BeTrue())
	})

	It("is announced, and refused by what is no attribute", func(ctx SpecContext) {
		t := newTenant(ctx)
		Expect(t.get("/ServiceProviderConfig").body).To(HaveKeyWithValue("sort", HaveKeyWithValue("supported", true)))
		for query, detail := range map[string]string{
			"sortBy=shoeSize":                  `no attribute "shoeSize"`,
			"sortBy=name":                      "name.formatted",
			"sortBy=userName&sortOrder=random": "ascending or descending",
			"sortBy=members":                   `no attribute "members"`,
		} {
			a := t.get("/Users?" + query)
			Expect(a.status).To(Equal(http.StatusBadRequest), query)
			Expect(a.scimType()).To(Equal("invalidValue"), query)
			Expect(a.body).To(HaveKeyWithValue("detail", ContainSubstring(detail)), query)
		}
	})
})

// modify sets when a user was last modified.
func modify(ctx context.Context, t *tenant, id, when string) {
	GinkgoHelper()
	u := &v1alpha1.ScimUser{}
	Expect(cluster.Get(ctx, client.ObjectKey{Namespace: t.namespace, Name: id}, u)).To(Succeed())
	if u.Annotations == nil {
		u.Annotations = map[string]string{}
	}
	u.Annotations[v1alpha1.LastModifiedAnnotation] = when
	Expect(cluster.Update(ctx, u)).To(Succeed())
}
