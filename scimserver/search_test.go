package scimserver

import (
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

func TestSearchRequestMeansWhatAQueryMeans(t *testing.T) {
	const urn = `"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]`
	for body, query := range map[string]string{
		`{}`: "",
		`{` + urn + `,"filter":"title pr","sortBy":"title","sortOrder":"descending","startIndex":1,"count":10}`: "filter=title+pr&sortBy=title&sortOrder=descending&startIndex=1&count=10",
		`{"attributes":["userName","name.givenName"]}`:                                                          "attributes=userName&attributes=name.givenName",
		`{"excludedAttributes":["members"],"cursor":""}`:                                                        "excludedAttributes=members&cursor=",
		`{"FILTER":"title pr","StartIndex":"2"}`:                                                                "filter=title+pr&startIndex=2",
		`{"filter":null,"count":null,"cursor":null,"unknown":{}}`:                                               "",
		`{"attributes":"userName,id"}`:                                                                          "attributes=userName,id",
		`{"count":1e400}`:                                                                                       "count=1e400",
	} {
		object, err := decodeObject([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		got, err := searchParameters(object)
		got.Del("schemas")
		want, _ := url.ParseQuery(query)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s means %v, %v; want %v", body, got, err, want)
		}
	}
}

func TestSearchRequestRefuses(t *testing.T) {
	for body, want := range map[string]string{
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}`: "invalidSyntax: schemas must name urn:ietf:params:scim:api:messages:2.0:SearchRequest",
		`{"schemas":[]}`:                      "invalidSyntax: schemas must name",
		`{"schemas":{}}`:                      "invalidValue: schemas must be an array of strings",
		`{"filter":["title pr"]}`:             "invalidValue: filter must be a string",
		`{"filter":1}`:                        "invalidValue: filter must be a string",
		`{"sortBy":true}`:                     "invalidValue: sortBy must be a string",
		`{"cursor":{}}`:                       "invalidValue: cursor must be a string",
		`{"count":true}`:                      "invalidValue: count must be an integer",
		`{"startIndex":[1]}`:                  "invalidValue: startIndex must be an integer",
		`{"attributes":{"userName":1}}`:       "invalidValue: attributes must be an array of strings",
		`{"attributes":["userName",2]}`:       "invalidValue: attributes[1] must be a string",
		`{"filter":"id pr","Filter":"id pr"}`: "invalidSyntax: filter occurs twice",
	} {
		object, err := decodeObject([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := searchParameters(object); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
}

func TestRootSearchKnowsTheAttributesOfAllTypes(t *testing.T) {
	for query, want := range map[string]string{
		"filter=userName+eq+x":          "",
		"filter=members.value+eq+x":     "",
		"filter=displayName+eq+x":       "",
		"sortBy=userName":               "",
		"sortBy=members":                "",
		"filter=shoeSize+eq+9":          "invalidFilter: ",
		"filter=displayName.value+eq+9": "invalidFilter: ",
		"sortBy=shoeSize":               "invalidValue: sortBy",
	} {
		values, _ := url.ParseQuery(query)
		_, err := parseList(resourceTypes, values)
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", query, err, want)
		}
	}
}

func FuzzSearchRequest(f *testing.F) {
	f.Add(`{"filter":"userName eq \"x\"","sortBy":"name.familyName","count":10,"cursor":""}`)
	f.Add(`{"attributes":["members.value","userName"],"excludedAttributes":null,"startIndex":"1"}`)
	f.Fuzz(func(t *testing.T, text string) {
		body, err := decodeObject([]byte(text))
		if err != nil {
			return
		}
		parameters, err := searchParameters(body)
		if err != nil {
			return
		}
		l, err := parseList(resourceTypes, parameters)
		if err != nil {
			return
		}
		if len(l.parts) != len(resourceTypes) || l.count < 0 || l.count > maxCount {
			t.Errorf("%s is %+v", text, l)
		}
		for _, p := range l.parts {
			if p.filter != nil {
				p.filter.Match(map[string]any{"id": "1", "count": json.Number("1"), schema.UserURN: map[string]any{}})
			}
			if p.order != nil && p.order.Compare(p.order.Key(map[string]any{"id": "1"}), "") > 0 {
				t.Errorf("%s puts a value behind none", text)
			}
		}
	})
}
