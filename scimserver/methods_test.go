package scimserver_test

import (
	"net/http"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver"
)

var _ = Describe("RFC 9110 §9.3: every route", func() {
	allowed := map[string]string{
		"/Users":          "GET, POST, HEAD, OPTIONS",
		"/Users/{user}":   "DELETE, GET, PATCH, PUT, HEAD, OPTIONS",
		"/Groups":         "GET, POST, HEAD, OPTIONS",
		"/Groups/{group}": "DELETE, GET, PATCH, PUT, HEAD, OPTIONS",
		"/.search":        "POST, OPTIONS",
		"/Bulk":           "POST, OPTIONS",
		"/Users/.search":  "POST, OPTIONS",
		"/Groups/.search": "POST, OPTIONS",
		"/Schemas":        "GET, HEAD, OPTIONS",
		"/Schemas/urn:ietf:params:scim:schemas:core:2.0:User": "GET, HEAD, OPTIONS",
		"/ResourceTypes":         "GET, HEAD, OPTIONS",
		"/ResourceTypes/User":    "GET, HEAD, OPTIONS",
		"/ServiceProviderConfig": "GET, HEAD, OPTIONS",
	}

	It("answers HEAD as GET without a body, OPTIONS with Allow, and refuses the rest with Allow", func(ctx SpecContext) {
		t := newTenant(ctx, func(d *v1alpha1.ScimDirectory) { d.Spec.Tokens[0].Scopes = everything })
		ids := strings.NewReplacer("{user}", t.addUser("ada"), "{group}", t.addGroup("Engineers"))
		for path, allow := range allowed {
			path = ids.Replace(path)
			options := t.call(http.MethodOptions, path, nil)
			Expect(options.status).To(Equal(http.StatusNoContent), path)
			Expect(options.text).To(BeEmpty(), path)
			Expect(options.header.Get("Allow")).To(Equal(allow), path)

			head, get := t.call(http.MethodHead, path, nil), t.get(path)
			Expect(head.status).To(Equal(get.status), path)
			Expect(head.text).To(BeEmpty(), path)
			if strings.Contains(allow, "GET") {
				Expect(get.status).To(Equal(http.StatusOK), path)
				Expect(head.header.Get("Content-Length")).To(Equal(strconv.Itoa(len(get.text))), path)
				Expect(head.header.Get("Content-Type")).To(Equal(get.header.Get("Content-Type")), path)
				Expect(head.header.Get("ETag")).To(Equal(get.header.Get("ETag")), path)
			} else {
				Expect(get.status).To(Equal(http.StatusMethodNotAllowed), path)
				Expect(head.header.Get("Allow")).To(Equal(allow), path)
			}
			wrong := t.call("MOVE", path, nil)
			Expect(wrong.status).To(Equal(http.StatusMethodNotAllowed), path)
			Expect(wrong.header.Get("Allow")).To(Equal(allow), path)
			Expect(wrong.body).To(HaveKeyWithValue("detail", ContainSubstring(allow)), path)
		}
		Expect(t.call(http.MethodOptions, "/Nothing", nil).status).To(Equal(http.StatusNotFound))
		Expect(t.call(http.MethodOptions, "/Users", nil, "Authorization", "").status).To(Equal(http.StatusUnauthorized))
	})

	It("tells a token that may only read its methods", func(ctx SpecContext) {
		t := newTenant(ctx, func(d *v1alpha1.ScimDirectory) { d.Spec.Tokens[0].Scopes = []v1alpha1.TokenScope{v1alpha1.ScopeRead} })
		Expect(t.call(http.MethodOptions, "/Users", nil).status).To(Equal(http.StatusNoContent))
	})
})

var _ = Describe("RFC 7644 §3.9: attributes and excludedAttributes", func() {
	It("cut every answer that holds a resource", func(ctx SpecContext) {
		t := newTenant(ctx)
		const person = `{"userName":"ada","title":"Countess","name":{"givenName":"Ada","familyName":"Lovelace"}}`
		made := t.call(http.MethodPost, "/Users?attributes=name.givenName", person)
		Expect(made.status).To(Equal(http.StatusCreated))
		only := SatisfyAll(HaveKey("id"), HaveKey("schemas"), HaveLen(3), HaveKeyWithValue("name", Equal(map[string]any{"givenName": "Ada"})))
		Expect(made.body).To(only)
		Expect(made.header.Get("Location")).To(HaveSuffix("/Users/" + made.id()))
		Expect(made.header.Get("ETag")).NotTo(BeEmpty())
		user := "/Users/" + made.id()
		Expect(t.call(http.MethodPut, user+"?attributes=urn:ietf:params:scim:schemas:core:2.0:User:name.givenName", person).body).To(only)
		Expect(t.call(http.MethodPatch, user+"?attributes=name.givenName", `{"Operations":[{"op":"add","path":"nickName","value":"A"}]}`).body).To(only)
		Expect(t.get(user + "?attributes=name.givenName").body).To(only)
		Expect(t.search("/Users", `,"attributes":["name.givenName"]`).resources()[0]).To(only)
		Expect(t.search("", `,"attributes":["name.givenName"]`).resources()[0]).To(only)
		for _, a := range []*answer{
			t.call(http.MethodPut, user+"?excludedAttributes=name,meta", person),
			t.call(http.MethodPatch, user+"?excludedAttributes=name,meta", `{"Operations":[{"op":"add","path":"nickName","value":"A"}]}`),
			t.get(user + "?excludedAttributes=name,meta"),
		} {
			Expect(a.body).To(SatisfyAll(HaveKey("title"), HaveKey("id"), Not(HaveKey("name")), Not(HaveKey("meta"))), a.String())
		}
	})

	It("make a PATCH of a group answer with the group where attributes are named", func(ctx SpecContext) {
		t := newTenant(ctx)
		ada := t.addUser("ada")
		group := "/Groups/" + t.addGroup("Engineers", ada)
		const rename = `{"Operations":[{"op":"replace","path":"displayName","value":"Builders"}]}`
		Expect(t.call(http.MethodPatch, group, rename).status).To(Equal(http.StatusNoContent))
		Expect(t.call(http.MethodPatch, group+"?attributes=members.value", rename).body).To(SatisfyAll(
			HaveKeyWithValue("members", ConsistOf(Equal(map[string]any{"value": ada}))), Not(HaveKey("displayName"))))
		Expect(t.call(http.MethodPut, group+"?attributes=displayName", `{"displayName":"Builders"}`).body).To(SatisfyAll(HaveKey("displayName"), HaveKey("id"), Not(HaveKey("members"))))
		Expect(t.call(http.MethodPost, "/Groups?excludedAttributes=members", `{"displayName":"x","members":[{"value":"`+ada+`"}]}`).body).To(SatisfyAll(HaveKey("displayName"), Not(HaveKey("members"))))
	})
})

var _ = Describe("Addresses behind a proxy", func() {
	It("follow X-Forwarded-* only where the server is told to trust them", func(ctx SpecContext) {
		t := newTenant(ctx)
		ada := t.addUser("ada")
		group := t.addGroup("Engineers", ada)
		forwarded := []string{"X-Forwarded-Proto", "https", "X-Forwarded-Host", "idp.example.org:8443", "X-Forwarded-Prefix", "/tenants/a"}
		location := func(a *answer) string { return a.body["meta"].(map[string]any)["location"].(string) }
		below := "/scim/v2/" + t.namespace + "/okta"
		Expect(location(t.get("/Users/"+ada, forwarded...))).To(Equal(externalURL + below + "/Users/" + ada))

		t.url = serve(storage, scimserver.Options{TrustForwardedHeaders: true}).URL
		const trusted = "https://idp.example.org:8443/tenants/a"
		Expect(location(t.get("/Users/"+ada, forwarded...))).To(Equal(trusted + below + "/Users/" + ada))
		Expect(t.get("/Groups/"+group, forwarded...).body).To(HaveKeyWithValue("members", ConsistOf(HaveKeyWithValue("$ref", trusted+below+"/Users/"+ada))))
		made := t.call(http.MethodPost, "/Users", `{"userName":"bob"}`, forwarded...)
		Expect(made.header.Get("Location")).To(Equal(trusted + below + "/Users/" + made.id()))
		Expect(location(t.get("/ServiceProviderConfig", forwarded...))).To(Equal(trusted + below + "/ServiceProviderConfig"))
		Expect(location(t.get("/Users/" + ada))).To(Equal(externalURL + below + "/Users/" + ada))
		Expect(location(t.get("/Users/"+ada, "X-Forwarded-Host", `evil.example/"><script>`))).To(Equal(externalURL + below + "/Users/" + ada))
	})
})
