package scimserver_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

const acme = "urn:ietf:params:scim:schemas:extension:acme:2.0:User"

// declaring adds an extension to a directory, given by its attributes in JSON.
func declaring(urn string, resourceType v1alpha1.ExtendedResourceType, attributes string) func(*v1alpha1.ScimDirectory) {
	return func(d *v1alpha1.ScimDirectory) {
		e := v1alpha1.ExtensionSchema{URN: urn, Name: "Acme", Description: "What Acme adds.", ResourceType: resourceType}
		Expect(json.Unmarshal([]byte(attributes), &e.Attributes)).To(Succeed())
		d.Spec.Extensions = append(d.Spec.Extensions, e)
	}
}

// redeclare replaces the extensions of a directory and waits until the server knows.
func (t *tenant) redeclare(ctx context.Context, name string, changes ...func(*v1alpha1.ScimDirectory)) {
	GinkgoHelper()
	d := &v1alpha1.ScimDirectory{}
	Expect(cluster.Get(ctx, client.ObjectKey{Namespace: t.namespace, Name: t.directory}, d)).To(Succeed())
	d.Spec.Extensions = nil
	for _, change := range changes {
		change(d)
	}
	Expect(cluster.Update(ctx, d)).To(Succeed())
	Eventually(func() string { return t.get("/Schemas").text }).WithTimeout(20 * time.Second).Should(ContainSubstring(name))
}

// person posts a user with these attributes of Acme's extension, and returns its path.
func (t *tenant) person(userName, extension string) string {
	GinkgoHelper()
	a := t.call(http.MethodPost, "/Users", fmt.Sprintf(`{"userName":%q,%q:%s}`, userName, acme, extension))
	Expect(a.status).To(Equal(http.StatusCreated), a.String())
	return "/Users/" + a.id()
}

func (t *tenant) userNames(filter string) []string {
	GinkgoHelper()
	a := t.get("/Users?filter=" + url.QueryEscape(filter))
	Expect(a.status).To(Equal(http.StatusOK), a.String())
	names := []string{}
	for _, r := range a.resources() {
		names = append(names, r["userName"].(string))
	}
	return names
}

// extension is what an answer shows of Acme's extension, as JSON.
func (a *answer) extension() string {
	GinkgoHelper()
	shown, err := json.Marshal(a.body[acme])
	Expect(err).NotTo(HaveOccurred())
	return string(shown)
}

var _ = Describe("An extension that a directory declares (RFC 7643 §3.3)", func() {
	staff := declaring(acme, v1alpha1.ExtendsUser, `[
		{"name":"level","type":"integer"}, {"name":"rate","type":"decimal"}, {"name":"remote","type":"boolean"},
		{"name":"since","type":"dateTime"}, {"name":"badge","type":"string","caseExact":true}, {"name":"key","type":"binary"},
		{"name":"tags","type":"string","multiValued":true,"canonicalValues":["red"]},
		{"name":"desks","type":"complex","multiValued":true,"subAttributes":[{"name":"type","type":"string"},{"name":"value","type":"string","required":true}]},
		{"name":"site","type":"complex","subAttributes":[{"name":"city","type":"string"},{"name":"floor","type":"integer"}]}]`)

	It("is announced in the Schemas and ResourceTypes of that directory alone (RFC 7644 §4)", func(ctx SpecContext) {
		okta := newTenant(ctx, staff)
		entra := newDirectory(ctx, okta.namespace, "entra", declaring("urn:acme:Team", v1alpha1.ExtendsGroup, `[{"name":"cost","type":"decimal"}]`))

		a := okta.get("/Schemas/" + acme)
		Expect(a.status).To(Equal(http.StatusOK), a.String())
		Expect(a.body).To(SatisfyAll(HaveKeyWithValue("name", "Acme"), HaveKeyWithValue("description", "What Acme adds."), HaveKeyWithValue("attributes", HaveLen(9))))
		Expect(a.text).To(ContainSubstring(`{"name":"tags","type":"string","multiValued":true,"description":"","required":false,` +
			`"canonicalValues":["red"],"caseExact":false,"mutability":"readWrite","returned":"default","uniqueness":"none"}`))
		Expect(a.text).To(ContainSubstring(`{"name":"key","type":"binary","multiValued":false,"description":"","required":false,"caseExact":true,`))
		Expect(okta.get("/ResourceTypes/User").body).To(HaveKeyWithValue("schemaExtensions", ConsistOf(
			HaveKeyWithValue("schema", enterprise), SatisfyAll(HaveKeyWithValue("schema", acme), HaveKeyWithValue("required", false)))))
		Expect(okta.get("/ResourceTypes/Group").body).NotTo(HaveKey("schemaExtensions"))

		Expect(entra.get("/Schemas/" + acme).status).To(Equal(http.StatusNotFound))
		Expect(entra.get("/ResourceTypes").text).NotTo(ContainSubstring(acme))
		Expect(entra.get("/ResourceTypes/Group").body).To(HaveKeyWithValue("schemaExtensions", ConsistOf(HaveKeyWithValue("schema", "urn:acme:Team"))))
		Expect(entra.get("/Schemas").body).To(HaveKeyWithValue("totalResults", json.Number("4")))

		By("keeping it as sent where it is not declared, and no filter there knows it")
		Expect(entra.get(entra.person("ada", `{"level":"high","Unknown":[1]}`)).extension()).To(MatchJSON(`{"level":"high","Unknown":[1]}`))
		Expect(entra.get("/Users?filter=" + url.QueryEscape(acme+":level eq 1")).scimType()).To(Equal("invalidFilter"))
	})

	It("is brought into the types that it declares (RFC 7643 §2.3)", func(ctx SpecContext) {
		t := newTenant(ctx, staff)
		path := t.person("ada", `{"LEVEL":"7","rate":1.50,"remote":"True","since":"2026-01-31T12:00:00Z","badge":7,"tags":"red",
			"desks":["A1"],"site":{"City":"Berlin","floor":3,"unknown":1},"unknown":1}`)
		a := t.get(path)
		Expect(a.extension()).To(MatchJSON(`{"level":7,"rate":1.5,"remote":true,"since":"2026-01-31T12:00:00Z","badge":"7","tags":["red"],
			"desks":[{"value":"A1"}],"site":{"city":"Berlin","floor":3}}`))
		Expect(a.body).To(HaveKeyWithValue("schemas", ContainElement(acme)))
	})

	DescribeTable("refuses what does not fit, and says where (RFC 7644 §3.12 invalidValue)", func(ctx SpecContext, extension, detail string) {
		t := newTenant(ctx, staff)
		sent := fmt.Sprintf(`{"userName":"ada",%q:%s}`, acme, extension)
		for _, a := range []*answer{
			t.call(http.MethodPost, "/Users", sent),
			t.call(http.MethodPut, "/Users/"+t.addUser("bob"), sent),
			t.patch("/Users/"+t.addUser("cyd"), fmt.Sprintf(`{"op":"add","value":{%q:%s}}`, acme, extension)),
		} {
			Expect(a.status).To(Equal(http.StatusBadRequest), a.String())
			Expect(a.scimType()).To(Equal("invalidValue"))
			Expect(a.body).To(HaveKeyWithValue("detail", ContainSubstring(acme+":"+detail)))
		}
	},
		Entry("a fraction for an integer", `{"level":1.5}`, "level must be an integer between -9007199254740991 and 9007199254740991"),
		Entry("an integer that JSON parsers round", `{"level":9007199254740992}`, "level must be an integer between"),
		Entry("a boolean for an integer", `{"level":true}`, "level must be an integer, not a boolean"),
		Entry("a number beyond 64 bits", `{"rate":1e999}`, "rate must be a number such as 1.5 that fits 64 bits"),
		Entry("a number that JSON has not", `{"rate":"NaN"}`, "rate must be a number such as 1.5 that fits 64 bits"),
		Entry("a word for a boolean", `{"remote":"maybe"}`, "remote must be true or false"),
		Entry("a date without time", `{"since":"2026-01-31"}`, "since must be a date and time"),
		Entry("what is not base64", `{"key":"#"}`, "key must be base64"),
		Entry("an object for a string", `{"badge":{}}`, "badge must be a string, not an object"),
		Entry("a part", `{"site":{"floor":"top"}}`, "site.floor must be an integer"),
		Entry("a required part that is missing", `{"desks":[{"type":"a"}]}`, "desks[0].value is required"),
	)

	It("can be filtered by, each attribute by its type (RFC 7644 §3.4.2.2)", func(ctx SpecContext) {
		t := newTenant(ctx, staff)
		t.person("ada", `{"level":10,"rate":2.5,"remote":true,"since":"2026-01-01T00:00:00+01:00","badge":"Ab","tags":["Red","blue"],"desks":[{"type":"a","value":"1"}],"site":{"city":"Berlin"}}`)
		t.person("bob", `{"level":9,"rate":-1e3,"since":"2026-06-01T00:00:00Z","badge":"ab","desks":[{"type":"b","value":"1"},{"type":"a","value":"2"}]}`)
		t.addUser("cyd")
		for filter, want := range map[string][]string{
			":level gt 9": {"ada"}, ":level eq \"9\"": {"bob"}, ":LEVEL ge 9.5": {"ada"}, ":level ne 9": {"ada", "cyd"}, ":rate lt 0": {"bob"},
			":remote eq true": {"ada"}, ":since eq \"2025-12-31T23:00:00Z\"": {"ada"}, ":badge eq \"ab\"": {"bob"},
			":tags co \"RED\"": {"ada"}, ":desks[type eq \"a\" and value eq \"1\"]": {"ada"}, ":desks.value eq \"2\"": {"bob"},
			":site.city sw \"ber\"": {"ada"}, ":level eq null": {"cyd"}, " pr": {"ada", "bob"},
			":level gt 0 and userName eq \"bob\"": {"bob"}, ":level gt 0 and active eq true and meta.created gt \"2020-01-01T00:00:00Z\"": {"ada", "bob"},
		} {
			Expect(t.userNames(acme+filter)).To(ConsistOf(want), filter)
		}
		for _, filter := range []string{":nothing eq 1", ":level co \"1\"", ":level eq \"x\"", ":level gt true", ":site eq \"x\"", ":rate eq NaN"} {
			a := t.get("/Users?filter=" + url.QueryEscape(acme+filter))
			Expect(a.scimType()).To(Equal("invalidFilter"), "%s: %v", filter, a)
		}
	})

	It("can be patched, with its URN in the path or without path (RFC 7644 §3.5.2)", func(ctx SpecContext) {
		t := newTenant(ctx, staff)
		path := t.person("ada", `{"level":1,"tags":["red"],"desks":[{"type":"a","value":"1"}]}`)
		a := t.patch(path,
			`{"op":"replace","path":"`+acme+`:level","value":2}`,
			`{"op":"add","path":"`+acme+`:tags","value":["blue","RED"]}`,
			`{"op":"Add","path":"`+acme+`:desks[type eq \"b\"].value","value":"2"}`,
			`{"op":"remove","path":"`+acme+`:desks[type eq \"a\"]"}`,
			`{"op":"replace","value":{"`+acme+`:site.floor":4,"`+acme+`":{"rate":"0.5","unknown":1}}}`)
		Expect(a.status).To(Equal(http.StatusOK), a.String())
		Expect(a.extension()).To(MatchJSON(`{"level":2,"rate":0.5,"tags":["RED","blue"],"desks":[{"type":"b","value":"2"}],"site":{"floor":4}}`))
		Expect(t.patch(path, `{"op":"remove","path":"`+acme+`"}`).body).NotTo(HaveKey(acme))
		Expect(t.patch(path, `{"op":"add","path":"`+acme+`:nothing","value":1}`).scimType()).To(Equal("invalidPath"))
	})

	It("can be asked for in parts (RFC 7644 §3.9)", func(ctx SpecContext) {
		t := newTenant(ctx, staff)
		path := t.person("ada", `{"level":1,"site":{"city":"Berlin","floor":1}}`)
		Expect(t.get(path + "?attributes=" + acme + ":site.city").extension()).To(MatchJSON(`{"site":{"city":"Berlin"}}`))
		Expect(t.get(path + "?excludedAttributes=" + acme + ":site").extension()).To(MatchJSON(`{"level":1}`))
		Expect(t.get(path + "?excludedAttributes=" + acme).body).NotTo(HaveKey(acme))
	})

	It("extends groups as well", func(ctx SpecContext) {
		const team = "urn:acme:Team"
		t := newTenant(ctx, declaring(team, v1alpha1.ExtendsGroup, `[{"name":"cost","type":"decimal"},{"name":"code","type":"string","mutability":"immutable"}]`))
		user := t.addUser("ada")
		a := t.call(http.MethodPost, "/Groups", `{"displayName":"Staff","members":[{"value":"`+user+`"}],"`+team+`":{"cost":"1.5","code":"a"}}`)
		Expect(a.body).To(HaveKeyWithValue(team, SatisfyAll(HaveKeyWithValue("cost", json.Number("1.5")), HaveKeyWithValue("code", "a"))), a.String())
		path := "/Groups/" + a.id()
		Expect(t.patch(path, `{"op":"replace","path":"`+team+`:cost","value":2}`).status).To(Equal(http.StatusNoContent))
		Expect(t.get("/Groups?filter=" + url.QueryEscape(team+":cost gt 1.9")).resources()).To(HaveLen(1))
		Expect(t.call(http.MethodPut, path, `{"displayName":"Staff","`+team+`":{"code":"b"}}`).scimType()).To(Equal("mutability"))
		Expect(t.get(path).body).To(HaveKeyWithValue("members", HaveLen(1)))
		a = t.call(http.MethodPut, path, `{"displayName":"Staff"}`)
		Expect(a.body).To(SatisfyAll(HaveKeyWithValue(team, Equal(map[string]any{"code": "a"})), Not(HaveKey("members"))), a.String())
	})

	Describe("with the characteristics of RFC 7643 §2.2", func() {
		guarded := declaring(acme, v1alpha1.ExtendsUser, `[
			{"name":"pin","type":"string","mutability":"writeOnly","returned":"never"}, {"name":"hash","type":"string","returned":"never"},
			{"name":"note","type":"string","returned":"request"}, {"name":"kind","type":"string","returned":"always"},
			{"name":"number","type":"string","mutability":"immutable"}, {"name":"score","type":"integer","mutability":"readOnly"},
			{"name":"level","type":"integer"}, {"name":"keys","type":"complex","multiValued":true,"subAttributes":[
				{"name":"value","type":"string"}, {"name":"secret","type":"string","mutability":"writeOnly","returned":"never"}]}]`)
		const all = `{"pin":"1234","hash":"h","note":"n","kind":"k","number":"7","score":1,"level":1,"keys":[{"value":"v","secret":"s"}]}`

		stored := func(ctx context.Context, t *tenant, path string) string {
			GinkgoHelper()
			u := &v1alpha1.ScimUser{}
			Expect(cluster.Get(ctx, client.ObjectKey{Namespace: t.namespace, Name: path[len("/Users/"):]}, u)).To(Succeed())
			return string(u.Spec.Extensions[acme].Raw)
		}

		It("shows what is never returned to nobody, and keeps it", func(ctx SpecContext) {
			t := newTenant(ctx, guarded)
			path := t.person("ada", all)
			const shown = `{"kind":"k","number":"7","level":1,"keys":[{"value":"v"}]}`
			for _, a := range []*answer{
				t.get(path), t.get(path + "?attributes=" + acme + ":pin," + acme + ":hash," + acme),
				t.call(http.MethodPut, path, `{"userName":"ada","`+acme+`":{"kind":"k","level":1,"pin":"4321","keys":[{"value":"v","secret":"t"}]}}`),
				t.patch(path, `{"op":"replace","path":"`+acme+`:hash","value":"i"}`),
			} {
				Expect(a.status).To(Equal(http.StatusOK), a.String())
				Expect(a.text).NotTo(SatisfyAny(ContainSubstring("pin"), ContainSubstring("hash"), ContainSubstring("secret")))
			}
			Expect(t.get("/Users").resources()[0]).To(HaveKeyWithValue(acme, Not(SatisfyAny(HaveKey("pin"), HaveKey("hash")))))
			Expect(t.get(path).extension()).To(MatchJSON(shown))
			Expect(stored(ctx, t, path)).To(MatchJSON(`{"pin":"4321","hash":"i","note":"n","kind":"k","number":"7","level":1,"keys":[{"value":"v","secret":"t"}]}`))
		})

		It("lets no filter guess what is never returned", func(ctx SpecContext) {
			t := newTenant(ctx, guarded)
			t.person("ada", all)
			for _, filter := range []string{":pin sw \"1\"", ":hash pr", ":keys.secret eq \"s\"", ":keys[secret eq \"s\"]", ":keys[value eq \"v\"].secret eq \"s\"", ":pin eq null"} {
				a := t.get("/Users?filter=" + url.QueryEscape(acme+filter))
				Expect(a.scimType()).To(Equal("invalidFilter"), filter)
				Expect(a.body).To(HaveKeyWithValue("detail", ContainSubstring("is never returned, so no filter can ask for it")))
			}
		})

		It("shows on request and always what is declared so (RFC 7644 §3.9)", func(ctx SpecContext) {
			t := newTenant(ctx, guarded)
			path := t.person("ada", all)
			Expect(t.get(path + "?attributes=" + acme + ":note").extension()).To(MatchJSON(`{"note":"n","kind":"k"}`))
			Expect(t.get(path + "?attributes=userName").extension()).To(MatchJSON(`{"kind":"k"}`))
			Expect(t.get(path + "?excludedAttributes=" + acme).extension()).To(MatchJSON(`{"kind":"k"}`))
			Expect(t.get(path + "?excludedAttributes=" + acme + ":kind," + acme + ":keys," + acme + ":number").extension()).To(MatchJSON(`{"kind":"k","level":1}`))
		})

		It("keeps over a PUT what a GET does not show, and over a PATCH only what it does not remove", func(ctx SpecContext) {
			t := newTenant(ctx, guarded)
			path := t.person("ada", all)
			whole := t.get(path).body
			delete(whole, acme)
			Expect(t.call(http.MethodPut, path, whole).status).To(Equal(http.StatusOK))
			Expect(stored(ctx, t, path)).To(MatchJSON(`{"pin":"1234","hash":"h","note":"n","number":"7"}`))
			Expect(t.patch(path, `{"op":"remove","path":"`+acme+`:pin"}`, `{"op":"remove","path":"`+acme+`:note"}`).status).To(Equal(http.StatusOK))
			Expect(stored(ctx, t, path)).To(MatchJSON(`{"hash":"h","number":"7"}`))
		})

		It("ignores read-only values of the identity provider, and keeps those that others set", func(ctx SpecContext) {
			t := newTenant(ctx, guarded)
			path := t.person("ada", `{"level":1,"score":9}`)
			Expect(stored(ctx, t, path)).To(MatchJSON(`{"level":1}`))
			u := &v1alpha1.ScimUser{}
			Expect(cluster.Get(ctx, client.ObjectKey{Namespace: t.namespace, Name: path[len("/Users/"):]}, u)).To(Succeed())
			raw := u.Spec.Extensions[acme]
			raw.Raw = []byte(`{"level":1,"score":5}`)
			u.Spec.Extensions[acme] = raw
			Expect(cluster.Update(ctx, u)).To(Succeed())
			Eventually(func() string { return t.get(path).extension() }).WithTimeout(20 * time.Second).Should(MatchJSON(`{"level":1,"score":5}`))

			Expect(t.call(http.MethodPut, path, `{"userName":"ada","`+acme+`":{"level":2,"score":9}}`).extension()).To(MatchJSON(`{"level":2,"score":5}`))
			Expect(t.patch(path, `{"op":"replace","value":{"`+acme+`":{"score":9},"`+acme+`:score":9,"`+acme+`:level":3}}`).extension()).To(MatchJSON(`{"level":3,"score":5}`))
			Expect(t.patch(path, `{"op":"remove","path":"`+acme+`"}`).extension()).To(MatchJSON(`{"score":5}`))
			Expect(t.patch(path, `{"op":"replace","path":"`+acme+`:score","value":9}`).scimType()).To(Equal("mutability"))
		})

		It("sets an immutable value once (RFC 7644 §3.5.1, §3.12 mutability)", func(ctx SpecContext) {
			t := newTenant(ctx, guarded)
			path := t.person("ada", `{"level":1}`)
			Expect(t.patch(path, `{"op":"add","path":"`+acme+`:number","value":"7"}`).extension()).To(MatchJSON(`{"level":1,"number":"7"}`))
			for _, a := range []*answer{
				t.call(http.MethodPut, path, `{"userName":"ada","`+acme+`":{"number":"8"}}`),
				t.patch(path, `{"op":"replace","path":"`+acme+`:number","value":"8"}`),
				t.patch(path, `{"op":"remove","path":"`+acme+`:number"}`),
				t.patch(path, `{"op":"remove","path":"`+acme+`"}`),
			} {
				Expect(a.status).To(Equal(http.StatusBadRequest), a.String())
				Expect(a.scimType()).To(Equal("mutability"))
				Expect(a.body).To(HaveKeyWithValue("detail", ContainSubstring(acme+":number is immutable and has a value")))
			}
			Expect(t.patch(path, `{"op":"replace","path":"`+acme+`:number","value":"7"}`).status).To(Equal(http.StatusOK))
			Expect(t.call(http.MethodPut, path, `{"userName":"ada","`+acme+`":{"level":2}}`).extension()).To(MatchJSON(`{"level":2,"number":"7"}`))
		})
	})

	Describe("when the declaration changes", func() {
		It("takes effect without a restart, on what was stored before, too", func(ctx SpecContext) {
			t := newTenant(ctx)
			a := t.call(http.MethodPost, "/Users", `{"userName":"ada","URN:ietf:params:scim:schemas:extension:ACME:2.0:User":{"PIN":"1234","Level":3}}`)
			path := "/Users/" + a.id()
			Expect(a.text).To(ContainSubstring("1234"))
			t.redeclare(ctx, acme, declaring(acme, v1alpha1.ExtendsUser,
				`[{"name":"pin","type":"string","mutability":"writeOnly","returned":"never"},{"name":"level","type":"integer"}]`))
			Expect(t.get(path).extension()).To(MatchJSON(`{"level":3}`))
			Expect(t.get("/Users").text).NotTo(ContainSubstring("1234"))
			Expect(t.userNames(acme + ":level eq 3")).To(Equal([]string{"ada"}))
			Expect(t.patch(path, `{"op":"replace","path":"`+acme+`:level","value":4}`).extension()).To(MatchJSON(`{"level":4}`))
		})

		It("hinders no deactivation of whoever does not fit it", func(ctx SpecContext) {
			t := newTenant(ctx)
			path := t.person("ada", `{"level":"high"}`)
			t.redeclare(ctx, acme, declaring(acme, v1alpha1.ExtendsUser, `[{"name":"level","type":"integer"},{"name":"site","type":"string","required":true}]`))
			a := t.patch(path, `{"op":"replace","value":{"active":false}}`)
			Expect(a.status).To(Equal(http.StatusOK), a.String())
			Expect(a.body).To(HaveKeyWithValue("active", false))
			Expect(a.extension()).To(MatchJSON(`{"level":"high"}`))
			Expect(t.patch(path, `{"op":"add","path":"`+acme+`:level","value":1}`).body).To(HaveKeyWithValue("detail", ContainSubstring("site is required")))
			Expect(t.patch(path, `{"op":"add","value":{"`+acme+`":{"level":1,"site":"x"}}}`).extension()).To(MatchJSON(`{"level":1,"site":"x"}`))
			Expect(t.patch(path, `{"op":"remove","path":"`+acme+`:site"}`).scimType()).To(Equal("mutability"))
		})
	})

	It("counts for the most extensions that a user may have", func(ctx SpecContext) {
		t := newTenant(ctx, staff)
		user := map[string]any{"userName": "ada", acme: map[string]any{"level": 1}}
		for i := range 15 {
			user[fmt.Sprint("urn:x:", i)] = map[string]any{"a": 1}
		}
		Expect(t.call(http.MethodPost, "/Users", user).status).To(Equal(http.StatusCreated))
		user["userName"], user["urn:x:more"] = "bob", map[string]any{"a": 1}
		Expect(t.call(http.MethodPost, "/Users", user).body).To(HaveKeyWithValue("detail", HavePrefix("the resource has 17 extensions, more than 16 (request ")))
	})
})
