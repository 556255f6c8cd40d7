package schema_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

const (
	userSchemas  = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]`
	groupSchemas = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"]`
)

func TestNormalize(t *testing.T) {
	tests := []struct {
		name string
		rt   *schema.ResourceType
		in   string
		want string
	}{
		{"names in canonical case", schema.User,
			`{"USERNAME":"b","Name":{"GIVENNAME":"B"}}`,
			`{` + userSchemas + `,"userName":"b","name":{"givenName":"B"}}`},
		{"what Okta puts back", schema.User,
			`{"schemas":["urn:x"],"id":"1","meta":{"created":7},"groups":"junk","userName":"b","password":"p","PassWord":"q","unknown":[1]}`,
			`{` + userSchemas + `,"userName":"b"}`},
		{"unassigned", schema.User,
			`{"userName":"b","title":null,"nickName":"","locale":" ","name":{},"emails":[],"roles":null,"active":""}`,
			`{` + userSchemas + `,"userName":"b"}`},
		{"booleans as strings", schema.User,
			`{"userName":"b","active":"False","emails":[{"value":"x","primary":"True"}]}`,
			`{` + userSchemas + `,"userName":"b","active":false,"emails":[{"value":"x","primary":true}]}`},
		{"one value for an array", schema.User,
			`{"userName":"b","emails":{"value":"x"},"roles":"admin"}`,
			`{` + userSchemas + `,"userName":"b","emails":[{"value":"x"}],"roles":[{"value":"admin"}]}`},
		{"bare strings in an array", schema.Group,
			`{"displayName":"g","members":["u1"]}`,
			`{` + groupSchemas + `,"displayName":"g","members":[{"value":"u1"}]}`},
		{"numbers for strings", schema.User,
			`{"userName":701984,"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":1.50}}`,
			`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
			  "userName":"701984","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"1.50"}}`},
		{"manager as a string, its name read-only", schema.User,
			`{"userName":"b","URN:ietf:params:scim:schemas:extension:enterprise:2.0:user":{"manager":"u2"}}`,
			`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
			  "userName":"b","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"u2"}}}`},
		{"manager without id", schema.User,
			`{"userName":"b","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"displayName":"M"}}}`,
			`{` + userSchemas + `,"userName":"b"}`},
		{"undeclared extensions are kept as sent", schema.User,
			`{"userName":"b","urn:Acme:User":{"Level":7,"x":[null]},"urn:empty:x":{},"urn:text:x":"y"}`,
			`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:Acme:User"],"userName":"b","urn:Acme:User":{"Level":7,"x":[null]}}`},
		{"members keep value and type, once", schema.Group,
			`{"displayName":"g","members":[{"value":"u1","display":"x","$ref":null},{"value":"u2","type":"User","y":1},{"value":"u1","type":"User"},{"value":"U1"}]}`,
			`{` + groupSchemas + `,"displayName":"g","members":[{"value":"u1","type":"User"},{"value":"u2","type":"User"},{"value":"U1"}]}`},
		{"values that say nothing", schema.User,
			`{"userName":"b","phoneNumbers":[{"type":"work","value":null},{"type":"work","value":"1"},null]}`,
			`{` + userSchemas + `,"userName":"b","phoneNumbers":[{"type":"work","value":"1"}]}`},
		{"an address has no value of its own", schema.User,
			`{"userName":"b","addresses":[{"type":"work","formatted":"a\nb"}]}`,
			`{` + userSchemas + `,"userName":"b","addresses":[{"type":"work","formatted":"a\nb"}]}`},
		{"same address for two purposes", schema.User,
			`{"userName":"b","emails":[{"value":"a@x","type":"work"},{"value":"A@x","type":"home"},{"value":"A@x","type":"WORK","primary":true}]}`,
			`{` + userSchemas + `,"userName":"b","emails":[{"value":"A@x","type":"WORK","primary":true},{"value":"A@x","type":"home"}]}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			in, before := decode(t, test.in), decode(t, test.in)
			got, err := test.rt.Normalize(in)
			if err != nil {
				t.Fatal(err)
			}
			if want := decode(t, test.want); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
			if !reflect.DeepEqual(in, before) {
				t.Errorf("the argument was changed: %v", in)
			}
		})
	}
}

func TestNormalizeRefuses(t *testing.T) {
	long := strings.Repeat("é", 1025)
	tests := []struct {
		in       string
		scimType string
		detail   string
	}{
		{`{}`, schema.InvalidValue, "userName is required"},
		{`{"userName":" "}`, schema.InvalidValue, "userName is required"},
		{`{"userName":["b"]}`, schema.InvalidValue, "userName must be a string, not an array"},
		{`{"userName":true}`, schema.InvalidValue, "userName must be a string, not a boolean"},
		{`{"userName":"b","username":"c"}`, schema.InvalidSyntax, "userName occurs twice, in different case"},
		{`{"userName":"b","name":{"givenName":"x","givenname":"y"}}`, schema.InvalidSyntax, "name.givenName occurs twice, in different case"},
		{`{"userName":"b","urn:a:b":{"x":1},"urn:A:b":{"x":1}}`, schema.InvalidSyntax, "urn:a:b occurs twice, in different case"},
		{`{"userName":"b","active":1}`, schema.InvalidValue, "active must be true or false, not a number"},
		{`{"userName":"b","active":"yes"}`, schema.InvalidValue, "active must be true or false, not a string"},
		{`{"userName":"b","name":"B"}`, schema.InvalidValue, "name must be an object, not a string"},
		{`{"userName":"b","emails":[{"value":"x"},{"value":{}}]}`, schema.InvalidValue, "emails[1].value must be a string, not an object"},
		{`{"userName":"b","emails":[["x"]]}`, schema.InvalidValue, "emails[0] must be an object, not an array"},
		{`{"userName":"b","emails":[{"value":"x","primary":true},{"value":"y","primary":true}]}`, schema.InvalidValue, "emails has more than one primary value: mark only one"},
		{`{"userName":"b\n"}`, schema.InvalidValue, "userName must not contain control characters"},
		{`{"userName":"b","title":"\u0000"}`, schema.InvalidValue, "title must not contain control characters"},
		{`{"userName":"` + long + `"}`, schema.InvalidValue, "userName is longer than 1024 characters"},
		{`{"userName":"b","x509Certificates":[{"value":"?"}]}`, schema.InvalidValue, "x509Certificates[0].value must be base64"},
		{`{"userName":"b","emails":[` + strings.Repeat(`"x",`, 100) + `"y"]}`, schema.InvalidValue, "emails has 101 values, more than 100"},
		{`{"userName":"b","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":[]}}}`, schema.InvalidValue,
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value must be a string, not an array"},
		{`{"userName":"b","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":7}`, schema.InvalidValue,
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User must be an object, not a number"},
		{`{"userName":"b","urn:a:b":{"x":"` + strings.Repeat("x", 32<<10) + `"}}`, schema.InvalidValue, "urn:a:b is larger than 32768 bytes"},
		{`{"userName":"b","urn:a:b":{"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}}`, schema.InvalidValue, "urn:a:b is nested deeper than 32"},
		{`{"userName":"b","urn:a:b":{"x":[{"y":-1e999}]}}`, schema.InvalidValue, "urn:a:b has a number beyond 1.8e308: send it as a string"},
		{manyExtensions(17), schema.InvalidValue, "the resource has 17 extensions, more than 16"},
	}
	for _, test := range tests {
		t.Run(test.detail, func(t *testing.T) {
			_, err := schema.User.Normalize(decode(t, test.in))
			wantError(t, err, test.scimType, test.detail)
		})
	}
	_, err := schema.Group.Normalize(decode(t, `{"displayName":"g","members":[{"display":"x"}]}`))
	wantError(t, err, schema.InvalidValue, "members[0].value is required")
}

func manyExtensions(n int) string {
	var text strings.Builder
	text.WriteString(`{"userName":"b"`)
	for i := range n {
		fmt.Fprintf(&text, `,"urn:x:%d":{"y":1}`, i)
	}
	return text.String() + "}"
}

func TestMembersAreUnbounded(t *testing.T) {
	members := make([]any, 20_000)
	for i := range members {
		members[i] = map[string]any{"value": fmt.Sprint(i)}
	}
	group, err := schema.Group.Normalize(map[string]any{"displayName": "g", "members": members})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(group["members"].([]any)); got != len(members) {
		t.Errorf("%d members are left of %d", got, len(members))
	}
}

func TestLengthsCountCharacters(t *testing.T) {
	if _, err := schema.User.Normalize(map[string]any{"userName": strings.Repeat("é", 1024)}); err != nil {
		t.Error(err)
	}
}

func TestConvertDateTime(t *testing.T) {
	created, _ := schema.User.Lookup("meta.created")
	if _, err := created.Convert("2026-01-31T12:00:00.5+01:00"); err != nil {
		t.Error(err)
	}
	_, err := created.Convert("yesterday")
	wantError(t, err, schema.InvalidValue, "meta.created must be a date and time such as 2026-01-31T12:00:00Z")
}

// FuzzNormalize: whatever is sent, the result is canonical, so that normalizing it again changes nothing.
func FuzzNormalize(f *testing.F) {
	f.Add(`{"userName":"b","emails":[{"value":"A@x","type":"work"},{"value":"a@x"}],"urn:x:y":{"z":1}}`)
	f.Add(`{"USERNAME":1,"Active":"True","name":{"givenName":null},"roles":"r","addresses":[{},{"region":"x"}]}`)
	f.Add(`{"displayName":"g","members":[{"value":"1"},{"value":"1","type":"User"},"2"]}`)
	for _, resource := range resourcesOfCases(f) {
		f.Add(resource)
	}
	f.Add(`{"userName":"b","urn:acme:USER":{"level":"07","rate":[1.50,"15e-1",-0],"pin":1,"card":{"Code":"c"},"number":1,"score":2}}`)
	f.Fuzz(func(t *testing.T, text string) {
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		var tree map[string]any
		if decoder.Decode(&tree) != nil {
			return
		}
		for _, rt := range []*schema.ResourceType{schema.User, schema.Group, acme} {
			once, err := rt.Normalize(tree)
			if err != nil {
				if _, ok := errors.AsType[*schema.Error](err); !ok {
					t.Fatalf("not a schema.Error: %v", err)
				}
				continue
			}
			twice, err := rt.Normalize(once)
			if err != nil {
				t.Fatalf("refused its own result: %v", err)
			}
			if !reflect.DeepEqual(once, twice) {
				t.Errorf("once  %v\ntwice %v", once, twice)
			}
			if same, err := rt.Replacement(once, once); err != nil || !reflect.DeepEqual(once, same) {
				t.Errorf("once   %v\nputs   %v, %v", once, same, err)
			}
			if same, err := rt.Revision(once, once); err != nil || !reflect.DeepEqual(once, same) {
				t.Errorf("once    %v\npatched %v, %v", once, same, err)
			}
		}
	})
}

// resourcesOfCases are the users and groups of the filter and PATCH cases, in JSON.
func resourcesOfCases(t testing.TB) (resources []string) {
	t.Helper()
	for _, path := range []string{"../filter/testdata/filter-cases.json", "../patch/testdata/patch-cases.json"} {
		data, err := os.ReadFile(filepath.Clean(path))
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			Users []json.RawMessage `json:"users"`
			Cases []struct {
				Before json.RawMessage `json:"before"`
			} `json:"cases"`
		}
		if err := json.Unmarshal(data, &file); err != nil {
			t.Fatal(err)
		}
		for _, user := range file.Users {
			resources = append(resources, string(user))
		}
		for _, c := range file.Cases {
			if c.Before != nil {
				resources = append(resources, string(c.Before))
			}
		}
	}
	return resources
}

func wantError(t *testing.T, err error, scimType, detail string) {
	t.Helper()
	bad, ok := errors.AsType[*schema.Error](err)
	if !ok || bad.ScimType != scimType || bad.Detail != detail {
		t.Errorf("error = %v\nwant %s: %s", err, scimType, detail)
	}
}

func decode(t testing.TB, text string) (tree map[string]any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		t.Fatalf("%v in %.100s", err, text)
	}
	return tree
}
