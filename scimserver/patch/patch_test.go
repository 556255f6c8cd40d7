package patch_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/scim-operator/scim-operator/scimserver/patch"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

const (
	before = `{"id":"u1","userName":"bjensen","active":true,"title":"T","name":{"givenName":"Barbara","familyName":"Jensen"},
		"emails":[{"value":"b@work.example","type":"work","primary":true},{"value":"b@home.example","type":"home"}],
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"d","manager":{"value":"u2"}},
		"urn:acme:ext":{"Level":7,"tags":["a"]}}`
	enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

// TestOperations says what changes of `before`: attributes set to null are gone.
func TestOperations(t *testing.T) {
	tests := []struct {
		name, operations, changes string
	}{
		{"single value by add", `{"op":"add","path":"title","value":"X"}`, `{"title":"X"}`},
		{"null for a single value", `{"op":"add","path":"title","value":null}`, `{"title":null}`},
		{"remove a single value", `{"op":"remove","path":"title","value":"ignored"}`, `{"title":null}`},
		{"remove what is not there", `{"op":"remove","path":"nickName"}`, `{}`},
		{"remove a sub-attribute that is not there", `{"op":"remove","path":"name.middleName"}`, `{}`},
		{"remove the last sub-attribute", `{"op":"remove","path":"name.givenName"},{"op":"remove","path":"name.familyName"}`, `{"name":null}`},
		{"null in an object removes", `{"op":"replace","path":"name","value":{"GIVENNAME":null,"x":1}}`, `{"name":{"familyName":"Jensen"}}`},
		{"replace an object by null", `{"op":"replace","path":"name","value":null}`, `{"name":null}`},
		{"core URN", `{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:User:title","value":"X"}`, `{"title":"X"}`},

		{"add a value that is there", `{"op":"add","path":"emails","value":[{"value":"B@work.example"}]}`,
			`{"emails":[{"value":"B@work.example","type":"work","primary":true},{"value":"b@home.example","type":"home"}]}`},
		{"add nothing", `{"op":"add","path":"emails","value":[]}`, `{}`},
		{"add null", `{"op":"add","path":"emails","value":null}`, `{}`},
		{"replace by nothing", `{"op":"replace","path":"emails","value":[]}`, `{"emails":null}`},
		{"remove listed values", `{"op":"remove","path":"emails","value":[{"value":"B@HOME.example"}]}`,
			`{"emails":[{"value":"b@work.example","type":"work","primary":true}]}`},
		{"remove an empty list of values", `{"op":"remove","path":"emails","value":[]}`, `{}`},
		{"remove by filter", `{"op":"remove","path":"emails[type eq \"home\"]","value":null}`,
			`{"emails":[{"value":"b@work.example","type":"work","primary":true}]}`},

		{"replace a selected value keeps what selects it", `{"op":"replace","path":"emails[type eq \"home\"]","value":{"value":"n@x"}}`,
			`{"emails":[{"value":"b@work.example","type":"work","primary":true},{"type":"home","value":"n@x"}]}`},
		{"add to a selected value", `{"op":"add","path":"emails[type eq \"home\"]","value":{"display":"H"}}`,
			`{"emails":[{"value":"b@work.example","type":"work","primary":true},{"value":"b@home.example","type":"home","display":"H"}]}`},
		{"primary moves", `{"op":"replace","path":"emails[type eq \"home\"].primary","value":"True"}`,
			`{"emails":[{"value":"b@work.example","type":"work","primary":false},{"value":"b@home.example","type":"home","primary":true}]}`},
		{"primary moves, selected by itself", `{"op":"replace","path":"emails[primary eq true]","value":{"value":"n@x","primary":true}}`,
			`{"emails":[{"value":"n@x","primary":true},{"value":"b@home.example","type":"home"}]}`},
		{"primary moves to a value that the filter describes", `{"op":"add","path":"emails[type eq \"other\" and primary eq true].value","value":"n@x"}`,
			`{"emails":[{"value":"b@work.example","type":"work","primary":false},{"value":"b@home.example","type":"home"},{"value":"n@x","type":"other","primary":true}]}`},
		{"an address that is there becomes primary", `{"op":"add","path":"addresses","value":[{"region":"R"}]},{"op":"add","path":"addresses","value":[{"region":"R","primary":true}]}`,
			`{"addresses":[{"region":"R","primary":true}]}`},
		{"null for a selected value", `{"op":"replace","path":"emails[type eq \"home\"]","value":null}`,
			`{"emails":[{"value":"b@work.example","type":"work","primary":true}]}`},
		{"null where nothing is selected", `{"op":"replace","path":"phoneNumbers[type eq \"work\"].value","value":null}`, `{}`},
		{"create from two equalities", `{"op":"replace","path":"addresses[type eq \"work\" and primary eq true].country","value":"US"}`,
			`{"addresses":[{"type":"work","primary":true,"country":"US"}]}`},
		{"create by add", `{"op":"add","path":"phoneNumbers[type eq \"work\"]","value":{"value":"1"}}`,
			`{"phoneNumbers":[{"type":"work","value":"1"}]}`},
		{"sub-attribute of all values", `{"op":"replace","path":"emails.display","value":"D"}`,
			`{"emails":[{"value":"b@work.example","type":"work","primary":true,"display":"D"},{"value":"b@home.example","type":"home","display":"D"}]}`},
		{"sub-attribute of no value", `{"op":"add","path":"phoneNumbers.value","value":"1"}`, `{"phoneNumbers":[{"value":"1"}]}`},

		{"extension attribute, separated by a dot", `{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.manager","value":"u3"}`,
			`{"` + enterpriseURN + `":{"department":"d","manager":{"value":"u3"}}}`},
		{"manager cleared by an empty string", `{"op":"replace","path":"` + enterpriseURN + `:manager","value":""}`,
			`{"` + enterpriseURN + `":{"department":"d"}}`},
		{"extension merges", `{"op":"replace","value":{"` + enterpriseURN + `":{"department":null,"division":"v","manager":{"displayName":"ignored"}}}}`,
			`{"` + enterpriseURN + `":{"division":"v","manager":{"value":"u2"}}}`},
		{"remove an extension", `{"op":"remove","path":"` + enterpriseURN + `"}`, `{"` + enterpriseURN + `":null}`},

		{"undeclared extension merges", `{"op":"add","value":{"URN:acme:ext":{"level":null,"x":{"y":1}}}}`, `{"urn:acme:ext":{"tags":["a"],"x":{"y":1}}}`},
		{"undeclared attribute", `{"op":"replace","path":"urn:acme:ext:level","value":8}`, `{"urn:acme:ext":{"Level":8,"tags":["a"]}}`},
		{"undeclared array", `{"op":"add","path":"urn:acme:ext:tags","value":["a","b"]}`, `{"urn:acme:ext":{"Level":7,"tags":["a","b"]}}`},
		{"undeclared sub-attribute", `{"op":"add","path":"urn:acme:new:a.b","value":"x"}`, `{"urn:acme:new":{"a":{"b":"x"}}}`},
		{"undeclared extension removed", `{"op":"remove","path":"urn:acme:ext"}`, `{"urn:acme:ext":null}`},
		{"undeclared attributes removed", `{"op":"remove","path":"urn:acme:ext:Level"},{"op":"replace","path":"urn:acme:ext:tags","value":null}`, `{"urn:acme:ext":null}`},

		{"password and schemas are ignored", `{"op":"add","path":"Password","value":"p"},{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:User:password","value":"p"},` +
			`{"op":"add","path":"schemas","value":["urn:x"]},{"op":"replace","value":{"PASSWORD":"p","schemas":7}}`, `{}`},
		{"what Okta sends back", `{"op":"replace","value":{"id":"u1","meta":{"x":1},"groups":[{"value":"g"}],"unknown":1,"name.unknown":1,"title":"X"}}`, `{"title":"X"}`},
		{"id null", `{"op":"replace","value":{"id":null,"title":"X"}}`, `{"title":"X"}`},
		{"read-only, unchanged", `{"op":"replace","path":"id","value":"u1"}`, `{}`},
		{"a value not selected by equality", `{"op":"replace","path":"emails[type sw \"H\"]","value":{"value":"n@x"}}`,
			`{"emails":[{"value":"b@work.example","type":"work","primary":true},{"value":"n@x"}]}`},
		{"paths as keys", `{"op":"replace","value":{"emails[type eq \"work\"].value":"n@x","name.givenName":"N"}}`,
			`{"emails":[{"value":"n@x","type":"work","primary":true},{"value":"b@home.example","type":"home"}],"name":{"givenName":"N","familyName":"Jensen"}}`},
		{"names of the message in any case", `{"OP":"REPLACE","Path":"TITLE","VALUE":"X"}`, `{"title":"X"}`},
		{"empty path", `{"op":"replace","path":"","value":{"title":"X"}}`, `{"title":"X"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			resource := tree(t, before)
			got, err := run(schema.User, resource, list(t, test.operations))
			if err != nil {
				t.Fatal(err)
			}
			want := tree(t, before)
			for name, value := range tree(t, test.changes) {
				if want[name] = value; value == nil {
					delete(want, name)
				}
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
			if !reflect.DeepEqual(resource, tree(t, before)) {
				t.Errorf("the resource was changed: %v", resource)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	tests := []struct{ operations, scimType, detail string }{
		{`7`, schema.InvalidSyntax, "Operations[0]: an operation must be an object"},
		{`{"path":"title","value":"x"}`, schema.InvalidSyntax, "Operations[0]: op must be add, remove or replace"},
		{`{"op":"add","path":"title","value":"x"},{"op":"add","path":"title"}`, schema.InvalidValue, "Operations[1]: add needs a value"},
		{`{"op":"replace","path":"title","Path":"x","value":1}`, schema.InvalidSyntax, "Operations[0]: path occurs twice, in different case"},
		{`{"op":"replace","path":7,"value":1}`, schema.InvalidPath, "Operations[0]: path must be a string"},
		{`{"op":"replace","path":"foo","value":1}`, schema.InvalidPath, `Operations[0]: there is no attribute "foo", at character 1`},
		{`{"op":"replace","path":"name.foo","value":1}`, schema.InvalidPath, `Operations[0]: there is no attribute "name.foo", at character 1`},
		{`{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:User:foo","value":1}`, schema.InvalidPath,
			`Operations[0]: there is no attribute "urn:ietf:params:scim:schemas:core:2.0:User:foo", at character 1`},
		{`{"op":"remove","path":"` + enterpriseURN + `:manager[value eq \"x\"]"}`, schema.InvalidPath,
			"Operations[0]: " + enterpriseURN + ":manager has a single value, so no filter can select among its values, at character 67"},
		{`{"op":"remove"}`, schema.NoTarget, "Operations[0]: remove needs a path"},
		{`{"op":"add","value":["x"]}`, schema.InvalidValue, "Operations[0]: an operation without path needs an object as its value"},
		{`{"op":"add","value":{"title":"x","Title":"y"}}`, schema.InvalidSyntax, `Operations[0]: "title" occurs twice, in different case`},
		{`{"op":"replace","path":"name","value":{"givenName":"x","givenname":"y"}}`, schema.InvalidSyntax, "Operations[0]: name.givenName occurs twice, in different case"},
		{`{"op":"replace","path":"name","value":"B"}`, schema.InvalidValue, "Operations[0]: name must be an object, not a string"},
		{`{"op":"replace","path":"active","value":"maybe"}`, schema.InvalidValue, "Operations[0]: active must be true or false, not a string"},
		{`{"op":"replace","path":"userName","value":null}`, schema.Mutability, "Operations[0]: userName is required and cannot be removed"},
		{`{"op":"remove","path":"userName"}`, schema.Mutability, "Operations[0]: userName is required and cannot be removed"},
		{`{"op":"replace","path":"` + enterpriseURN + `:manager.displayName","value":"x"}`, schema.Mutability,
			"Operations[0]: " + enterpriseURN + ":manager.displayName cannot be changed"},
		{`{"op":"replace","value":{"id":"u2"}}`, schema.Mutability, "id is read-only: leave it out, or send it as it is"},
		{`{"op":"remove","path":"id"}`, schema.Mutability, "id is read-only and cannot be removed"},
		{`{"op":"remove","path":"groups"}`, schema.Mutability, "groups is read-only and cannot be removed"},
		{`{"op":"add","path":"groups","value":[{"value":"g"}]}`, schema.Mutability, "groups is read-only: leave it out, or send it as it is"},
		{`{"op":"replace","path":"emails[type eq \"other\"]","value":{"value":"x"}}`, schema.NoTarget, "no value of emails matches the filter in the path"},
		{`{"op":"replace","path":"emails[type ne \"work\" and type ne \"home\"].value","value":"x"}`, schema.NoTarget, "no value of emails.value matches the filter in the path"},
		{`{"op":"replace","path":"emails[value eq \"old@x\"].value","value":"new@x"}`, schema.NoTarget, "no value of emails.value matches the filter in the path"},
		{`{"op":"replace","value":{"emails[type eq].value":"x"}}`, schema.InvalidFilter,
			"Operations[0]: type must be compared to a string in double quotes, at character 15"},
		{`{"op":"replace","path":"urn:acme:ext","value":7}`, schema.InvalidValue, "urn:acme:ext is an extension: its value must be an object"},
		{`{"op":"replace","path":"urn:acme:ext:level.x","value":7}`, schema.InvalidPath, "the path leads through a value that is not an object"},
		{`{"op":"replace","path":"urn:acme","value":7}`, schema.InvalidPath, "urn:acme names no attribute of an extension"},
		{`{"op":"replace","path":"urn:acme:ext:a..b","value":7}`, schema.InvalidPath, "urn:acme:ext:a..b names no attribute of an extension"},
		{`{"op":"add","path":"emails","value":[` + values(60, "a") + `]},{"op":"add","path":"emails","value":[` + values(60, "b") + `]}`, schema.InvalidValue,
			"emails would have too many values"},
		{`{"op":"remove","path":"urn:acme:ext:tags[value eq 1]"}`, schema.InvalidPath,
			`Operations[0]: there is no attribute "urn:acme:ext:tags", at character 1`},
		{`{"op":"remove","path":"urn:acme:` + strings.Repeat("x.", 600) + `"}`, schema.InvalidPath, "Operations[0]: a URN is longer than 1024 bytes"},
	}
	for _, test := range tests {
		_, err := run(schema.User, tree(t, before), list(t, test.operations))
		bad, ok := errors.AsType[*schema.Error](err)
		if !ok || bad.ScimType != test.scimType || bad.Detail != test.detail {
			t.Errorf("%s: error = %v\nwant %s", test.operations, err, test.detail)
		}
	}
}

func TestMessage(t *testing.T) {
	one := `[{"op":"remove","path":"title"}]`
	tests := []struct{ body, scimType string }{
		{`{"schemas":["` + schema.PatchOpURN + `"],"Operations":` + one + `}`, ""},
		{`{"operations":` + one + `}`, ""},
		{`{"schemas":["urn:x"],"Operations":` + one + `}`, schema.InvalidSyntax},
		{`{"schemas":["` + schema.PatchOpURN + `"]}`, schema.InvalidSyntax},
		{`{"Operations":[]}`, schema.InvalidSyntax},
		{`{"Operations":[{"op":"add","value":{` + extensions(1001) + `}}]}`, schema.InvalidSyntax},
		{`{"Operations":{"op":"remove","path":"title"}}`, schema.InvalidSyntax},
		{`{"Operations":` + one + `,"operations":` + one + `}`, schema.InvalidSyntax},
		{`{"Operations":[` + strings.Repeat(`{"op":"remove","path":"title"},`, 1000) + `{"op":"remove","path":"title"}]}`, schema.InvalidSyntax},
	}
	for _, test := range tests {
		_, err := patch.Parse(schema.User, tree(t, test.body))
		if test.scimType != "" {
			wantError(t, err, test.scimType)
		} else if err != nil {
			t.Errorf("%s: %v", test.body, err)
		}
	}
}

// TestMemberOperations is about what a server needs that keeps members elsewhere.
func TestMemberOperations(t *testing.T) {
	tests := []struct {
		operation string
		op        patch.Op
		ids       []string
		selected  string // by the filter
		all       bool   // a removal of everything
	}{
		{operation: `{"op":"add","path":"members","value":["u1",{"value":"u2","display":"x"},{"value":"u1"}]}`, op: patch.Add, ids: []string{"u1", "u2"}},
		{operation: `{"op":"replace","value":{"displayName":"g","members":[{"value":"u1"}]}}`, op: patch.Replace, ids: []string{"u1"}},
		{operation: `{"op":"replace","path":"members","value":[]}`, op: patch.Replace},
		{operation: `{"op":"Remove","path":"Members","value":[{"$ref":null,"value":"u1"}]}`, op: patch.Remove, ids: []string{"u1"}},
		{operation: `{"op":"remove","path":"members[value eq \"u1\"]"}`, op: patch.Remove, selected: "u1"},
		{operation: `{"op":"remove","path":"members"}`, op: patch.Remove, all: true},
	}
	for _, test := range tests {
		operations, err := patch.Parse(schema.Group, map[string]any{"Operations": list(t, test.operation)})
		if err != nil {
			t.Errorf("%s: %v", test.operation, err)
			continue
		}
		o := operations[len(operations)-1]
		var selected string
		if o.Path.Filter() != nil {
			selected, _ = o.Path.Filter().Equality("value")
		}
		all := o.Op == patch.Remove && o.Path.Filter() == nil && o.Value == nil
		if o.Path.Attribute() != "members" || o.Op != test.op || !slices.Equal(o.MemberIDs(), test.ids) || selected != test.selected || all != test.all {
			t.Errorf("%s: %s %s %v, selected %q, all %v", test.operation, o.Op, o.Path, o.MemberIDs(), selected, all)
		}
	}
	for _, operation := range []string{
		`{"op":"replace","path":"members[value eq \"u1\"].value","value":"u2"}`,
		`{"op":"replace","path":"members[value eq \"u1\"]","value":{"value":"u2"}}`,
		`{"op":"add","path":"members.type","value":"User"}`,
		`{"op":"remove","path":"members.value"}`,
		`{"op":"add","path":"members[value eq \"u1\"].display","value":"x"}`,
	} {
		_, err := patch.Parse(schema.Group, map[string]any{"Operations": list(t, operation)})
		wantError(t, err, schema.Mutability)
	}
	_, err := patch.Parse(schema.Group, map[string]any{"Operations": list(t, `{"op":"add","path":"members","value":[{"display":"x"}]}`)})
	wantError(t, err, schema.InvalidValue)
}

// TestAddThenRemove: adding members and removing them again leaves those that were not added, in their order.
func TestAddThenRemove(t *testing.T) {
	ids := rapid.SliceOfNDistinct(rapid.IntRange(0, 9), 0, 6, rapid.ID)
	rapid.Check(t, func(t *rapid.T) {
		there, added := ids.Draw(t, "there"), ids.Draw(t, "added")
		group := map[string]any{"displayName": "g", "members": members(there)}
		operations := []any{
			map[string]any{"op": "add", "path": "members", "value": members(added)},
			map[string]any{"op": "add", "path": "members", "value": members(added)},
			map[string]any{"op": "remove", "path": "members", "value": members(added)},
		}
		got, err := run(schema.Group, group, operations)
		if err != nil {
			t.Fatal(err)
		}
		want := slices.DeleteFunc(slices.Clone(there), func(id int) bool { return slices.Contains(added, id) })
		if left, _ := got["members"].([]any); len(left) != len(want) || len(want) > 0 && !reflect.DeepEqual(left, members(want)) {
			t.Errorf("%v + %v - %v = %v", there, added, added, left)
		}
	})
}

func extensions(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`"urn:x:%d":{"a":1}`, i)
	}
	return strings.Join(list, ",")
}

func values(n int, prefix string) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`"%s%d"`, prefix, i)
	}
	return strings.Join(list, ",")
}

func members(ids []int) []any {
	elements := make([]any, len(ids))
	for i, id := range ids {
		elements[i] = map[string]any{"value": fmt.Sprint(id)}
	}
	return elements
}

// FuzzParse: no request makes Parse or Apply panic or touch the resource, and every error is the client's.
func FuzzParse(f *testing.F) {
	f.Add(`[{"op":"replace","path":"emails[type eq \"work\"].value","value":"x"},{"op":"add","value":{"name.givenName":"x"}}]`)
	f.Add(`[{"op":"Add","path":"urn:acme:ext:a.b","value":[1]},{"op":"remove","path":"name"}]`)
	f.Add(`[{"op":"add","path":"emails","value":{"value":"x","primary":"True"}},{"op":"remove","path":"emails","value":["x"]}]`)
	for _, c := range readCases(f) {
		operations, err := json.Marshal(c.Operations)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(operations))
	}
	f.Add(`[{"op":"replace","path":"urn:x:y:level","value":"7"},{"op":"add","value":{"urn:x:y":{"cards":{"code":"c"},"score":1}}}]`)
	f.Fuzz(func(t *testing.T, text string) {
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		var operations []any
		if decoder.Decode(&operations) == nil {
			checkHarmless(t, operations)
		}
	})
}

// FuzzPath: any text is a path or the client's error, whatever is done there.
func FuzzPath(f *testing.F) {
	for _, c := range readCases(f) {
		for _, operation := range c.Operations {
			if path, ok := operation.(map[string]any)["path"].(string); ok {
				f.Add(path)
			}
		}
	}
	f.Fuzz(func(t *testing.T, path string) {
		for _, op := range []string{"add", "replace", "remove"} {
			checkHarmless(t, []any{map[string]any{"op": op, "path": path, "value": "x"}})
		}
	})
}

func checkHarmless(t *testing.T, operations []any) {
	t.Helper()
	const group = `{"id":"g1","displayName":"Tour Guides","members":[{"value":"u1","type":"User"},{"value":"g2","type":"Group"}]}`
	for rt, text := range map[*schema.ResourceType]string{schema.User: before, extended: before, schema.Group: group} {
		resource := tree(t, text)
		result, err := run(rt, resource, operations)
		if err == nil {
			_, err = rt.Revision(resource, result)
		}
		if _, ok := errors.AsType[*schema.Error](err); err != nil && !ok {
			t.Errorf("not a schema.Error: %v", err)
		}
		if !reflect.DeepEqual(resource, tree(t, text)) {
			t.Errorf("the resource was changed: %v", resource)
		}
	}
}

func tree(t testing.TB, text string) (decoded map[string]any) {
	t.Helper()
	decode(t, []byte(text), &decoded)
	return decoded
}

func list(t testing.TB, elements string) (decoded []any) {
	t.Helper()
	decode(t, []byte("["+elements+"]"), &decoded)
	return decoded
}
