package scimserver_test

import (
	"net/http"
	"net/url"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// attempt is one request that must fail; {user} and {group} stand for ids that exist.
type attempt struct {
	method, path, body string
	status             int
	scimType           string
	detail             string // what the detail must name
}

var _ = Describe("Bad input", func() {
	const large = 1 << 20

	DescribeTable("is answered with what is wrong and where, and nothing is stored",
		func(ctx SpecContext, x attempt) {
			t := newTenant(ctx)
			user := t.addUser("Ada")
			group := t.addGroup("Engineers", user)
			before := t.stored(ctx)

			fill := strings.NewReplacer("{user}", user, "{group}", group)
			var body any
			if x.body != "" {
				body = fill.Replace(x.body)
			}
			a := t.call(x.method, fill.Replace(x.path), body)
			Expect(a.status).To(Equal(x.status), a.String())
			Expect(a.scimType()).To(Equal(x.scimType), a.String())
			Expect(a.body).To(HaveKeyWithValue("detail", ContainSubstring(x.detail)))
			Expect(a.body).To(HaveKeyWithValue("schemas", ConsistOf("urn:ietf:params:scim:api:messages:2.0:Error")))
			Expect(a.header.Get("Content-Type")).To(Equal("application/scim+json;charset=utf-8"))
			Expect(t.stored(ctx)).To(Equal(before))
		},
		Entry("no body", attempt{"POST", "/Users", "", 400, "invalidSyntax", "empty"}),
		Entry("broken JSON", attempt{"POST", "/Users", `{"userName":`, 400, "invalidSyntax", "ends too early"}),
		Entry("JSON with a comma too many", attempt{"POST", "/Users", `{"userName":"x",}`, 400, "invalidSyntax", "byte 15"}),
		Entry("a name twice", attempt{"POST", "/Users", `{"userName":"x","userName":"y"}`, 400, "invalidSyntax", `"userName"`}),
		Entry("a name twice in other case", attempt{"POST", "/Users", `{"userName":"x","USERNAME":"y"}`, 400, "invalidSyntax", "userName"}),
		Entry("bytes that are not UTF-8", attempt{"POST", "/Users", "{\"userName\":\"\xff\"}", 400, "invalidSyntax", "UTF-8"}),
		Entry("an array", attempt{"POST", "/Users", `[]`, 400, "invalidSyntax", "object"}),
		Entry("too deep JSON", attempt{"POST", "/Users", strings.Repeat(`{"x":`, 70) + `1` + strings.Repeat("}", 70), 400, "invalidSyntax", "deeper"}),
		Entry("no userName", attempt{"POST", "/Users", `{"displayName":"x"}`, 400, "invalidValue", "userName"}),
		Entry("userName null", attempt{"PUT", "/Users/{user}", `{"userName":null}`, 400, "invalidValue", "userName"}),
		Entry("userName of a wrong type", attempt{"POST", "/Users", `{"userName":{"x":1}}`, 400, "invalidValue", "userName"}),
		Entry("active of a wrong type", attempt{"POST", "/Users", `{"userName":"x","active":"perhaps"}`, 400, "invalidValue", "active"}),
		Entry("a wrong type in a list", attempt{"POST", "/Users", `{"userName":"x","emails":[{"value":"a"},{"value":[]}]}`, 400, "invalidValue", "emails[1].value"}),
		Entry("two primaries", attempt{"POST", "/Users", `{"userName":"x","emails":[{"value":"a","primary":true},{"value":"b","primary":true}]}`, 400, "invalidValue", "emails"}),
		Entry("a control character", attempt{"POST", "/Users", `{"userName":"x\u0000"}`, 400, "invalidValue", "userName"}),
		Entry("a line break in a name", attempt{"POST", "/Groups", `{"displayName":"x\ny"}`, 400, "invalidValue", "displayName"}),
		Entry("too long a name", attempt{"POST", "/Users", `{"userName":"` + strings.Repeat("x", 1025) + `"}`, 400, "invalidValue", "userName"}),
		Entry("a taken userName", attempt{"POST", "/Users", `{"userName":"ADA"}`, 409, "uniqueness", "userName"}),
		Entry("a taken displayName", attempt{"POST", "/Groups", `{"displayName":"ENGINEERS"}`, 409, "uniqueness", "displayName"}),
		Entry("a group without a name", attempt{"POST", "/Groups", `{"members":[]}`, 400, "invalidValue", "displayName"}),
		Entry("an unknown member", attempt{"POST", "/Groups", `{"displayName":"x","members":[{"value":"00000000-0000-4000-8000-000000000000"}]}`, 400, "invalidValue", "00000000-0000-4000-8000-000000000000"}),
		Entry("an unknown member in a PUT", attempt{"PUT", "/Groups/{group}", `{"displayName":"x","members":[{"value":"nobody"}]}`, 400, "invalidValue", "nobody"}),
		Entry("an unknown member in a PATCH that also renames", attempt{"PATCH", "/Groups/{group}", `{"Operations":[{"op":"replace","value":{"displayName":"New"}},{"op":"add","path":"members","value":[{"value":"nobody"}]}]}`, 400, "invalidValue", "nobody"}),
		Entry("a wrong name beside a right member", attempt{"PATCH", "/Groups/{group}", `{"Operations":[{"op":"remove","path":"members"},{"op":"replace","path":"displayName","value":["x"]}]}`, 400, "invalidValue", "displayName"}),
		Entry("no operations", attempt{"PATCH", "/Users/{user}", `{"Operations":[]}`, 400, "invalidSyntax", "Operations"}),
		Entry("an unknown op", attempt{"PATCH", "/Users/{user}", `{"Operations":[{"op":"move","path":"title","value":"x"}]}`, 400, "invalidSyntax", "Operations[0]"}),
		Entry("an unknown path", attempt{"PATCH", "/Users/{user}", `{"Operations":[{"op":"add","path":"shoeSize","value":"x"}]}`, 400, "invalidPath", "shoeSize"}),
		Entry("a broken path", attempt{"PATCH", "/Users/{user}", `{"Operations":[{"op":"add","path":"emails[type eq","value":"x"}]}`, 400, "invalidFilter", "Operations[0]"}),
		Entry("a read-only path", attempt{"PATCH", "/Users/{user}", `{"Operations":[{"op":"replace","path":"id","value":"x"}]}`, 400, "mutability", "id"}),
		Entry("a path that selects nothing", attempt{"PATCH", "/Users/{user}", `{"Operations":[{"op":"replace","path":"emails[value eq \"x\"].display","value":"x"},{"op":"replace","path":"emails[value co \"z\"].display","value":"x"}]}`, 400, "noTarget", "emails"}),
		Entry("a removal of nothing in particular", attempt{"PATCH", "/Groups/{group}", `{"Operations":[{"op":"remove"}]}`, 400, "noTarget", "path"}),
		Entry("a value that is JSON in a string", attempt{"PATCH", "/Groups/{group}", `{"Operations":[{"op":"replace","value":"{\"displayName\":\"x\"}"}]}`, 400, "invalidValue", "object"}),
		Entry("a good operation before a bad one", attempt{"PATCH", "/Users/{user}", `{"Operations":[{"op":"add","path":"title","value":"x"},{"op":"add","path":"title","value":{}},{"op":"remove","path":"userName"}]}`, 400, "invalidValue", "title"}),
		Entry("removing what is required", attempt{"PATCH", "/Users/{user}", `{"Operations":[{"op":"remove","path":"userName"}]}`, 400, "mutability", "userName"}),
		Entry("an unknown filter attribute", attempt{"GET", "/Users?filter=" + url.QueryEscape(`shoeSize eq "9"`), "", 400, "invalidFilter", "shoeSize"}),
		Entry("a broken filter", attempt{"GET", "/Users?filter=" + url.QueryEscape(`userName eq`), "", 400, "invalidFilter", ""}),
		Entry("too long a filter", attempt{"GET", "/Users?filter=" + url.QueryEscape(`userName eq "`+strings.Repeat("x", 9000)+`"`), "", 400, "invalidFilter", ""}),
		Entry("too deep a filter", attempt{"GET", "/Users?filter=" + url.QueryEscape(strings.Repeat("(", 100)+`active pr`+strings.Repeat(")", 100)), "", 400, "invalidFilter", ""}),
		Entry("too many terms", attempt{"GET", "/Users?filter=" + url.QueryEscape(`id pr`+strings.Repeat(` or id pr`, 400)), "", 400, "invalidFilter", ""}),
		Entry("a count that is no number", attempt{"GET", "/Users?count=ten", "", 400, "invalidValue", "count"}),
		Entry("both projections", attempt{"GET", "/Users?attributes=id&excludedAttributes=name", "", 400, "invalidValue", "excludedAttributes"}),
		Entry("a query that is not escaped", attempt{"GET", "/Users?filter=%zz", "", 400, "invalidValue", "query"}),
		Entry("too large a user", attempt{"POST", "/Users", `{"userName":"x","x":"` + strings.Repeat("x", large) + `"}`, 413, "", "1048576"}),
		Entry("too large a user in a PATCH", attempt{"PATCH", "/Users/{user}", `{"x":"` + strings.Repeat("x", large) + `"}`, 413, "", "1048576"}),
		Entry("too large a group", attempt{"PUT", "/Groups/{group}", `{"displayName":"x","x":"` + strings.Repeat("x", 8*large) + `"}`, 413, "", "8388608"}),
		Entry("an unknown endpoint", attempt{"GET", "/Persons", "", 404, "", "endpoint"}),
		Entry("nothing behind the base URL", attempt{"GET", "", "", 404, "", "endpoint"}),
		Entry("an unknown user", attempt{"GET", "/Users/nobody", "", 404, "", ""}),
		Entry("an unknown user to change", attempt{"PUT", "/Users/nobody", `{"userName":"x"}`, 404, "", ""}),
		Entry("an unknown user to patch", attempt{"PATCH", "/Users/nobody", `{"Operations":[{"op":"add","path":"title","value":"x"}]}`, 404, "", ""}),
		Entry("an unknown user to delete", attempt{"DELETE", "/Users/nobody", "", 404, "", ""}),
		Entry("an unknown group to patch", attempt{"PATCH", "/Groups/nobody", `{"Operations":[{"op":"add","path":"members","value":[{"value":"{user}"}]}]}`, 404, "", ""}),
		Entry("an id that is a path", attempt{"GET", "/Users/..%2F..%2Fx", "", 404, "", ""}),
		Entry("a group's id among the users", attempt{"GET", "/Users/{group}", "", 404, "", ""}),
		Entry("a method that an endpoint lacks", attempt{"DELETE", "/Users", "", 405, "", "GET, POST"}),
		Entry("a method that a resource lacks", attempt{"POST", "/Groups/{group}", `{}`, 405, "", "PATCH"}),
		Entry("writing a schema", attempt{"PUT", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User", `{}`, 405, "", "GET"}),
	)

	It("of a size that is not announced is cut off at the limit", func(ctx SpecContext) {
		t := newTenant(ctx)
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.base()+"/Users",
			struct{ *strings.Reader }{strings.NewReader(`{"userName":"` + strings.Repeat("x", large) + `"}`)})
		Expect(err).NotTo(HaveOccurred())
		Expect(request.ContentLength).To(BeZero())
		request.Header.Set("Authorization", t.token)
		response, err := http.DefaultClient.Do(request)
		Expect(err).NotTo(HaveOccurred())
		defer func() { _ = response.Body.Close() }()
		Expect(response.StatusCode).To(Equal(http.StatusRequestEntityTooLarge))
		Expect(t.stored(ctx)).To(BeEmpty())
	})

	DescribeTable("of another media type is refused",
		func(ctx SpecContext, contentType string, status int) {
			t := newTenant(ctx)
			a := t.call(http.MethodPost, "/Users", `{"userName":"x"}`, "Content-Type", contentType)
			Expect(a.status).To(Equal(status))
		},
		Entry("a form", "application/x-www-form-urlencoded", 415),
		Entry("another charset", "application/json; charset=iso-8859-1", 415),
		Entry("but JSON is none", "application/json; charset=utf-8", 201),
		Entry("nor is nothing", "", 201),
	)

	It("as an Accept that nothing satisfies is refused, and application/json is answered with it", func(ctx SpecContext) {
		t := newTenant(ctx)
		Expect(t.get("/Users", "Accept", "text/html").status).To(Equal(http.StatusNotAcceptable))
		Expect(t.get("/Users", "Accept", "application/json").header.Get("Content-Type")).To(Equal("application/json;charset=utf-8"))
		Expect(t.get("/Users/x", "Accept", "application/json").header.Get("Content-Type")).To(Equal("application/json;charset=utf-8"))
		Expect(t.get("/Users", "Accept", "*/*").header.Get("Content-Type")).To(Equal("application/scim+json;charset=utf-8"))
	})

	It("outside of /scim/v2 is answered by a SCIM error, too", func(ctx SpecContext) {
		t := newTenant(ctx)
		a := t.send(http.MethodGet, t.url+"/favicon.ico", nil, "Authorization", "")
		Expect(a.status).To(Equal(http.StatusNotFound))
		Expect(a.body).To(HaveKey("detail"))
	})
})
