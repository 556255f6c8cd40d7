package scimserver

import (
	"encoding/json"
	"math"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/scim-operator/scim-operator/scimserver/schema"
	"github.com/scim-operator/scim-operator/scimserver/store"
)

var justUsers = []*schema.ResourceType{schema.User}

func TestParseListPages(t *testing.T) {
	for query, want := range map[string]struct{ start, count int }{
		"":                                  {1, 100},
		"startIndex=1&count=2":              {1, 2},
		"startIndex=0&count=0":              {1, 0},
		"startIndex=-5&count=-5":            {1, 0},
		"startIndex=101&count=501":          {101, 500},
		"startIndex=&count=":                {1, 100},
		"count=99999999999999999999":        {1, 500},
		"sortBy=userName&aadOptscim062020=": {1, 100},
		"filter=&count=3":                   {1, 3},
		"startIndex=99999999999999999999":   {math.MaxInt, 100},
		"cursor=":                           {0, 100},
		"cursor&count=1000000000":           {0, 500},
		"cursor=x&count=7":                  {0, 7},
	} {
		values, _ := url.ParseQuery(query)
		got, err := parseList(justUsers, values)
		if err != nil || got.startIndex != want.start || got.count != want.count {
			t.Errorf("parseList(%q) = %+v, %v; want %+v", query, got, err, want)
		}
	}
}

func TestParseListRefuses(t *testing.T) {
	for query, want := range map[string]string{
		"count=ten":                      "invalidValue: count must be an integer",
		"count=1e9":                      "invalidValue: count must be an integer",
		"cursor=&count=0":                "invalidCount: count must be an integer between 1 and 500",
		"cursor=&count=-1":               "invalidCount: ",
		"cursor=&count=ten":              "invalidCount: ",
		"cursor=&startIndex=1":           "invalidValue: cursor and startIndex exclude each other",
		"cursor=&cursor=":                "invalidValue: cursor is given 2 times",
		"sortBy=shoeSize":                "invalidValue: sortBy: there is no attribute \"shoeSize\"; see /Schemas",
		"sortBy=name":                    "invalidValue: sortBy: name is complex: name one of its sub-attributes, such as name.formatted",
		"sortBy=title&sortOrder=up":      "invalidValue: sortOrder must be ascending or descending",
		"startIndex=1.5":                 "invalidValue: startIndex must be an integer",
		"count=1&count=2":                "invalidValue: count is given 2 times",
		"filter=active+pr&filter=id+pr":  "invalidValue: filter is given 2 times",
		"filter=favouriteColor+eq+\"x\"": "invalidFilter: ",
		"filter=userName+eq":             "invalidFilter: ",
	} {
		values, _ := url.ParseQuery(query)
		if _, err := parseList(justUsers, values); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parseList(%q): %v, want %q", query, err, want)
		}
	}
}

func TestListKey(t *testing.T) {
	indexed := []string{"id", "userName", "externalId", "emails.value"}
	for filter, want := range map[string]*store.Key{
		``:                                      nil,
		`userName eq "Bab"`:                     {Attribute: "userName", Value: "Bab"},
		`active eq true and externalId eq "e"`:  {Attribute: "externalId", Value: "e"},
		`emails[type eq "work"].value eq "x@y"`: {Attribute: "emails.value", Value: "x@y"},
		`emails eq "x@y"`:                       {Attribute: "emails.value", Value: "x@y"},
		`userName eq "a" or userName eq "b"`:    nil,
		`not (userName eq "a")`:                 nil,
		`userName sw "a"`:                       nil,
	} {
		l, err := parseList(justUsers, url.Values{"filter": {filter}})
		if err != nil {
			t.Fatal(err)
		}
		got := l.parts[0].key(indexed...)
		if (got == nil) != (want == nil) || got != nil && *got != *want {
			t.Errorf("the key of %q is %v, want %v", filter, got, want)
		}
	}
}

func FuzzQuery(f *testing.F) {
	for _, query := range []string{
		`filter=userName eq "x"&startIndex=1&count=100`, `attributes=userName,emails.value`, `excludedAttributes=members`,
		`filter=emails[type eq "work"].value co "x"`, `count=-1`, `startIndex=99999999999999999999`, `filter=%zz`, `a;b`,
		`cursor=&count=1`, `sortBy=emails.value&sortOrder=descending`, `sortBy=urn:ietf:params:scim:schemas:core:2.0:User:userName`,
	} {
		f.Add(query)
	}
	data, err := os.ReadFile("filter/testdata/filter-cases.json")
	if err != nil {
		f.Fatal(err)
	}
	var file struct {
		Cases []struct {
			Filter string `json:"filter"`
		} `json:"cases"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		f.Fatal(err)
	}
	for _, c := range file.Cases {
		f.Add(url.Values{"filter": {c.Filter}}.Encode())
	}
	f.Fuzz(func(t *testing.T, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		for _, rt := range resourceTypes {
			l, err := parseList([]*schema.ResourceType{rt}, values)
			if err == nil && ((l.startIndex < 1) != l.byCursor || l.count < 0 || l.count > maxCount) {
				t.Errorf("parseList(%q) = %+v", query, l)
			}
			p, err := rt.Projection(values["attributes"], values["excludedAttributes"])
			if err != nil {
				continue
			}
			shown := p.Apply(map[string]any{"id": "1", "schemas": []any{rt.Schema.ID}, "displayName": "x"})
			if shown["id"] != "1" || shown["schemas"] == nil {
				t.Errorf("%q hides what is always returned: %v", query, shown)
			}
		}
	})
}
