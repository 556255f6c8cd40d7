package scimserver_test

import (
	"net/http"
	"net/url"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("RFC 7644", func() {
	It("§3.3, §3.4.1: what POST answers is found at its Location", func(ctx SpecContext) {
		t := newTenant(ctx)
		for _, path := range []string{"/Users", "/Groups"} {
			created := t.call(http.MethodPost, path, `{"userName":"ada","displayName":"x"}`)
			Expect(created.status).To(Equal(http.StatusCreated), created.String())
			location := created.header.Get("Location")
			Expect(created.body["meta"]).To(HaveKeyWithValue("location", location))
			Expect(t.send(http.MethodGet, t.url+strings.TrimPrefix(location, externalURL), nil).text).To(Equal(created.text))
		}
	})

	It("§3.5.1: PUT clears what it leaves out, and makes no resource", func(ctx SpecContext) {
		t := newTenant(ctx)
		id := t.call(http.MethodPost, "/Users", fullUser).id()
		a := t.call(http.MethodPut, "/Users/"+id, `{"id":"another","userName":"bjensen"}`)
		Expect(a.status).To(Equal(http.StatusOK), a.String())
		for _, decided := range []string{"schemas", "id", "meta"} {
			delete(a.body, decided)
		}
		Expect(a.body).To(Equal(map[string]any{"userName": "bjensen", "active": true}))
		Expect(t.call(http.MethodPut, "/Users/another", `{"userName":"x"}`).status).To(Equal(http.StatusNotFound))
	})

	It("§3.6: what was deleted is nowhere, and its name is free for another", func(ctx SpecContext) {
		t := newTenant(ctx)
		id := t.call(http.MethodPost, "/Users", `{"userName":"ada","externalId":"1"}`).id()
		Expect(t.call(http.MethodDelete, "/Users/"+id, nil).status).To(Equal(http.StatusNoContent))
		Expect(t.call(http.MethodPut, "/Users/"+id, `{"userName":"ada"}`).status).To(Equal(http.StatusNotFound))
		Expect(t.patch("/Users/"+id, `{"op":"add","path":"title","value":"x"}`).status).To(Equal(http.StatusNotFound))
		Expect(t.get("/Users").resources()).To(BeEmpty())
		another := t.call(http.MethodPost, "/Users", `{"userName":"ada","externalId":"2"}`)
		Expect(another.status).To(Equal(http.StatusCreated), another.String())
		Expect(another.id()).NotTo(Equal(id))
	})

	DescribeTable("§3.9: the answer has what was asked for, and always id and schemas",
		func(ctx SpecContext, query, want string) {
			t := newTenant(ctx)
			id := t.call(http.MethodPost, "/Users", `{"userName":"ada","name":{"givenName":"A","familyName":"L"},"emails":[{"value":"a@b","type":"work"}],"`+enterprise+`":{"department":"d","division":"v"}}`).id()
			for _, shown := range []map[string]any{t.get("/Users/" + id + "?" + query).body, t.get("/Users?" + query).resources()[0]} {
				Expect(shown).To(SatisfyAll(HaveKeyWithValue("id", id), HaveKey("schemas")))
				for _, always := range []string{"id", "schemas", "meta"} {
					delete(shown, always)
				}
				Expect(inJSON(shown)).To(MatchJSON(want))
			}
		},
		Entry("one attribute", "attributes=username", `{"userName":"ada"}`),
		Entry("a sub-attribute", "attributes=name.givenName", `{"name":{"givenName":"A"}}`),
		Entry("a sub-attribute of every value", "attributes=emails.type", `{"emails":[{"type":"work"}]}`),
		Entry("§3.10 names behind URNs", "attributes="+enterprise+":department,urn:ietf:params:scim:schemas:core:2.0:User:userName",
			`{"userName":"ada","`+enterprise+`":{"department":"d"}}`),
		Entry("a whole extension", "attributes="+enterprise, `{"`+enterprise+`":{"department":"d","division":"v"}}`),
		Entry("nothing known", "attributes=shoeSize", `{}`),
		Entry("all but some", "excludedAttributes=id,schemas,emails.type,name,active,"+enterprise+":division",
			`{"userName":"ada","emails":[{"value":"a@b"}],"`+enterprise+`":{"department":"d"}}`),
	)

	It("§3.10: an attribute can be named behind its schema's URN in filters and paths, in any case", func(ctx SpecContext) {
		t := newTenant(ctx)
		id := t.addUser("ada")
		core := "URN:ietf:params:scim:schemas:CORE:2.0:user:"
		a := t.patch("/Users/"+id, `{"op":"add","path":"`+core+`name.givenName","value":"A"}`, `{"op":"add","path":"`+strings.ToUpper(enterprise)+`:manager.value","value":"m"}`)
		Expect(a.status).To(Equal(http.StatusOK), a.String())
		for _, filter := range []string{core + `name.givenName eq "a"`, enterprise + `:manager.value eq "m"`, core + `userName eq "ADA"`} {
			Expect(t.get("/Users?filter="+url.QueryEscape(filter)).resources()).To(ConsistOf(HaveKeyWithValue("id", id)), filter)
		}
	})

	It("§3.12: an error's status is a string, and its scimType tells what kind of 400 or 409 it is", func(ctx SpecContext) {
		t := newTenant(ctx)
		Expect(t.get("/Users/nobody").body).To(SatisfyAll(HaveKeyWithValue("status", "404"), Not(HaveKey("scimType"))))
		t.addUser("ada")
		Expect(t.call(http.MethodPost, "/Users", `{"userName":"Ada"}`).body).To(SatisfyAll(HaveKeyWithValue("status", "409"), HaveKeyWithValue("scimType", "uniqueness")))
	})

	It("§3.13: the version is in the path, and there is no other", func(ctx SpecContext) {
		t := newTenant(ctx)
		Expect(t.send(http.MethodGet, t.url+"/scim/v2/Users", nil).status).To(Equal(http.StatusOK))
		Expect(t.send(http.MethodGet, t.url+"/scim/v1/Users", nil).status).To(Equal(http.StatusNotFound))
	})

	It("§3.14: a version is weak, * stands for any, and one of several is enough", func(ctx SpecContext) {
		t := newTenant(ctx)
		path := "/Users/" + t.addUser("ada")
		version := t.get(path).header.Get("ETag")
		Expect(version).To(HavePrefix("W/"))
		Expect(t.get(path, "If-None-Match", `W/"other", `+version).status).To(Equal(http.StatusNotModified))
		Expect(t.get(path, "If-None-Match", `W/"other"`).status).To(Equal(http.StatusOK))
		Expect(t.call(http.MethodPut, path, `{"userName":"ada","title":"x"}`, "If-None-Match", "*").status).To(Equal(http.StatusPreconditionFailed))
		Expect(t.call(http.MethodPut, path, `{"userName":"ada","title":"x"}`, "If-Match", "*").status).To(Equal(http.StatusOK))
		Expect(t.call(http.MethodDelete, path, nil, "If-Match", `W/"other"`).status).To(Equal(http.StatusPreconditionFailed))
	})

	DescribeTable("§3.5.2: a group's PATCH is all or nothing",
		func(ctx SpecContext, bad string) {
			t := newTenant(ctx)
			ada, bob := t.addUser("ada"), t.addUser("bob")
			group := t.addGroup("G", ada)
			before := t.get("/Groups/" + group).text
			a := t.patch("/Groups/"+group, `{"op":"add","path":"members","value":["`+bob+`"]}`, `{"op":"replace","path":"displayName","value":"H"}`, bad)
			Expect(a.status).To(Equal(http.StatusBadRequest), a.String())
			Expect(t.get("/Groups/" + group).text).To(Equal(before))
		},
		Entry("beside an unknown member", `{"op":"add","path":"members","value":["nobody"]}`),
		Entry("beside a removal of what is required", `{"op":"remove","path":"displayName"}`),
		Entry("beside an unknown path", `{"op":"remove","path":"colour"}`),
	)
})
