package scimserver_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// hostile are requests made to hurt. Their bodies are written when they are sent, since they are large.
var hostile = []struct {
	name, method, path string
	body               func() string
	status             int
	scimType           string
	detail             string // what the detail must name
}{
	{"10,000 objects in each other", "POST", "/Users",
		func() string { return strings.Repeat(`{"x":`, 10_000) + `1` + strings.Repeat("}", 10_000) }, 400, "invalidSyntax", "deeper than 64"},
	{"10,000 arrays in each other, not closed", "POST", "/Users",
		func() string { return `{"userName":` + strings.Repeat("[", 10_000) }, 400, "invalidSyntax", "deeper than 64"},
	{"10,000 levels in a PATCH", "PATCH", "/Users/{user}",
		func() string {
			return `{"Operations":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`
		}, 400, "invalidSyntax", "deeper than 64"},
	{"a name twice in an extension", "POST", "/Users",
		func() string { return `{"userName":"x","urn:example:x":{"a":1,"a":2}}` }, 400, "invalidSyntax", `"a"`},
	{"a name twice, once escaped", "POST", "/Users",
		func() string { return `{"userName":"x","user\u004eame":"y"}` }, 400, "invalidSyntax", `"userName"`},
	{"operations twice, in different case", "PATCH", "/Users/{user}",
		func() string { return `{"Operations":[{"op":"remove","path":"title"}],"operations":[]}` }, 400, "invalidSyntax", "Operations"},
	{"a path that is not UTF-8", "PATCH", "/Users/{user}",
		func() string { return "{\"Operations\":[{\"op\":\"remove\",\"path\":\"ti\xc3tle\"}]}" }, 400, "invalidSyntax", "UTF-8"},
	{"a filter that is not UTF-8", "GET", "/Users?filter=" + url.QueryEscape("userName eq \"\xff\""), nil, 400, "invalidFilter", ""},
	{"a number for a flag", "POST", "/Users",
		func() string { return `{"userName":"x","active":1e999}` }, 400, "invalidValue", "active"},
	{"a number of a thousand digits for a list", "PATCH", "/Users/{user}",
		func() string {
			return `{"Operations":[{"op":"add","path":"addresses","value":` + strings.Repeat("9", 1000) + `}]}`
		}, 400, "invalidValue", "addresses"},
	{"a number that no computer holds, in an extension", "POST", "/Users",
		func() string { return `{"userName":"x","urn:example:x":{"n":1e999}}` }, 400, "invalidValue", "urn:example:x"},
	{"a number of a million digits", "POST", "/Users",
		func() string { return `{"userName":` + strings.Repeat("9", 1_000_000) + `}` }, 400, "invalidValue", "userName"},
	{"a filter of 900 kB", "GET", "/Users?filter=" + strings.Repeat("(", 900_000), nil, 400, "invalidFilter", ""},
	{"a path of a megabyte", "PATCH", "/Groups/{group}",
		func() string {
			return `{"Operations":[{"op":"remove","path":"members[` + strings.Repeat("not(", 250_000) + `]"}]}`
		}, 400, "invalidPath", "more than 8192"},
	{"a filter of 10 MB in a path", "PATCH", "/Groups/{group}",
		func() string {
			return `{"Operations":[{"op":"remove","path":"members[value eq \"` + strings.Repeat("x", 10<<20) + `\"]"}]}`
		}, 413, "", "8388608"},
	{"100,000 operations", "PATCH", "/Groups/{group}",
		func() string {
			return `{"Operations":[` + strings.Repeat(`{"op":"remove","path":"externalId"},`, 99_999) + `{"op":"remove","path":"externalId"}]}`
		}, 400, "invalidSyntax", "100000 operations"},
	{"100,000 operations on a user", "PATCH", "/Users/{user}",
		func() string {
			return `{"Operations":[` + strings.Repeat(`{"op":"remove","path":"title"},`, 99_999) + `{"op":"remove","path":"title"}]}`
		}, 413, "", "1048576"},
	{"200,000 ids of members", "PUT", "/Groups/{group}",
		func() string { return `{"displayName":"G","members":[` + memberList(200_000, "%06d") + `]}` }, 400, "invalidValue", `"000000"`},
	{"200,000 ids of members, as long as real ones", "PUT", "/Groups/{group}",
		func() string { return `{"displayName":"G","members":[` + memberList(200_000, "%036d") + `]}` }, 413, "", "8388608"},
	{"one member 200,000 times, and one that is none", "PUT", "/Groups/{group}",
		func() string {
			return `{"displayName":"G","members":[` + strings.Repeat(`"{user}",`, 200_000) + `"nobody"]}`
		}, 400, "invalidValue", `"nobody"`},
	{"100,000 e-mail addresses", "POST", "/Users",
		func() string {
			return `{"userName":"x","emails":[` + strings.Repeat(`"a@b",`, 99_999) + `"a@b"]}`
		}, 400, "invalidValue", "emails has 100000 values"},
	{"100,000 extensions", "POST", "/Groups",
		func() string {
			var body strings.Builder
			body.WriteString(`{"displayName":"x"`)
			for i := range 100_000 {
				fmt.Fprintf(&body, `,"urn:example:%d":{"a":1}`, i)
			}
			body.WriteString(`}`)
			return body.String()
		}, 400, "invalidValue", "extensions"},
	{"a count that is no integer", "GET", "/Users?count=1e9", nil, 400, "invalidValue", "count"},
	{"a count twice", "GET", "/Users?count=1&count=2", nil, 400, "invalidValue", "count"},
	{"a filter twice", "GET", "/Groups?filter=id+pr&filter=id+pr", nil, 400, "invalidValue", "filter"},
	{"a startIndex twice", "GET", "/Groups?startIndex=1&startIndex=1", nil, 400, "invalidValue", "startIndex"},
}

// memberList is n different members, in JSON.
func memberList(n int, format string) string {
	var list strings.Builder
	for i := range n {
		if i > 0 {
			list.WriteByte(',')
		}
		fmt.Fprintf(&list, `{"value":"`+format+`"}`, i)
	}
	return list.String()
}

var _ = Describe("Hostile input", func() {
	for _, x := range hostile {
		It("is refused, and nothing is stored: "+x.name, func(ctx SpecContext) {
			t := newTenant(ctx)
			user := t.addUser("Ada")
			fill := strings.NewReplacer("{user}", user, "{group}", t.addGroup("Engineers", user))
			before := t.stored(ctx)
			var body any
			if x.body != nil {
				body = fill.Replace(x.body())
			}
			a := t.call(x.method, fill.Replace(x.path), body)
			Expect(a.status).To(Equal(x.status), "%.300s", a)
			Expect(a.scimType()).To(Equal(x.scimType), "%.300s", a)
			Expect(a.body).To(HaveKeyWithValue("detail", ContainSubstring(x.detail)))
			Expect(len(a.text)).To(BeNumerically("<", 1<<10), "the answer repeats what was sent")
			Expect(t.stored(ctx)).To(Equal(before))
		})
	}

	It("leaves no memory behind", func(ctx SpecContext) {
		t := newTenant(ctx)
		user := t.addUser("Ada")
		fill := strings.NewReplacer("{user}", user, "{group}", t.addGroup("Engineers", user))
		play := func() {
			for _, x := range hostile {
				var body any
				if x.body != nil {
					body = fill.Replace(x.body())
				}
				Expect(t.call(x.method, fill.Replace(x.path), body).status).To(Equal(x.status), x.name)
			}
		}
		live := func() uint64 {
			http.DefaultClient.CloseIdleConnections()
			runtime.GC()
			runtime.GC() // what the first only moved out of the pools
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}
		play()
		before := live()
		for range 3 {
			play()
		}
		// One body kept would be more than this.
		Expect(live()).To(BeNumerically("<", before+4<<20))
	})

	It("as a filter of 10 MB in the address is refused before it is read whole", func(ctx SpecContext) {
		t := newTenant(ctx)
		connection, err := net.Dial("tcp", strings.TrimPrefix(t.url, "http://"))
		Expect(err).NotTo(HaveOccurred())
		defer func() { _ = connection.Close() }()
		go func() { // ends with the connection
			_, _ = io.WriteString(connection, "GET /scim/v2/Users?filter="+strings.Repeat("x", 10<<20)+" HTTP/1.1\r\n")
		}()
		response, err := http.ReadResponse(bufio.NewReader(connection), nil)
		Expect(err).NotTo(HaveOccurred())
		defer func() { _ = response.Body.Close() }()
		Expect(response.StatusCode).To(Equal(http.StatusRequestHeaderFieldsTooLarge))
	})

	DescribeTable("that can only be meant one way is taken so, in the query",
		func(ctx SpecContext, query string, shown int) {
			t := newTenant(ctx)
			for _, name := range []string{"ada", "bob", "eve"} {
				t.addUser(name)
			}
			a := t.get("/Users?" + query)
			Expect(a.status).To(Equal(http.StatusOK), a.String())
			Expect(a.resources()).To(HaveLen(shown))
			Expect(a.body).To(SatisfyAll(HaveKeyWithValue("totalResults", jsonNumber("3")),
				HaveKeyWithValue("itemsPerPage", jsonNumber(fmt.Sprint(shown)))))
		},
		Entry("RFC 7644 §3.4.2.4: a negative count is 0", "count=-1", 0),
		Entry("a count of a billion is as many as there may be", "count=1000000000", 3),
		Entry("RFC 7644 §3.4.2.4: a startIndex below 1 is 1", "startIndex=0&count=2", 2),
		Entry("a startIndex behind the end", "startIndex=1000000000", 0),
		Entry("unknown keys are ignored, repeated, too", "aadOptscim062020&x=1&x=2&%00=%ff", 3),
		Entry("attributes can come in several parts", "attributes=userName&attributes=id,name", 3),
	)
})
