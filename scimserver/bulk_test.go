package scimserver_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver"
)

// bulk sends operations, each given as a JSON object, behind what else the request says.
func (t *tenant) bulk(besides string, operations ...string) *answer {
	GinkgoHelper()
	return t.call(http.MethodPost, "/Bulk",
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],`+besides+`"Operations":[`+strings.Join(operations, ",")+`]}`)
}

// results are those of a bulk request that was carried out.
func (a *answer) results() []map[string]any {
	GinkgoHelper()
	Expect(a.status).To(Equal(http.StatusOK), a.String())
	Expect(a.body).To(HaveKeyWithValue("schemas", ConsistOf("urn:ietf:params:scim:api:messages:2.0:BulkResponse")))
	var results []map[string]any
	for _, r := range a.body["Operations"].([]any) {
		results = append(results, r.(map[string]any))
	}
	return results
}

// statuses are those of the operations.
func (a *answer) statuses() string {
	GinkgoHelper()
	var statuses []string
	for _, r := range a.results() {
		statuses = append(statuses, r["status"].(string))
	}
	return strings.Join(statuses, " ")
}

// made is the id of what the operation in that place has made.
func (a *answer) made(place int) string {
	GinkgoHelper()
	location, ok := a.results()[place]["location"].(string)
	Expect(ok).To(BeTrue(), a.String())
	return location[strings.LastIndexByte(location, '/')+1:]
}

var _ = Describe("Bulk", func() {
	It("carries out every kind of operation and says what became of each (RFC 7644 §3.7, §3.7.3)", func(ctx SpecContext) {
		t := newTenant(ctx)
		kept, gone := t.addUser("kept"), t.addUser("gone")
		group := t.addGroup("Engineers")
		base := externalURL + "/scim/v2/" + t.namespace + "/okta"
		a := t.bulk(``,
			`{"method":"POST","path":"/Users","bulkId":"qwerty","data":{"userName":"ada","password":"x","active":"False"}}`,
			`{"method":"PUT","path":"/Users/`+kept+`","data":{"userName":"kept","displayName":"Kept"}}`,
			`{"method":"PATCH","path":"/Groups/`+group+`","data":{"Operations":[{"op":"Add","path":"members","value":[{"value":"`+kept+`"}]}]}}`,
			`{"method":"DELETE","path":"/Users/`+gone+`"}`,
			`{"method":"DELETE","path":"/Users/`+gone+`"}`,
			`{"method":"POST","path":"/Users","bulkId":"again","data":{"userName":"KEPT"}}`)
		ada := a.made(0)
		user, changed := t.get("/Users/"+ada), t.get("/Users/"+kept)
		Expect(a.results()).To(HaveExactElements(
			Equal(map[string]any{"method": "POST", "bulkId": "qwerty", "status": "201", "location": base + "/Users/" + ada, "version": user.header.Get("ETag")}),
			Equal(map[string]any{"method": "PUT", "status": "200", "location": base + "/Users/" + kept, "version": changed.header.Get("ETag")}),
			Equal(map[string]any{"method": "PATCH", "status": "204", "location": base + "/Groups/" + group, "version": t.get("/Groups/" + group).header.Get("ETag")}),
			Equal(map[string]any{"method": "DELETE", "status": "204", "location": base + "/Users/" + gone}),
			SatisfyAll(HaveKeyWithValue("status", "404"), HaveKeyWithValue("location", base+"/Users/"+gone), HaveKeyWithValue("response", HaveKey("detail"))),
			SatisfyAll(HaveKeyWithValue("status", "409"), HaveKeyWithValue("bulkId", "again"), Not(HaveKey("location")), Not(HaveKey("version")),
				HaveKeyWithValue("response", SatisfyAll(
					HaveKeyWithValue("schemas", ConsistOf("urn:ietf:params:scim:api:messages:2.0:Error")),
					HaveKeyWithValue("status", "409"), HaveKeyWithValue("scimType", "uniqueness"), HaveKeyWithValue("detail", ContainSubstring(kept))))),
		))
		Expect(user.body).To(HaveKeyWithValue("active", false))
		Expect(changed.body).To(HaveKeyWithValue("displayName", "Kept"))
		Expect(t.members(group)).To(ConsistOf(kept))
		Expect(t.get("/Users/" + gone).status).To(Equal(http.StatusNotFound))
	})

	It("puts new users into a new group, whichever comes first (RFC 7644 §3.7.2)", func(ctx SpecContext) {
		t := newTenant(ctx)
		a := t.bulk(``,
			`{"method":"PATCH","path":"/Groups/bulkId:g","data":{"Operations":[{"op":"remove","path":"members[value eq \"bulkId:b\"]"},{"op":"add","path":"members","value":["bulkId:c"]}]}}`,
			`{"method":"POST","path":"/Groups","bulkId":"g","data":{"displayName":"Guides","members":[{"value":"bulkId:a"},{"value":"bulkId:b"}]}}`,
			`{"method":"POST","path":"/Users","bulkId":"a","data":{"userName":"a"}}`,
			`{"method":"POST","path":"/Users","bulkId":"b","data":{"userName":"bulkId:b"}}`,
			`{"method":"POST","path":"/Users","bulkId":"c","data":{"userName":"c","`+enterprise+`":{"manager":{"value":"bulkId:a"}}}}`,
			`{"method":"PUT","path":"/Users/bulkId:a","data":{"userName":"a2","`+enterprise+`":{"manager":"bulkId:b"}}}`)
		Expect(a.statuses()).To(Equal("204 201 201 201 201 200"), a.String())
		Expect(t.members(a.made(1))).To(ConsistOf(a.made(2), a.made(4)))
		Expect(a.made(0)).To(Equal(a.made(1)), "the location of a PATCH shows the id")
		Expect(t.get("/Users/" + a.made(4)).body).To(HaveKeyWithValue(enterprise, HaveKeyWithValue("manager", HaveKeyWithValue("value", a.made(2)))))
		Expect(t.get("/Users/" + a.made(2)).body).To(SatisfyAll(HaveKeyWithValue("userName", "a2"),
			HaveKeyWithValue(enterprise, HaveKeyWithValue("manager", HaveKeyWithValue("value", a.made(3))))))
		Expect(t.get("/Users/"+a.made(3)).body).To(HaveKeyWithValue("userName", "bulkId:b"), "a name is no reference")
	})

	It("lets only those operations wait that refer to a later one", func(ctx SpecContext) {
		t := newTenant(ctx)
		old := t.addUser("ada")
		// Were the POST done as soon as the group needs it, the userName would still be taken.
		a := t.bulk(``,
			`{"method":"POST","path":"/Groups","bulkId":"g","data":{"displayName":"G","members":[{"value":"bulkId:new"}]}}`,
			`{"method":"DELETE","path":"/Users/`+old+`"}`,
			`{"method":"POST","path":"/Users","bulkId":"new","data":{"userName":"ada"}}`)
		Expect(a.statuses()).To(Equal("201 204 201"), a.String())
		Expect(t.members(a.made(0))).To(ConsistOf(a.made(2)))
	})

	It("makes resources that refer to each other in a circle (RFC 7644 §3.7.1)", func(ctx SpecContext) {
		t := newTenant(ctx)
		a := t.bulk(``,
			`{"method":"POST","path":"/Groups","bulkId":"a","data":{"displayName":"A","members":[{"value":"bulkId:b"},{"value":"bulkId:u"}]}}`,
			`{"method":"POST","path":"/Groups","bulkId":"b","data":{"displayName":"B","members":[{"value":"bulkId:a"}]}}`,
			`{"method":"POST","path":"/Users","bulkId":"u","data":{"userName":"u","`+enterprise+`":{"division":"D","manager":{"value":"bulkId:v"}}}}`,
			`{"method":"POST","path":"/Users","bulkId":"v","data":{"userName":"v","active":false,"`+enterprise+`":{"manager":{"value":"bulkId:u"}}}}`,
			`{"method":"POST","path":"/Users","bulkId":"own","data":{"userName":"own","`+enterprise+`":{"manager":{"value":"bulkId:own"}}}}`)
		Expect(a.statuses()).To(Equal("201 201 201 201 201"), a.String())
		Expect(t.members(a.made(0))).To(ConsistOf(a.made(1), a.made(2)))
		Expect(t.members(a.made(1))).To(ConsistOf(a.made(0)))
		for user, manager := range map[int]int{2: 3, 3: 2, 4: 4} {
			shown := t.get("/Users/" + a.made(user))
			Expect(shown.body).To(HaveKeyWithValue(enterprise, HaveKeyWithValue("manager", HaveKeyWithValue("value", a.made(manager)))))
			Expect(a.results()[user]).To(HaveKeyWithValue("version", shown.header.Get("ETag")))
		}
		Expect(t.get("/Users/" + a.made(2)).body).To(HaveKeyWithValue(enterprise, HaveKeyWithValue("division", "D")))
		Expect(t.get("/Users/" + a.made(3)).body).To(HaveKeyWithValue("active", false))
	})

	It("makes a circle in whole or not at all, and answers 409 for what did not fail itself (RFC 7644 §3.7.1)", func(ctx SpecContext) {
		t := newTenant(ctx)
		t.addGroup("Taken")
		before := t.stored(ctx)
		a := t.bulk(``,
			`{"method":"POST","path":"/Groups","bulkId":"a","data":{"displayName":"A","members":[{"value":"bulkId:b"}]}}`,
			`{"method":"POST","path":"/Groups","bulkId":"b","data":{"displayName":"B","members":[{"value":"bulkId:c"}]}}`,
			`{"method":"POST","path":"/Groups","bulkId":"c","data":{"displayName":"taken","members":[{"value":"bulkId:a"}]}}`,
			`{"method":"POST","path":"/Groups","bulkId":"d","data":{"displayName":"D","members":[{"value":"bulkId:a"}]}}`,
			`{"method":"DELETE","path":"/Groups/bulkId:b"}`)
		Expect(a.statuses()).To(Equal("409 409 409 400 400"), a.String())
		for place, says := range []string{"circle", "circle", "displayName is taken", "Operations[0]", "Operations[1]"} {
			Expect(a.results()[place]).To(SatisfyAll(Not(HaveKey("location")), HaveKeyWithValue("response", HaveKeyWithValue("detail", ContainSubstring(says)))))
		}
		Expect(t.stored(ctx)).To(Equal(before))
	})

	It("compares the version of an operation with the resource's (RFC 7644 §3.7, §3.14)", func(ctx SpecContext) {
		t := newTenant(ctx)
		user, group := t.addUser("ada"), t.addGroup("G")
		stale := t.get("/Users/" + user).header.Get("ETag")
		Expect(t.patch("/Users/"+user, `{"op":"add","path":"title","value":"x"}`).status).To(Equal(http.StatusOK))
		current := t.get("/Users/" + user).header.Get("ETag")
		quoted := func(version string) string { q, _ := json.Marshal(version); return string(q) }
		before := t.stored(ctx)
		a := t.bulk(``,
			`{"method":"PUT","path":"/Users/`+user+`","version":`+quoted(stale)+`,"data":{"userName":"ada"}}`,
			`{"method":"PATCH","path":"/Users/`+user+`","version":`+quoted(stale)+`,"data":{"Operations":[{"op":"remove","path":"title"}]}}`,
			`{"method":"PATCH","path":"/Groups/`+group+`","version":"W/\"x\"","data":{"Operations":[{"op":"replace","path":"displayName","value":"H"}]}}`,
			`{"method":"DELETE","path":"/Users/`+user+`","version":`+quoted(stale)+`}`)
		Expect(a.statuses()).To(Equal("412 412 412 412"), a.String())
		Expect(t.stored(ctx)).To(Equal(before))
		a = t.bulk(``, `{"method":"PATCH","path":"/Users/`+user+`","version":`+quoted(current)+`,"data":{"Operations":[{"op":"remove","path":"title"}]}}`)
		Expect(a.statuses()).To(Equal("200"), a.String())
	})

	Describe("with failOnErrors (RFC 7644 §3.7.3)", func() {
		operations := []string{
			`{"method":"POST","path":"/Users","bulkId":"1","data":{"userName":"a"}}`,
			`{"method":"DELETE","path":"/Users/nobody"}`,
			`{"method":"POST","path":"/Users","bulkId":"2","data":{}}`,
			`{"method":"POST","path":"/Users","bulkId":"3","data":{"userName":"b"}}`,
		}

		DescribeTable("stops after so many errors and reports what was processed",
			func(ctx SpecContext, besides, statuses string, users int) {
				t := newTenant(ctx)
				a := t.bulk(besides, operations...)
				Expect(a.statuses()).To(Equal(statuses), a.String())
				Expect(t.stored(ctx)).To(HaveLen(users))
			},
			Entry("none given", ``, "201 404 400 201", 2),
			Entry("null", `"failOnErrors":null,`, "201 404 400 201", 2),
			Entry("1", `"failOnErrors":1,`, "201 404", 1),
			Entry("2", `"failOnErrors":2,`, "201 404 400", 1),
			Entry("3", `"failOnErrors":3,`, "201 404 400 201", 2),
		)
	})

	DescribeTable("is refused as a whole, and nothing is stored (RFC 7644 §3.7, §3.7.4)",
		func(ctx SpecContext, method, body string, status int, scimType, detail string) {
			t := newTenant(ctx)
			a := t.call(method, "/Bulk", body)
			Expect(a.status).To(Equal(status), a.String())
			Expect(a.scimType()).To(Equal(scimType))
			Expect(a.body).To(HaveKeyWithValue("detail", ContainSubstring(detail)))
			Expect(t.stored(ctx)).To(BeEmpty())
		},
		Entry("no operations", "POST", `{}`, 400, "invalidSyntax", "Operations"),
		Entry("an empty list", "POST", `{"Operations":[]}`, 400, "invalidSyntax", "Operations"),
		Entry("operations that are none", "POST", `{"Operations":[{"method":"POST","path":"/Users","data":{"userName":"x"}},"x"]}`, 400, "invalidSyntax", "Operations[1]"),
		Entry("another message", "POST", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{}]}`, 400, "invalidSyntax", "BulkRequest"),
		Entry("failOnErrors 0", "POST", `{"failOnErrors":0,"Operations":[{}]}`, 400, "invalidValue", "failOnErrors"),
		Entry("failOnErrors as text", "POST", `{"failOnErrors":"1","Operations":[{}]}`, 400, "invalidValue", "failOnErrors"),
		Entry("failOnErrors beyond all numbers", "POST", `{"failOnErrors":1e99,"Operations":[{}]}`, 400, "invalidValue", "failOnErrors"),
		Entry("1,001 operations", "POST", `{"Operations":[`+strings.Repeat(`{"method":"POST","path":"/Users","data":{"userName":"x"}},`, 1000)+`{}]}`, 413, "", "maxOperations (1000)"),
		Entry("9 MiB", "POST", `{"Operations":[{"method":"POST","path":"/Users","data":{"userName":"x","x":"`+strings.Repeat("x", 9<<20)+`"}}]}`, 413, "", "8388608"),
		Entry("100,000 nested arrays", "POST", `{"Operations":`+strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000)+`}`, 400, "invalidSyntax", "deeper"),
		Entry("broken JSON behind a good operation", "POST", `{"Operations":[{"method":"POST","path":"/Users","data":{"userName":"x"}},`, 400, "invalidSyntax", "ends too early"),
		Entry("another method", "PUT", `{}`, 405, "", "POST"),
	)

	It("answers 400 for each operation that is none, and carries out the others (RFC 7644 §3.7)", func(ctx SpecContext) {
		t := newTenant(ctx)
		before := t.stored(ctx)
		a := t.bulk(``,
			`{"method":"GET","path":"/Users"}`,
			`{"path":"/Users","data":{"userName":"x"}}`,
			`{"method":"POST","bulkId":"b","data":{"userName":"x"}}`,
			`{"method":"POST","bulkId":"c","path":"/Users"}`,
			`{"method":"POST","bulkId":"d","path":"/Bulk","data":{"Operations":[{"method":"POST","path":"/Users","data":{"userName":"x"}}]}}`,
			`{"method":"POST","bulkId":"e","path":"`+t.base()+`/Users","data":{"userName":"x"}}`,
			`{"method":"POST","bulkId":"f","path":"/`+t.namespace+`/okta/Users","data":{"userName":"x"}}`,
			`{"method":"POST","bulkId":"twice","path":"/Users","data":{"userName":"x"}}`,
			`{"method":"POST","bulkId":"twice","path":"/Users","data":{"userName":"y"}}`,
			`{"method":"POST","bulkId":"g","path":"/Groups","data":{"displayName":"G","members":[{"value":"bulkId:twice"}]}}`,
			`{"method":"POST","bulkId":"h","path":"/Groups","data":{"displayName":"G","members":[{"value":"bulkId:nobody"}]}}`,
			`{"method":"PATCH","path":"/Groups/bulkId:h","data":{"Operations":[{"op":"replace","path":"displayName","value":"x"}]}}`)
		Expect(a.statuses()).To(Equal(strings.TrimSpace(strings.Repeat("400 ", 12))), a.String())
		for place, detail := range []string{"method", "method", "path", "data", "path", "path", "path", "unique", "unique", "Operations[7]", "bulkId:nobody", "Operations[10]"} {
			Expect(a.results()[place]).To(HaveKeyWithValue("response", SatisfyAll(
				HaveKeyWithValue("detail", ContainSubstring(detail)), HaveKeyWithValue("scimType", "invalidValue"))), "Operations[%d]", place)
		}
		Expect(t.stored(ctx)).To(Equal(before))
	})

	It("ends whatever refers to whatever", func(ctx SpecContext) {
		t := newTenant(ctx)
		// 20 groups, each of which has all of them as members, and one more that does not exist.
		var operations []string
		var all []string
		for i := range 20 {
			all = append(all, fmt.Sprintf(`"bulkId:%d"`, i))
		}
		for i := range 20 {
			operations = append(operations, fmt.Sprintf(`{"method":"POST","path":"/Groups","bulkId":"%d","data":{"displayName":"G%d","members":[%s]}}`, i, i, strings.Join(all, ",")))
		}
		a := t.bulk(``, operations...)
		Expect(a.statuses()).To(Equal(strings.TrimSpace(strings.Repeat("201 ", 20))), a.String())
		for place := range 20 {
			Expect(t.members(a.made(place))).To(HaveLen(20))
		}
		before := t.stored(ctx)
		operations[7] = strings.Replace(operations[7], `"bulkId:3"`, `"bulkId:x"`, 1)
		for i := range operations {
			operations[i] = strings.Replace(operations[i], `"displayName":"G`, `"displayName":"H`, 1)
		}
		a = t.bulk(``, operations...)
		Expect(a.results()[7]).To(HaveKeyWithValue("status", "400"), a.String())
		Expect(strings.Count(a.statuses(), "409")).To(Equal(19))
		Expect(t.stored(ctx)).To(Equal(before))
	})

	It("reaches nothing of another directory", func(ctx SpecContext) {
		t := newTenant(ctx)
		neighbor := newDirectory(ctx, t.namespace, "entra")
		user := neighbor.addUser("ada")
		group := neighbor.addGroup("Engineers", user)
		before := t.stored(ctx)
		a := t.bulk(``,
			`{"method":"PUT","path":"/Users/`+user+`","data":{"userName":"eve"}}`,
			`{"method":"PATCH","path":"/Groups/`+group+`","data":{"Operations":[{"op":"remove","path":"members"}]}}`,
			`{"method":"DELETE","path":"/Users/`+user+`"}`,
			`{"method":"DELETE","path":"/Groups/`+group+`"}`,
			`{"method":"POST","path":"/Groups","bulkId":"g","data":{"displayName":"G","members":[{"value":"`+user+`"}]}}`,
			`{"method":"DELETE","path":"/`+t.namespace+`/entra/Users/`+user+`"}`)
		Expect(a.statuses()).To(Equal("404 404 404 404 400 400"), a.String())
		Expect(t.stored(ctx)).To(Equal(before))
	})

	It("needs a token that may write, and counts as one request", func(ctx SpecContext) {
		reader := newTenant(ctx, func(d *v1alpha1.ScimDirectory) { d.Spec.Tokens[0].Scopes = []v1alpha1.TokenScope{v1alpha1.ScopeRead} })
		post := `{"method":"POST","path":"/Users","data":{"userName":"%d"}}`
		Expect(reader.bulk(``, fmt.Sprintf(post, 1)).status).To(Equal(http.StatusForbidden))
		Expect(reader.stored(ctx)).To(BeEmpty())

		t := newTenant(ctx)
		t.url = serve(storage, scimserver.Options{RequestsPerSecond: 0.1}).URL
		Expect(t.bulk(``, fmt.Sprintf(post, 1), fmt.Sprintf(post, 2), fmt.Sprintf(post, 3)).statuses()).To(Equal("201 201 201"))
		Expect(t.bulk(``, fmt.Sprintf(post, 4)).status).To(Equal(http.StatusTooManyRequests))
	})

	It("leaves a line in the request log for each operation, under the id of the request", func(ctx SpecContext) {
		log := gbytes.NewBuffer()
		t := newTenant(ctx)
		t.url = serve(storage, scimserver.Options{Log: slog.New(slog.NewJSONHandler(log, nil))}).URL
		a := t.call(http.MethodPost, "/Bulk", `{"Operations":[
			{"method":"POST","path":"/Users","bulkId":"secret","data":{"userName":"secret.name"}},
			{"method":"DELETE","path":"/Users/bulkId:secret"},
			{"method":"SECRET","path":"/Users"}]}`, "X-Request-Id", "r-1")
		Expect(a.statuses()).To(Equal("201 204 400"), a.String())
		Eventually(func() int { return bytes.Count(log.Contents(), []byte("\n")) }).Should(Equal(4))
		lines := strings.Split(strings.TrimSpace(string(log.Contents())), "\n")
		id := a.made(0)
		for i, says := range [][]string{
			{`"method":"POST"`, `"route":"Users"`, `"status":201`, `"resource":"` + id + `"`},
			{`"method":"DELETE"`, `"route":"Users/{id}"`, `"status":204`, `"resource":"` + id + `"`},
			{`"method":"other"`, `"route":"unknown"`, `"status":400`, `"scimType":"invalidValue"`},
			{`"method":"POST"`, `"route":"Bulk"`, `"status":200`},
		} {
			for _, part := range append(says, `"request":"r-1"`, `"directory":"okta"`, `"token":"okta"`) {
				Expect(lines[i]).To(ContainSubstring(part))
			}
		}
		Expect(strings.ToLower(string(log.Contents()))).NotTo(ContainSubstring("secret"))
	})

	It("announces its limits and keeps them (RFC 7644 §3.7.4, RFC 7643 §5)", func(ctx SpecContext) {
		t := newTenant(ctx)
		Expect(t.get("/ServiceProviderConfig").body).To(HaveKeyWithValue("bulk", map[string]any{
			"supported": true, "maxOperations": jsonNumber("1000"), "maxPayloadSize": jsonNumber("8388608")}))
		// As many and as much as allowed, each a little too long.
		operation := `{"method":"POST","path":"/Users","data":{"userName":"` + strings.Repeat("x", 8000) + `"}}`
		a := t.bulk(``, strings.Split(strings.Repeat(operation+";", 999)+operation, ";")...)
		Expect(a.results()).To(HaveLen(1000))
		Expect(a.results()).To(HaveEach(HaveKeyWithValue("status", "400")))
	})
})
