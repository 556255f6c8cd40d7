package schema_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

func TestLookup(t *testing.T) {
	tests := []struct{ name, want string }{
		{"userName", "userName"},
		{"USERNAME", "userName"},
		{"externalid", "externalId"},
		{"id", "id"},
		{"schemas", "schemas"},
		{"Meta.LastModified", "meta.lastModified"},
		{"emails.value", "emails.value"},
		{"groups.$REF", "groups.$ref"},
		{"urn:ietf:params:scim:schemas:core:2.0:User:name.givenName", "name.givenName"},
		{"URN:IETF:params:scim:schemas:CORE:2.0:User:username", "userName"},
		{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:user", schema.EnterpriseUserURN},
		{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:Manager.Value", schema.EnterpriseUserURN + ":manager.value"},
		{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.manager", schema.EnterpriseUserURN + ":manager"},
		{"", ""},
		{"password", ""},
		{"department", ""},
		{"userName.value", ""},
		{"emails.value.x", ""},
		{"emails.", ""},
		{"members", ""},
		{"urn:ietf:params:scim:schemas:core:2.0:User", ""},
		{"urn:ietf:params:scim:schemas:core:2.0:User:", ""},
		{"urn:ietf:params:scim:schemas:core:2.0:Group:displayName", ""},
		{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:userName", ""},
	}
	for _, test := range tests {
		path, ok := schema.User.Lookup(test.name)
		if ok != (test.want != "") || ok && path.String() != test.want {
			t.Errorf("Lookup(%q) = %v, %v; want %q", test.name, path.Names(), ok, test.want)
		}
	}
}

func TestUndeclared(t *testing.T) {
	tests := map[string]bool{
		"urn:x:y":                         true,
		"URN:x:y:z.a":                     true,
		schema.GroupURN:                   true,
		schema.UserURN:                    false,
		schema.UserURN + ":foo":           false,
		schema.EnterpriseUserURN:          false,
		schema.EnterpriseUserURN + ":foo": false,
		"userName":                        false,
		"urn:x:y\n":                       false,
		"urn:x:y[z eq 1]":                 false,
		"urn:":                            false,
	}
	for name, want := range tests {
		if got := schema.User.Undeclared(name); got != want {
			t.Errorf("Undeclared(%q) = %v", name, got)
		}
	}
}

// TestAnnounced keeps the schemas complete: RFC 7643 §4.1, §4.2 and §4.3, less the password, which is not stored.
func TestAnnounced(t *testing.T) {
	tests := []struct {
		schema *schema.Schema
		want   string
	}{
		{schema.User.Schema, "userName name displayName nickName profileUrl title userType preferredLanguage locale timezone active " +
			"emails phoneNumbers ims photos addresses groups entitlements roles x509Certificates"},
		{schema.Group.Schema, "displayName members"},
		{schema.EnterpriseUser, "employeeNumber costCenter organization division department manager"},
	}
	for _, test := range tests {
		var names []string
		for _, a := range test.schema.Attributes {
			names = append(names, a.Name)
		}
		if want := strings.Fields(test.want); !slices.Equal(names, want) {
			t.Errorf("%s has %v\nwant %v", test.schema.ID, names, want)
		}
	}
}

func TestAttributeJSON(t *testing.T) {
	path, _ := schema.Group.Lookup("members.value")
	got, err := json.Marshal(path.Leaf())
	if err != nil {
		t.Fatal(err)
	}
	want := `{"name":"value","type":"string","multiValued":false,"description":"The id of the user or group.","required":true,` +
		`"caseExact":true,"mutability":"immutable","returned":"default","uniqueness":"none"}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestDescribed checks every attribute that is announced, down to the last sub-attribute.
func TestDescribed(t *testing.T) {
	var check func(at string, attributes []schema.Attribute)
	check = func(at string, attributes []schema.Attribute) {
		for _, a := range attributes {
			if a.Description == "" {
				t.Errorf("%s%s has no description", at, a.Name)
			}
			if (a.Type == schema.Complex) != (len(a.SubAttributes) > 0) {
				t.Errorf("%s%s is %s with %d sub-attributes", at, a.Name, a.Type, len(a.SubAttributes))
			}
			check(at+a.Name+".", a.SubAttributes)
		}
	}
	for _, s := range []*schema.Schema{schema.User.Schema, schema.Group.Schema, schema.EnterpriseUser} {
		check(s.Name+" ", s.Attributes)
	}
}

func TestReadOnlyReachesDown(t *testing.T) {
	for _, name := range []string{"id", "schemas", "meta", "meta.created", "groups", "groups.value", schema.EnterpriseUserURN + ":manager.displayName"} {
		if path, _ := schema.User.Lookup(name); path.Leaf().Mutability != schema.ReadOnly {
			t.Errorf("%s is %s", name, path.Leaf().Mutability)
		}
	}
}
