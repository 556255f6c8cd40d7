package scimserver_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// fullUser has every attribute that a client can set (RFC 7643 §4.1, §4.3), in canonical form.
const fullUser = `{
	"externalId":"701984","userName":"bjensen@example.com","active":true,
	"name":{"formatted":"Ms. Barbara J Jensen, III","familyName":"Jensen","givenName":"Barbara","middleName":"Jane","honorificPrefix":"Ms.","honorificSuffix":"III"},
	"displayName":"Babs Jensen","nickName":"Babs","profileUrl":"https://login.example.com/bjensen","title":"Tour Guide","userType":"Employee",
	"preferredLanguage":"en-US","locale":"en-US","timezone":"America/Los_Angeles",
	"emails":[{"value":"bjensen@example.com","type":"work","primary":true},{"value":"babs@jensen.org","type":"home","display":"at home"}],
	"phoneNumbers":[{"value":"tel:+1-201-555-0123","type":"work"}],
	"ims":[{"value":"someaimhandle","type":"aim"}],
	"photos":[{"value":"https://photos.example.com/72930000000Ccne/F","type":"photo"}],
	"addresses":[{"formatted":"100 Universal City Plaza\nHollywood, CA 91608 USA","streetAddress":"100 Universal City Plaza","locality":"Hollywood",
		"region":"CA","postalCode":"91608","country":"US","type":"work","primary":true}],
	"entitlements":[{"value":"parking"}],"roles":[{"value":"guide","primary":true}],
	"x509Certificates":[{"value":"MIIDQzCCAqygAwIBAgICEAAwDQYJKoZIhvcNAQEFBQAwTjELMAkGA1UEBhMCVVM="}],
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"701984","costCenter":"4130","organization":"Universal Studios",
		"division":"Theme Park","department":"Tour Operations","manager":{"value":"26118915-6090-4610-87e4-49d8ca9f808d"}}}`

var _ = Describe("RFC 7643", func() {
	It("§2.1: names of attributes are read in any case, and shown in the schema's", func(ctx SpecContext) {
		t := newTenant(ctx)
		a := t.call(http.MethodPost, "/Users", `{"USERNAME":"ada","Name":{"FAMILYNAME":"L"},"EMAILS":[{"Value":"a@b","TYPE":"work"}],"`+strings.ToUpper(enterprise)+`":{"Department":"d"}}`)
		Expect(a.status).To(Equal(http.StatusCreated), a.String())
		Expect(a.body).To(SatisfyAll(
			HaveKeyWithValue("userName", "ada"),
			HaveKeyWithValue("name", HaveKeyWithValue("familyName", "L")),
			HaveKeyWithValue("emails", ConsistOf(map[string]any{"value": "a@b", "type": "work"})),
			HaveKeyWithValue(enterprise, HaveKeyWithValue("department", "d"))))
	})

	DescribeTable("§2.3: a value is taken as its attribute's type, or refused with the attribute's name",
		func(ctx SpecContext, attribute, sent, stored string) {
			t := newTenant(ctx)
			a := t.call(http.MethodPost, "/Users", `{"userName":"ada","`+attribute+`":`+sent+`}`)
			if stored == "" {
				Expect(a.status).To(Equal(http.StatusBadRequest), a.String())
				Expect(a.scimType()).To(Equal("invalidValue"))
				Expect(a.body).To(HaveKeyWithValue("detail", ContainSubstring(attribute)))
				return
			}
			Expect(a.status).To(Equal(http.StatusCreated), a.String())
			Expect(inJSON(map[string]any{"v": a.body[attribute]})).To(MatchJSON(`{"v":` + stored + `}`))
		},
		Entry("§2.3.1 a string", "title", `"Ünïcode 日本"`, `"Ünïcode 日本"`),
		Entry("§2.3.1 a number is written out", "title", `7`, `"7"`),
		Entry("§2.3.1 an object is no string", "title", `{"x":1}`, ""),
		Entry("§2.3.2 a boolean", "active", `false`, `false`),
		Entry("§2.3.2 a boolean in a string, in any case", "active", `"False"`, `false`),
		Entry("§2.3.2 a word is no boolean", "active", `"no"`, ""),
		Entry("§2.3.6 base64", "x509Certificates", `[{"value":"AAAA"}]`, `[{"value":"AAAA"}]`),
		Entry("§2.3.6 something else", "x509Certificates", `[{"value":"!"}]`, ""),
		Entry("§2.3.7 a reference", "profileUrl", `"https://example.com/~ada"`, `"https://example.com/~ada"`),
		Entry("§2.3.8 an object", "name", `{"givenName":"Ada"}`, `{"givenName":"Ada"}`),
		Entry("§2.3.8 a list is no object", "name", `["Ada"]`, ""),
		Entry("§2.4 one value is a list of one", "emails", `{"value":"a@b"}`, `[{"value":"a@b"}]`),
		Entry("§2.4 no two elements of one value and type", "emails", `[{"value":"a@b","type":"work"},{"value":"A@b","type":"Work","primary":true}]`,
			`[{"value":"A@b","type":"Work","primary":true}]`),
		Entry("§2.4 one value of two types", "emails", `[{"value":"a@b","type":"work"},{"value":"a@b","type":"home"}]`,
			`[{"value":"a@b","type":"work"},{"value":"a@b","type":"home"}]`),
		Entry("§2.4 two primary values", "phoneNumbers", `[{"value":"1","primary":true},{"value":"2","primary":true}]`, ""),
	)

	DescribeTable("§2.5: what is null or empty is unassigned, and not shown",
		func(ctx SpecContext, nothing string) {
			t := newTenant(ctx)
			id := t.call(http.MethodPost, "/Users", `{"userName":"ada","title":"x","emails":["a@b"]}`).id()
			a := t.call(http.MethodPut, "/Users/"+id, `{"userName":"ada","title":`+nothing+`,"emails":`+nothing+`,"name":{"givenName":`+nothing+`}}`)
			Expect(a.status).To(Equal(http.StatusOK), a.String())
			Expect(a.body).NotTo(Or(HaveKey("title"), HaveKey("emails"), HaveKey("name")))
		},
		Entry("null", `null`),
		Entry("an empty string", `""`),
	)

	It("§3: schemas lists the core schema, and an extension's as long as the resource has it", func(ctx SpecContext) {
		t := newTenant(ctx)
		created := t.call(http.MethodPost, "/Users", `{"schemas":["urn:example:wrong"],"userName":"ada","`+enterprise+`":{"department":"d"}}`)
		Expect(created.body["schemas"]).To(ConsistOf("urn:ietf:params:scim:schemas:core:2.0:User", enterprise))
		a := t.patch("/Users/"+created.id(), `{"op":"remove","path":"`+enterprise+`:department"}`)
		Expect(a.body["schemas"]).To(ConsistOf("urn:ietf:params:scim:schemas:core:2.0:User"))
		Expect(a.body).NotTo(HaveKey(enterprise))
	})

	It("§3.1: id and meta are the server's, externalId is the client's", func(ctx SpecContext) {
		t := newTenant(ctx)
		a := t.call(http.MethodPost, "/Users", `{"id":"mine","userName":"ada","externalId":"Theirs","meta":{"created":"1999-01-01T00:00:00Z","version":"1","resourceType":"x"}}`)
		Expect(a.status).To(Equal(http.StatusCreated), a.String())
		Expect(a.id()).To(MatchRegexp(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`))
		Expect(a.body).To(HaveKeyWithValue("externalId", "Theirs"))
		meta := a.body["meta"].(map[string]any)
		Expect(meta).To(HaveKeyWithValue("resourceType", "User"))
		for _, name := range []string{"created", "lastModified"} {
			at, err := time.Parse(time.RFC3339, meta[name].(string))
			Expect(err).NotTo(HaveOccurred())
			Expect(at).To(BeTemporally("~", time.Now(), time.Minute))
			Expect(meta[name]).To(HaveSuffix("Z"))
		}
	})

	It("§4.1, §4.3: every attribute of a user is kept, and a password is not", func(ctx SpecContext) {
		t := newTenant(ctx)
		var want map[string]any
		Expect(json.Unmarshal([]byte(fullUser), &want)).To(Succeed())
		a := t.call(http.MethodPost, "/Users", strings.Replace(fullUser, "{", `{"password":"t1meMa$heen",`, 1))
		Expect(a.status).To(Equal(http.StatusCreated), a.String())
		got := copied(t.get("/Users/" + a.id()).body)
		for _, decided := range []string{"id", "meta", "schemas"} {
			delete(got, decided)
		}
		Expect(got).To(Equal(want))
	})

	It("§4.1.2: a user's groups are changed through the groups only", func(ctx SpecContext) {
		t := newTenant(ctx)
		ada := t.addUser("ada")
		group, other := t.addGroup("G", ada), t.addGroup("H")
		a := t.call(http.MethodPut, "/Users/"+ada, `{"userName":"ada","groups":[{"value":"`+other+`"}]}`)
		Expect(a.body["groups"]).To(ConsistOf(HaveKeyWithValue("value", group)))
		Expect(t.patch("/Users/"+ada, `{"op":"remove","path":"groups"}`).scimType()).To(Equal("mutability"))
		Expect(t.members(group)).To(ConsistOf(ada))
	})

	It("§4.3: a manager's name is not the client's to say", func(ctx SpecContext) {
		t := newTenant(ctx)
		a := t.call(http.MethodPost, "/Users", `{"userName":"ada","`+enterprise+`":{"manager":{"value":"m","displayName":"M"}}}`)
		Expect(a.body).To(HaveKeyWithValue(enterprise, Equal(map[string]any{"manager": map[string]any{"value": "m"}})))
	})

	It("§5: ServiceProviderConfig says how to authenticate", func(ctx SpecContext) {
		t := newTenant(ctx)
		Expect(t.get("/ServiceProviderConfig").body).To(SatisfyAll(
			HaveKeyWithValue("schemas", ConsistOf("urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig")),
			HaveKeyWithValue("authenticationSchemes", ConsistOf(SatisfyAll(
				HaveKeyWithValue("type", "oauthbearertoken"), HaveKey("name"), HaveKey("description"))))))
	})

	It("§6: a resource type names its endpoint and its schemas", func(ctx SpecContext) {
		t := newTenant(ctx)
		for name, endpoint := range map[string]string{"User": "/Users", "Group": "/Groups"} {
			Expect(t.get("/ResourceTypes/" + name).body).To(SatisfyAll(
				HaveKeyWithValue("schemas", ConsistOf("urn:ietf:params:scim:schemas:core:2.0:ResourceType")),
				HaveKeyWithValue("name", name), HaveKeyWithValue("endpoint", endpoint),
				HaveKeyWithValue("schema", "urn:ietf:params:scim:schemas:core:2.0:"+name)))
		}
	})

	It("§7: a schema gives every attribute its characteristics", func(ctx SpecContext) {
		t := newTenant(ctx)
		var check func(attributes any)
		check = func(attributes any) {
			for _, a := range attributes.([]any) {
				for _, characteristic := range []string{"name", "type", "multiValued", "description", "required", "caseExact", "mutability", "returned", "uniqueness"} {
					Expect(a).To(HaveKey(characteristic))
				}
				if sub, ok := a.(map[string]any)["subAttributes"]; ok {
					Expect(a).To(HaveKeyWithValue("type", "complex"))
					check(sub)
				}
			}
		}
		for _, schema := range t.get("/Schemas").resources() {
			check(schema["attributes"])
		}
		Expect(t.get("/Schemas/urn:ietf:params:scim:schemas:core:2.0:User").body["attributes"]).To(ContainElement(SatisfyAll(
			HaveKeyWithValue("name", "userName"), HaveKeyWithValue("required", true), HaveKeyWithValue("uniqueness", "server"), HaveKeyWithValue("caseExact", false))))
	})
})
