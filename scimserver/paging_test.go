package scimserver_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("RFC 7644 §3.4.2.4: paging by index", func() {
	It("clamps what is out of bounds and refuses what is no number", func(ctx SpecContext) {
		t := newTenant(ctx)
		t.addUser("ada")
		t.addUser("bob")
		for query, want := range map[string]struct{ start, items string }{
			"count=-1":                        {"1", "0"},
			"count=0":                         {"1", "0"},
			"startIndex=0":                    {"1", "2"},
			"startIndex=-7":                   {"1", "2"},
			"startIndex=99999999999999999999": {"9223372036854775807", "0"},
			"startIndex=2&count=1000000000":   {"2", "1"},
		} {
			a := t.get("/Users?" + query)
			Expect(a.status).To(Equal(http.StatusOK), a.String())
			Expect(a.body).To(SatisfyAll(HaveKeyWithValue("totalResults", jsonNumber("2")),
				HaveKeyWithValue("startIndex", jsonNumber(want.start)), HaveKeyWithValue("itemsPerPage", jsonNumber(want.items))), query)
		}
		for _, query := range []string{"count=1e9", "count=0x10", "startIndex=one", "startIndex=1.0", "count=1&count=2"} {
			a := t.get("/Users?" + query)
			Expect(a.status).To(Equal(http.StatusBadRequest), query)
			Expect(a.scimType()).To(Equal("invalidValue"), query)
		}
		Expect(t.get("/Users?startIndex=9223372036854775807&count=500&sortBy=userName").resources()).To(BeEmpty())
		Expect(t.get("/Users?startIndex=9223372036854775807&filter=" + url.QueryEscape("active eq true")).resources()).To(BeEmpty())
	})
})

var _ = Describe("RFC 9865: paging by cursor", func() {
	// walk follows the cursors of a list from the first page on, and returns the names on each page.
	walk := func(t *tenant, path string, between func(page int)) [][]string {
		GinkgoHelper()
		var pages [][]string
		for cursor, more := "", true; more; {
			a := t.get(path + "&cursor=" + cursor)
			Expect(a.status).To(Equal(http.StatusOK), a.String())
			Expect(a.body).NotTo(HaveKey("startIndex"))
			pages = append(pages, a.names())
			if cursor, more = a.body["nextCursor"].(string); more {
				Expect(cursor).To(MatchRegexp(`^[A-Za-z0-9._~-]+$`), "§2: unreserved characters")
				between(len(pages))
			}
			Expect(len(pages)).To(BeNumerically("<", 20), "the list does not end")
		}
		return pages
	}
	still := func(int) {}
	made := func(t *tenant, n int) []string {
		GinkgoHelper()
		for i := range n {
			t.addUser(fmt.Sprint("user", i))
		}
		return t.get("/Users?attributes=userName").names()
	}

	It("§2 shows everybody once, in the order of the list", func(ctx SpecContext) {
		t := newTenant(ctx)
		all := made(t, 5)
		Expect(walk(t, "/Users?count=2", still)).To(Equal([][]string{all[:2], all[2:4], all[4:]}))
		Expect(walk(t, "/Users?count=5", still)).To(Equal([][]string{all}))
		Expect(walk(t, "/Users?", still)).To(Equal([][]string{all}))
		Expect(walk(t, "/Users?count=2&filter="+url.QueryEscape(`userName ne "user1"`), still)).To(ConsistOf(HaveLen(2), HaveLen(2)))
		Expect(walk(t, "/Users?count=2&filter="+url.QueryEscape(`userName eq "user1"`), still)).To(Equal([][]string{{"user1"}}))
		first := t.get("/Users?count=2&cursor")
		Expect(first.body).To(SatisfyAll(HaveKeyWithValue("totalResults", jsonNumber("5")), HaveKeyWithValue("itemsPerPage", jsonNumber("2"))))
		Expect(t.get("/Groups?cursor=").body).To(SatisfyAll(HaveKeyWithValue("totalResults", jsonNumber("0")), Not(HaveKey("nextCursor"))))
	})

	It("§2.2 goes on in a sorted list", func(ctx SpecContext) {
		t := newTenant(ctx)
		made(t, 3)
		t.people(`{"userName":"x","title":"Straße"}`, `{"userName":"y","title":"a"}`)
		Expect(walk(t, "/Users?count=2&sortBy=userName&sortOrder=descending", still)).To(Equal([][]string{{"y", "x"}, {"user2", "user1"}, {"user0"}}))
		byTitle := walk(t, "/Users?count=1&sortBy=title", still)
		Expect(byTitle[:2]).To(Equal([][]string{{"y"}, {"x"}}))
		Expect(byTitle[2:]).To(ConsistOf([]string{"user0"}, []string{"user1"}, []string{"user2"}))
	})

	It("misses nobody and shows nobody twice while people come and go", func(ctx SpecContext) {
		t := newTenant(ctx)
		all := made(t, 6)
		ids := map[string]string{}
		for _, u := range t.get("/Users?attributes=userName").resources() {
			ids[u["userName"].(string)] = u["id"].(string)
		}
		for _, order := range []string{"", "&sortBy=meta.created"} {
			seen := []string{}
			for _, page := range walk(t, "/Users?count=2"+order, func(page int) {
				if order == "" && page == 1 {
					// The one on whom the cursor stands goes, and one in front of it.
					Expect(t.call(http.MethodDelete, "/Users/"+ids[all[0]], nil).status).To(Equal(http.StatusNoContent))
					Expect(t.call(http.MethodDelete, "/Users/"+ids[all[1]], nil).status).To(Equal(http.StatusNoContent))
				}
			}) {
				seen = append(seen, page...)
			}
			if order == "" {
				Expect(seen).To(Equal(all))
			} else {
				Expect(seen).To(Equal(all[2:]))
			}
		}
	})

	It("§3 goes on by POST, and across users and groups at the root", func(ctx SpecContext) {
		t := newTenant(ctx)
		made(t, 2)
		t.addGroup("g0")
		t.addGroup("g1")
		for _, order := range []string{"", `,"sortBy":"meta.resourceType","sortOrder":"descending"`} {
			all := t.search("", order).names()
			Expect(all).To(HaveLen(4))
			first := t.search("", order+`,"cursor":"","count":3`)
			Expect(first.names()).To(Equal(all[:3]))
			next, _ := first.body["nextCursor"].(string)
			second := t.search("", order+`,"count":3,"cursor":"`+next+`"`)
			Expect(second.names()).To(Equal(all[3:]))
			Expect(second.body).NotTo(HaveKey("nextCursor"))
		}
		Expect(t.search("", "").body).To(SatisfyAll(HaveKey("startIndex"), Not(HaveKey("nextCursor"))))
	})

	It("§4 is announced", func(ctx SpecContext) {
		t := newTenant(ctx)
		Expect(t.get("/ServiceProviderConfig").body).To(HaveKeyWithValue("pagination", Equal(map[string]any{
			"cursor": true, "index": true, "defaultPaginationMethod": "index",
			"defaultPageSize": jsonNumber("100"), "maxPageSize": jsonNumber("500"), "cursorTimeout": jsonNumber("3600"),
		})))
	})

	It("§2.1 says what is wrong with a cursor or a count", func(ctx SpecContext) {
		t := newTenant(ctx)
		made(t, 3)
		cursor := t.get("/Users?cursor=&count=1").body["nextCursor"].(string)
		other := newDirectory(ctx, t.namespace, "entra")
		raw, err := base64.RawURLEncoding.DecodeString(cursor)
		Expect(err).NotTo(HaveOccurred())
		issued := regexp.MustCompile(`\n[0-9]+\n`)
		old := base64.RawURLEncoding.EncodeToString(issued.ReplaceAll(raw, []byte("\n"+strconv.FormatInt(time.Now().Add(-2*time.Hour).Unix(), 10)+"\n")))

		for name, x := range map[string]struct {
			a        *answer
			scimType string
		}{
			"made up":                   {t.get("/Users?cursor=abc"), "invalidCursor"},
			"cut off":                   {t.get("/Users?cursor=" + cursor[:20]), "invalidCursor"},
			"very long":                 {t.get("/Users?cursor=" + strings.Repeat("A", 9000)), "invalidCursor"},
			"of another filter":         {t.get("/Users?filter=active+pr&cursor=" + cursor), "invalidCursor"},
			"of another order":          {t.get("/Users?sortBy=userName&cursor=" + cursor), "invalidCursor"},
			"of another endpoint":       {t.get("/Groups?cursor=" + cursor), "invalidCursor"},
			"of another directory":      {other.get("/Users?cursor=" + cursor), "invalidCursor"},
			"too old":                   {t.get("/Users?cursor=" + old), "expiredCursor"},
			"with no count":             {t.get("/Users?cursor=&count=0"), "invalidCount"},
			"with a negative count":     {t.get("/Users?cursor=&count=-1"), "invalidCount"},
			"with a count that is none": {t.get("/Users?cursor=&count=ten"), "invalidCount"},
			"with an index":             {t.get("/Users?cursor=&startIndex=1"), "invalidValue"},
			"twice":                     {t.get("/Users?cursor=&cursor="), "invalidValue"},
		} {
			Expect(x.a.status).To(Equal(http.StatusBadRequest), "%s: %s", name, x.a)
			Expect(x.a.scimType()).To(Equal(x.scimType), "%s: %s", name, x.a)
		}
		Expect(t.get("/Users?cursor=" + cursor + "&count=1000000000").resources()).To(HaveLen(2))
	})
})
