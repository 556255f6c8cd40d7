package schema_test

import (
	"slices"
	"testing"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

func TestChanged(t *testing.T) {
	const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	tests := []struct {
		name          string
		before, after string
		want          []string
	}{
		{"nothing", `{"userName":"a","name":{"givenName":"G"}}`, `{"name":{"givenName":"G"},"userName":"a"}`, nil},
		{"a value", `{"userName":"a","active":true}`, `{"userName":"b","active":true}`, []string{"userName"}},
		{"case", `{"userName":"a"}`, `{"userName":"A"}`, []string{"userName"}},
		{"what the service provider sets", `{"schemas":["x"],"id":"1","meta":{"version":"1"},"groups":[{"value":"1"}]}`, `{"id":"2","schemas":[]}`, nil},
		{"a sub-attribute", `{"name":{"givenName":"G","familyName":"F"}}`, `{"name":{"givenName":"G","familyName":"E"}}`, []string{"name.familyName"}},
		{"a complex attribute that comes", `{}`, `{"name":{"givenName":"G","familyName":"E"}}`, []string{"name.familyName", "name.givenName"}},
		{"one that goes", `{"name":{"givenName":"G"}}`, `{}`, []string{"name.givenName"}},
		{"one of many values", `{"emails":[{"value":"x","type":"work"}]}`, `{"emails":[{"value":"y","type":"work"}]}`, []string{"emails"}},
		{"an extension", `{"` + enterprise + `":{"department":"a","division":"b"}}`,
			`{"` + enterprise + `":{"department":"c","division":"b","manager":{"value":"1"}}}`, []string{enterprise + ":department", enterprise + ":manager.value"}},
		{"a declared extension, in whatever case it is stored", `{"URN:acme:user":{"LEVEL":1,"pin":"1"}}`, `{"urn:Acme:User":{"level":1,"pin":"2"}}`, []string{"urn:Acme:User:pin"}},
		{"what a declaration does not know", `{"urn:Acme:User":{"old":1}}`, `{"urn:Acme:User":{}}`, []string{"urn:Acme:User"}},
		{"what does not fit a declaration", `{"urn:Acme:User":"x"}`, `{"urn:Acme:User":{"level":1}}`, []string{"urn:Acme:User"}},
		{"an undeclared extension", `{"urn:x:y":{"a":1},"urn:x:z":{"a":1}}`, `{"urn:x:y":{"a":2},"urn:x:z":{"a":1}}`, []string{"urn:x:y"}},
		{"a creation", `null`, `{"userName":"a","active":true,"urn:x:y":{"secret name":1}}`, []string{"active", "urn:x:y", "userName"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := acme.Changed(decode(t, test.before), decode(t, test.after)); !slices.Equal(got, test.want) {
				t.Errorf("got  %v\nwant %v", got, test.want)
			}
		})
	}
	if got := schema.Group.Changed(decode(t, `{"displayName":"a"}`), decode(t, `{"displayName":"b","externalId":"c"}`)); !slices.Equal(got, []string{"displayName", "externalId"}) {
		t.Errorf("a group: %v", got)
	}
}
