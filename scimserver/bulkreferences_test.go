package scimserver

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

func TestReferences(t *testing.T) {
	ids := map[string]string{"a": "1", "b": "2"}
	const enterprise = schema.EnterpriseUserURN
	for name, c := range map[string]struct {
		method       string
		resourceType *schema.ResourceType
		data, want   string
		found        []string
	}{
		"members": {"POST", schema.Group, `{"members":[{"value":"bulkId:a","type":"User"},{"value":"3"},{"VALUE":"bulkId:b"}]}`,
			`{"members":[{"value":"1","type":"User"},{"value":"3"},{"VALUE":"2"}]}`, []string{"a", "b"}},
		"members as strings": {"PUT", schema.Group, `{"Members":["bulkId:a","3"]}`, `{"Members":["1","3"]}`, []string{"a"}},
		"a member that is not there yet": {"POST", schema.Group, `{"members":[{"value":"bulkId:x","type":"User"},"bulkId:x",{"value":"bulkId:a"}]}`,
			`{"members":[{"value":"1"}]}`, []string{"a", "x"}},
		"a manager":           {"POST", schema.User, `{"` + enterprise + `":{"manager":{"value":"bulkId:a"}}}`, `{"` + enterprise + `":{"manager":{"value":"1"}}}`, []string{"a"}},
		"a manager as string": {"POST", schema.User, `{"` + enterprise + `:manager":"bulkId:a"}`, `{"` + enterprise + `:manager":"1"}`, []string{"a"}},
		"a manager who is not there yet": {"POST", schema.User, `{"` + enterprise + `":{"manager":{"value":"bulkId:x"},"division":"D"}}`,
			`{"` + enterprise + `":{"division":"D"}}`, []string{"x"}},
		"what is a name, and not an id": {"POST", schema.User, `{"userName":"bulkId:a","emails":[{"value":"bulkId:a"}],"name":{"formatted":"bulkId:a"}}`,
			`{"userName":"bulkId:a","emails":[{"value":"bulkId:a"}],"name":{"formatted":"bulkId:a"}}`, nil},
		"what cannot be set": {"POST", schema.User, `{"groups":[{"value":"bulkId:a"}]}`, `{"groups":[{"value":"bulkId:a"}]}`, nil},
		"what is unknown":    {"POST", schema.User, `{"boss":"bulkId:a","urn:x:y":{"value":"bulkId:a"}}`, `{"boss":"bulkId:a","urn:x:y":{"value":"bulkId:a"}}`, nil},
		"not quite a prefix": {"POST", schema.Group, `{"members":[{"value":" bulkId:a"},{"value":"xbulkId:a"}]}`, `{"members":[{"value":" bulkId:a"},{"value":"xbulkId:a"}]}`, nil},
		"PATCH of members": {"PATCH", schema.Group, `{"Operations":[{"op":"add","path":"members","value":[{"value":"bulkId:a"}]},{"op":"replace","value":{"members":["bulkId:b"],"displayName":"bulkId:c"}}]}`,
			`{"Operations":[{"op":"add","path":"members","value":[{"value":"1"}]},{"op":"replace","value":{"members":["2"],"displayName":"bulkId:c"}}]}`, []string{"a", "b"}},
		"PATCH with a filter": {"PATCH", schema.Group, `{"operations":[{"op":"remove","Path":"members[value eq \"bulkId:a\" or value eq \"bulkId:b\"]"}]}`,
			`{"operations":[{"op":"remove","Path":"members[value eq \"1\" or value eq \"2\"]"}]}`, []string{"a", "b"}},
		"PATCH with a filter on something else": {"PATCH", schema.User, `{"Operations":[{"op":"remove","path":"emails[value eq \"bulkId:a\"]"}]}`,
			`{"Operations":[{"op":"remove","path":"emails[value eq \"bulkId:a\"]"}]}`, nil},
		"PATCH of a manager": {"PATCH", schema.User, `{"Operations":[{"op":"add","path":"` + enterprise + `:manager","value":"bulkId:a"},{"op":"add","path":"` + enterprise + `:manager.value","Value":"bulkId:b"}]}`,
			`{"Operations":[{"op":"add","path":"` + enterprise + `:manager","value":"1"},{"op":"add","path":"` + enterprise + `:manager.value","Value":"2"}]}`, []string{"a", "b"}},
		"PATCH of a name":   {"PATCH", schema.User, `{"Operations":[{"op":"add","path":"displayName","value":"bulkId:a"}]}`, `{"Operations":[{"op":"add","path":"displayName","value":"bulkId:a"}]}`, nil},
		"PATCH as it is":    {"PATCH", schema.User, `{"Operations":[1,{"op":"add","path":"[","value":"bulkId:a"},{"path":3}],"x":[]}`, `{"Operations":[1,{"op":"add","path":"[","value":"bulkId:a"},{"path":3}],"x":[]}`, nil},
		"PATCH of nothing":  {"PATCH", schema.User, `{"Operations":"bulkId:a"}`, `{"Operations":"bulkId:a"}`, nil},
		"a body that fails": {"POST", schema.Group, `{"members":[[["bulkId:a"]],{"value":{"value":"x"}},null,7]}`, `{"members":[[["1"]],{"value":{"value":"x"}},null,7]}`, []string{"a"}},
	} {
		t.Run(name, func(t *testing.T) {
			var data, untouched, want map[string]any
			for _, sent := range []struct {
				text string
				tree *map[string]any
			}{{c.data, &data}, {c.data, &untouched}, {c.want, &want}} {
				if err := json.Unmarshal([]byte(sent.text), sent.tree); err != nil {
					t.Fatal(err)
				}
			}
			found := map[string]bool{}
			resolve := references(func(bulkID string) (string, bool) {
				found[bulkID] = true
				id, ok := ids[bulkID]
				return id, ok
			})
			if got := resolve.resolve(c.method, c.resourceType, data); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
			if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, c.found) {
				t.Errorf("found %q, want %q", got, c.found)
			}
			if !reflect.DeepEqual(data, untouched) {
				t.Errorf("the data was changed: %v", data)
			}
		})
	}
}
