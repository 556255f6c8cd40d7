package schema_test

import (
	"reflect"
	"testing"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

const projected = `{
	"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "id":"1", "userName":"b", "meta":{"version":"v","created":"c"},
	"name":{"givenName":"B","familyName":"J"}, "emails":[{"value":"x","type":"work"},{"value":"y"}],
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"d","manager":{"value":"2","displayName":"M"}},
	"urn:x:y":{"a":1,"b":2}}`

func TestProjection(t *testing.T) {
	const always = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1"`
	tests := []struct {
		name                 string
		attributes, excluded []string
		want                 string
	}{
		{"nothing asked", nil, []string{"", " , "}, projected},
		{"one attribute, any case", []string{"USERNAME"}, nil, `{` + always + `,"userName":"b"}`},
		{"list", []string{"userName, name.givenName"}, nil, `{` + always + `,"userName":"b","name":{"givenName":"B"}}`},
		{"repeated parameter", []string{"userName", "name"}, nil, `{` + always + `,"userName":"b","name":{"givenName":"B","familyName":"J"}}`},
		{"whole beats part", []string{"name.givenName,name,name.familyName"}, nil, `{` + always + `,"name":{"givenName":"B","familyName":"J"}}`},
		{"sub-attribute of many", []string{"emails.type"}, nil, `{` + always + `,"emails":[{"type":"work"}]}`},
		{"core URN", []string{"urn:ietf:params:scim:schemas:core:2.0:User:userName"}, nil, `{` + always + `,"userName":"b"}`},
		{"extension", []string{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"}, nil,
			`{` + always + `,"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"d","manager":{"value":"2","displayName":"M"}}}`},
		{"in an extension", []string{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value"}, nil,
			`{` + always + `,"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"2"}}}`},
		{"undeclared extension", []string{"urn:x:y"}, nil, `{` + always + `,"urn:x:y":{"a":1,"b":2}}`},
		{"in an undeclared extension", []string{"urn:x:y:a"}, nil, `{` + always + `,"urn:x:y":{"a":1}}`},
		{"unknown", []string{"nonsense"}, nil, `{` + always + `}`},
		{"exclude", nil, []string{"name", "emails.value", "meta.version",
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", "urn:x:y:b"},
			`{` + always + `,"userName":"b","meta":{"created":"c"},"emails":[{"type":"work"}],
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"d"},"urn:x:y":{"a":1}}`},
		{"exclude what is always there", nil, []string{"id,schemas,unknown", "meta", "urn:x:y", "emails", "name",
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"}, `{` + always + `,"userName":"b"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			projection, err := schema.User.Projection(test.attributes, test.excluded)
			if err != nil {
				t.Fatal(err)
			}
			resource := decode(t, projected)
			if got, want := projection.Apply(resource), decode(t, test.want); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
			if !reflect.DeepEqual(resource, decode(t, projected)) {
				t.Errorf("the resource was changed: %v", resource)
			}
		})
	}
}

func TestProjectionOfBoth(t *testing.T) {
	_, err := schema.User.Projection([]string{"userName"}, []string{"name"})
	wantError(t, err, schema.InvalidValue, "attributes and excludedAttributes exclude each other: send one of them")
}

func TestProjectionIncludes(t *testing.T) {
	tests := []struct {
		attributes, excluded    []string
		members, always, filled bool
	}{
		{nil, nil, true, true, false},
		{nil, []string{"Members"}, false, true, true},
		{nil, []string{"members.display,id"}, true, true, true},
		{[]string{"displayName"}, nil, false, true, true},
		{[]string{"members.value"}, nil, true, true, true},
	}
	for _, test := range tests {
		p, err := schema.Group.Projection(test.attributes, test.excluded)
		if err != nil {
			t.Fatal(err)
		}
		if p.Includes("members") != test.members || p.Includes("id") != test.always || p.Empty() == test.filled {
			t.Errorf("%v without %v: members %v, id %v, empty %v", test.attributes, test.excluded, p.Includes("members"), p.Includes("id"), p.Empty())
		}
	}
}
