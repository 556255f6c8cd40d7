package scimserver_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func jsonNumber(s string) json.Number { return json.Number(s) }

var _ = Describe("A group", func() {
	It("is created with its members and shows who they are", func(ctx SpecContext) {
		t := newTenant(ctx)
		ada := t.addUser("ada")
		inner := t.addGroup("Inner")
		a := t.call(http.MethodPost, "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
			"externalId":"e","displayName":"Engineers","meta":{"resourceType":"Group"},"members":[{"value":"`+ada+`","display":"wrong"},{"value":"`+inner+`"},{"value":"`+ada+`"}]}`)
		Expect(a.status).To(Equal(http.StatusCreated), a.String())
		base := externalURL + "/scim/v2/" + t.namespace + "/okta"
		Expect(a.header.Get("Location")).To(Equal(base + "/Groups/" + a.id()))
		Expect(a.body).To(SatisfyAll(
			HaveKeyWithValue("schemas", ConsistOf("urn:ietf:params:scim:schemas:core:2.0:Group")),
			HaveKeyWithValue("externalId", "e"),
			HaveKeyWithValue("members", ConsistOf(
				SatisfyAll(HaveKeyWithValue("value", ada), HaveKeyWithValue("$ref", base+"/Users/"+ada), HaveKeyWithValue("type", "User"), HaveKeyWithValue("display", "ada")),
				SatisfyAll(HaveKeyWithValue("value", inner), HaveKeyWithValue("$ref", base+"/Groups/"+inner), HaveKeyWithValue("type", "Group"))))))
		Expect(t.get("/Groups/" + a.id()).body).To(Equal(a.body))
		Expect(t.get("/Users/" + ada).body).To(HaveKeyWithValue("groups", ConsistOf(SatisfyAll(
			HaveKeyWithValue("value", a.id()), HaveKeyWithValue("display", "Engineers"), HaveKeyWithValue("$ref", base+"/Groups/"+a.id())))))
	})

	It("is renamed by Okta with its id in the value, and again with every change, at no cost", func(ctx SpecContext) {
		t := newTenant(ctx)
		ada := t.addUser("ada")
		id := t.addGroup("Old", ada)
		rename := `{"op":"replace","value":{"id":"` + id + `","displayName":"New"}}`
		Expect(t.patch("/Groups/"+id, rename).status).To(Equal(http.StatusNoContent))
		before := t.stored(ctx)
		Expect(t.patch("/Groups/"+id, rename, `{"op":"add","path":"members","value":[{"value":"`+ada+`","display":"ada"}]}`).status).To(Equal(http.StatusNoContent))
		Expect(t.stored(ctx)).To(Equal(before))
		Expect(t.get("/Groups/" + id).body).To(SatisfyAll(HaveKeyWithValue("displayName", "New"), HaveKeyWithValue("members", HaveLen(1))))
	})

	DescribeTable("changes its members in every form",
		func(ctx SpecContext, want string, operations ...string) {
			t := newTenant(ctx)
			ids := map[string]string{"a": t.addUser("a"), "b": t.addUser("b"), "c": t.addUser("c"), "d": t.addUser("d")}
			group := t.addGroup("G", ids["a"], ids["b"], ids["c"])
			for i, o := range operations {
				for name, id := range ids {
					o = strings.ReplaceAll(o, "<"+name+">", id)
				}
				operations[i] = o
			}
			a := t.patch("/Groups/"+group, operations...)
			Expect(a.status).To(Equal(http.StatusNoContent), a.String())
			Expect(a.text).To(BeEmpty())
			expected := []string{}
			for _, name := range want {
				expected = append(expected, ids[string(name)])
			}
			Expect(t.members(group)).To(ConsistOf(expected))
		},
		Entry("Okta's removal and addition", "bcd", `{"op":"remove","path":"members[value eq \"<a>\"]"}`, `{"op":"add","path":"members","value":[{"value":"<d>","display":"d"}]}`),
		Entry("Okta's full push", "d", `{"op":"replace","path":"members","value":[{"value":"<d>"}]}`),
		Entry("a full push without path", "ad", `{"op":"replace","value":{"members":[{"value":"<d>"},{"value":"<a>"}]}}`),
		Entry("Entra ID's removal by value", "bc", `{"op":"Remove","path":"members","value":[{"$ref":null,"value":"<a>"}]}`),
		Entry("Entra ID's addition", "abcd", `{"op":"Add","path":"members","value":[{"$ref":null,"value":"<d>"}]}`),
		Entry("a bare string", "abcd", `{"op":"add","path":"members","value":"<d>"}`),
		Entry("everybody removed", "", `{"op":"remove","path":"members"}`),
		Entry("an empty list", "", `{"op":"replace","path":"members","value":[]}`),
		Entry("nobody removed", "abc", `{"op":"remove","path":"members[value eq \"nobody\"]"}`),
		Entry("an empty removal", "abc", `{"op":"remove","path":"members","value":[]}`),
		Entry("in order: added and removed", "abc", `{"op":"add","path":"members","value":[{"value":"<d>"}]}`, `{"op":"remove","path":"members[value eq \"<d>\"]"}`),
		Entry("in order: removed and added", "abc", `{"op":"remove","path":"members[value eq \"<a>\"]"}`, `{"op":"add","path":"members","value":[{"value":"<a>"}]}`),
		Entry("in order: replaced after all", "d", `{"op":"add","path":"members","value":[{"value":"<a>"}]}`, `{"op":"replace","path":"members","value":[{"value":"<d>"}]}`),
		Entry("a filter with or", "c", `{"op":"remove","path":"members[value eq \"<a>\" or value eq \"<b>\"]"}`),
		Entry("a filter on the type, after an addition", "d", `{"op":"remove","path":"members[type eq \"User\"]"}`, `{"op":"add","path":"members","value":[{"value":"<d>"}]}`),
		Entry("a filter on the name", "bc", `{"op":"remove","path":"members[display eq \"A\"]"}`),
		Entry("a filter that does not hold", "abc", `{"op":"remove","path":"members[value eq \"<a>\" and type eq \"Group\"]"}`),
	)

	It("is replaced whole by PUT, without id in the body, and without members it has none", func(ctx SpecContext) {
		t := newTenant(ctx)
		ada, bob := t.addUser("ada"), t.addUser("bob")
		id := t.addGroup("G", ada)
		a := t.call(http.MethodPut, "/Groups/"+id, `{"displayName":"G2","members":[{"value":"`+bob+`"}]}`)
		Expect(a.status).To(Equal(http.StatusOK), a.String())
		Expect(a.body).To(SatisfyAll(HaveKeyWithValue("id", id), HaveKeyWithValue("displayName", "G2"),
			HaveKeyWithValue("members", ConsistOf(HaveKeyWithValue("value", bob)))))
		a = t.call(http.MethodPut, "/Groups/"+id, `{"displayName":"G2"}`)
		Expect(a.status).To(Equal(http.StatusOK))
		Expect(a.body).NotTo(HaveKey("members"))
		Expect(t.members(id)).To(BeEmpty())
	})

	It("answers a PATCH with the resource when attributes are asked for", func(ctx SpecContext) {
		t := newTenant(ctx)
		id := t.addGroup("G", t.addUser("ada"))
		a := t.call(http.MethodPatch, "/Groups/"+id+"?attributes=displayName", `{"Operations":[{"op":"replace","path":"displayName","value":"H"}]}`)
		Expect(a.status).To(Equal(http.StatusOK), a.String())
		Expect(a.body).To(SatisfyAll(HaveKeyWithValue("displayName", "H"), Not(HaveKey("members"))))
	})

	It("is found and listed, with members or without", func(ctx SpecContext) {
		t := newTenant(ctx)
		ada := t.addUser("ada")
		engineers := t.addGroup("Engineers", ada)
		sales := t.call(http.MethodPost, "/Groups", `{"displayName":"Sales","externalId":"X"}`).id()
		for filter, want := range map[string][]string{
			`displayName eq "ENGINEERS"`:                                {engineers},
			`externalId eq "X"`:                                         {sales},
			`id eq "` + sales + `"`:                                     {sales},
			`members.value eq "` + ada + `"`:                            {engineers},
			`members eq "` + ada + `"`:                                  {engineers},
			`members[value eq "` + ada + `"]`:                           {engineers},
			`displayName eq "Sales" and members.value eq "` + ada + `"`: {},
			`members pr`:                                                {engineers},
			`not (members pr)`:                                          {sales},
			`displayName sw "s" or displayName co "NEER"`:               {engineers, sales},
		} {
			ids := []string{}
			a := t.get("/Groups?excludedAttributes=members&filter=" + url.QueryEscape(filter))
			for _, g := range a.resources() {
				ids = append(ids, g["id"].(string))
				Expect(g).NotTo(HaveKey("members"))
			}
			Expect(ids).To(ConsistOf(want), filter)
		}
		Expect(t.get("/Groups?startIndex=1&count=100").resources()).To(ContainElement(HaveKeyWithValue("members", HaveLen(1))))
		Expect(t.get("/Groups/" + engineers + "?excludedAttributes=members").body).NotTo(HaveKey("members"))
		Expect(t.get("/Groups/" + engineers + "?attributes=members.value").body).To(HaveKeyWithValue("members", ConsistOf(map[string]any{"value": ada})))
	})

	It("loses no member when several are added at the same time", func(ctx SpecContext) {
		t := newTenant(ctx)
		group := t.addGroup("G")
		var ids []string
		for i := range 20 {
			ids = append(ids, t.addUser(fmt.Sprintf("u%d", i)))
		}
		var calls sync.WaitGroup
		for _, id := range ids {
			calls.Go(func() {
				defer GinkgoRecover()
				a := t.patch("/Groups/"+group, `{"op":"Add","path":"members","value":[{"value":"`+id+`"}]}`)
				Expect(a.status).To(Equal(http.StatusNoContent), a.String())
			})
		}
		calls.Wait()
		Expect(t.members(group)).To(ConsistOf(ids))
	})

	It("changes its version with its members, and versions are honoured", func(ctx SpecContext) {
		t := newTenant(ctx)
		ada := t.addUser("ada")
		id := t.addGroup("G")
		path := "/Groups/" + id
		first := t.get(path).header.Get("ETag")
		added := t.patch(path, `{"op":"add","path":"members","value":[{"value":"`+ada+`"}]}`)
		second := t.get(path).header.Get("ETag")
		Expect(second).NotTo(Equal(first))
		Expect(added.header.Get("ETag")).To(Equal(second))
		Expect(t.get(path, "If-None-Match", second).status).To(Equal(http.StatusNotModified))
		before := t.stored(ctx)
		for method, body := range map[string]any{
			http.MethodPut:    `{"displayName":"H"}`,
			http.MethodPatch:  `{"Operations":[{"op":"remove","path":"members"}]}`,
			http.MethodDelete: nil,
		} {
			Expect(t.call(method, path, body, "If-Match", first).status).To(Equal(http.StatusPreconditionFailed), method)
		}
		Expect(t.stored(ctx)).To(Equal(before))
	})

	It("is gone after DELETE, with its memberships", func(ctx SpecContext) {
		t := newTenant(ctx)
		ada := t.addUser("ada")
		id := t.addGroup("G", ada)
		Expect(t.call(http.MethodDelete, "/Groups/"+id, nil).status).To(Equal(http.StatusNoContent))
		Expect(t.get("/Groups/" + id).status).To(Equal(http.StatusNotFound))
		Expect(t.get("/Users/" + ada).body).NotTo(HaveKey("groups"))
		Expect(t.stored(ctx)).To(HaveLen(1))
	})

	It("no longer shows a member that was deleted", func(ctx SpecContext) {
		t := newTenant(ctx)
		ada, bob := t.addUser("ada"), t.addUser("bob")
		id := t.addGroup("G", ada, bob)
		t.call(http.MethodDelete, "/Users/"+ada, nil)
		Expect(t.members(id)).To(ConsistOf(bob))
	})
})
