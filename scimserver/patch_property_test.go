package scimserver_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/scim-operator/scim-operator/scimserver/patch"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// The alphabets are small, so that operations meet each other's values.
var (
	textNames   = []string{"displayName", "nickName", "title", "userType", "locale", "timezone", "preferredLanguage", "externalId"}
	nameParts   = []string{"formatted", "familyName", "givenName", "middleName"}
	jobParts    = []string{"employeeNumber", "costCenter", "department"}
	pluralNames = []string{"emails", "phoneNumbers", "roles", "addresses"}

	someText  = rapid.SampledFrom([]string{"x", "y", "Grüße", "a \"b\" \\c", "007"})
	someValue = rapid.SampledFrom([]string{"a", "b", "c", "A"})
	someType  = rapid.SampledFrom([]string{"work", "home", "Work"})
	someOp    = rapid.SampledFrom([]string{"add", "replace", "remove"})
)

// anElement is one of a multi-valued attribute.
func anElement(t *rapid.T, name string) map[string]any {
	element := map[string]any{}
	if name == "addresses" {
		element["locality"] = someValue.Draw(t, "locality")
	} else {
		element["value"] = someValue.Draw(t, "value")
	}
	if rapid.Bool().Draw(t, "typed") {
		element["type"] = someType.Draw(t, "type")
	}
	if rapid.IntRange(0, 3).Draw(t, "primary") == 0 {
		element["primary"] = rapid.Bool().Draw(t, "primary")
	}
	return element
}

func aList(t *rapid.T, name string) []any {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) any { return anElement(t, name) }), 0, 3).Draw(t, name)
}

func someOf(t *rapid.T, names []string) map[string]any {
	object := map[string]any{}
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 1, len(names), rapid.ID).Draw(t, "names") {
		object[name] = someText.Draw(t, name)
	}
	return object
}

// aUser is a resource that the schema of users allows.
func aUser(t *rapid.T) map[string]any {
	user := someOf(t, textNames)
	user["userName"] = "ada"
	user["active"] = rapid.Bool().Draw(t, "active")
	for _, name := range pluralNames {
		list, err := set(name, elements(aList(t, name)))
		if err == nil {
			put(user, name, list)
		}
	}
	if rapid.Bool().Draw(t, "named") {
		user["name"] = someOf(t, nameParts)
	}
	if rapid.Bool().Draw(t, "employed") {
		user[enterprise] = someOf(t, jobParts)
	}
	return user
}

// eq selects the elements of which a sub-attribute equals a string, in any case.
func eq(sub, value string) *selection {
	return &selection{
		text: fmt.Sprintf("%s eq %q", sub, value),
		holds: func(e map[string]any) bool {
			s, _ := e[sub].(string)
			return strings.EqualFold(s, value)
		},
		says: map[string]any{sub: value},
	}
}

// isPrimary selects the primary element.
var isPrimary = &selection{
	text:  "primary eq true",
	holds: func(e map[string]any) bool { return e["primary"] == true },
	says:  map[string]any{"primary": true},
}

// both selects what x and y select; what it describes has what both say, unless they contradict each other.
func both(x, y *selection) *selection {
	says := map[string]any{}
	for _, s := range []*selection{x, y} {
		maps.Copy(says, s.says)
	}
	joined := &selection{
		text:  x.text + " and " + y.text,
		holds: func(e map[string]any) bool { return x.holds(e) && y.holds(e) },
	}
	if x.says != nil && y.says != nil && joined.holds(says) {
		joined.says = says
	}
	return joined
}

func either(x, y *selection) *selection {
	return &selection{text: x.text + " or " + y.text, holds: func(e map[string]any) bool { return x.holds(e) || y.holds(e) }}
}

func not(x *selection) *selection {
	return &selection{text: "not (" + x.text + ")", holds: func(e map[string]any) bool { return !x.holds(e) }}
}

func aSelection(t *rapid.T, name string) *selection {
	key := "value"
	if name == "addresses" {
		key = "locality"
	}
	x := eq(key, someValue.Draw(t, "selected"))
	y := eq("type", someType.Draw(t, "selected type"))
	return rapid.SampledFrom([]*selection{x, y, isPrimary, both(y, x), both(isPrimary, y), either(x, y), not(y), not(x)}).Draw(t, "selection")
}

// aListChange changes a multi-valued attribute: whole, or of some elements everything or one sub-attribute.
func aListChange(t *rapid.T, op string) change {
	c := change{attribute: []string{rapid.SampledFrom(pluralNames).Draw(t, "attribute")}}
	name := c.attribute[0]
	shape := rapid.SampledFrom([]string{"whole", "whole", "selected", "sub-attribute", "sub-attribute of all"}).Draw(t, "shape")
	if shape == "selected" || shape == "sub-attribute" {
		c.where = aSelection(t, name)
	}
	switch {
	case shape == "whole" && (op != "remove" || rapid.Bool().Draw(t, "listed")):
		c.value = aList(t, name)
	case shape == "selected" && op != "remove":
		c.value = anElement(t, name)
	case strings.HasPrefix(shape, "sub-attribute"):
		c.sub = rapid.SampledFrom([]string{"type", "primary", "value"}).Draw(t, "sub")
		if name == "addresses" && c.sub == "value" {
			c.sub = "locality"
		}
		switch {
		case op == "remove":
		case c.sub == "primary":
			c.value = rapid.Bool().Draw(t, "primary")
		case c.sub == "type":
			c.value = someType.Draw(t, "type")
		default:
			c.value = someValue.Draw(t, "value")
		}
	}
	return c
}

// aSingleChange changes a single value, or an object of them.
func aSingleChange(t *rapid.T, op string) change {
	c := change{attribute: rapid.SampledFrom([][]string{
		{rapid.SampledFrom(textNames).Draw(t, "text")},
		{rapid.SampledFrom(textNames).Draw(t, "text")},
		{"name"}, {"name", rapid.SampledFrom(nameParts).Draw(t, "part")},
		{enterprise}, {enterprise, rapid.SampledFrom(jobParts).Draw(t, "part")},
		{enterprise, "manager", "value"}, {"userName"}, {"active"},
	}).Draw(t, "attribute")}
	switch {
	case c.path() == "active":
		c.value = rapid.Bool().Draw(t, "active")
	case op == "remove":
	case c.path() == "name":
		c.value = someOf(t, nameParts)
	case c.path() == enterprise:
		c.value = someOf(t, jobParts)
	case c.path() == "userName", rapid.IntRange(0, 4).Draw(t, "null") > 0:
		c.value = someText.Draw(t, "value")
	}
	return c
}

// anOperation is one that RFC 7644 §3.5.2 describes, on a user.
func anOperation(t *rapid.T) operation {
	o := operation{op: someOp.Draw(t, "op")}
	if o.op != "remove" && rapid.IntRange(0, 3).Draw(t, "without path") == 0 {
		o.noPath = true
		for range rapid.IntRange(1, 3).Draw(t, "attributes") {
			c := aSingleChange(t, o.op)
			if rapid.Bool().Draw(t, "plural") {
				name := rapid.SampledFrom(pluralNames).Draw(t, "attribute")
				c = change{attribute: []string{name}, value: aList(t, name)}
			}
			isTaken := func(other change) bool { return other.attribute[0] == c.attribute[0] }
			if !slices.ContainsFunc(o.changes, isTaken) {
				o.changes = append(o.changes, c)
			}
		}
		return o
	}
	if rapid.Bool().Draw(t, "plural") {
		o.changes = []change{aListChange(t, o.op)}
		return o
	}
	c := aSingleChange(t, o.op)
	if c.path() == "active" && o.op == "remove" { // whether that deactivates is the server's to say, not the RFC's
		o.op = "replace"
	}
	o.changes = []change{c}
	return o
}

func someOperations(t *rapid.T, one func(*rapid.T) operation) []operation {
	return rapid.SliceOfN(rapid.Custom(one), 1, 4).Draw(t, "operations")
}

func patchBody(operations []operation) map[string]any {
	list := make([]any, len(operations))
	for i, o := range operations {
		list[i] = o.wire()
	}
	return map[string]any{"schemas": []any{schema.PatchOpURN}, "Operations": list}
}

// asSent is a tree as the server reads it from a body.
func asSent(t *rapid.T, tree map[string]any) (decoded map[string]any) {
	decoder := json.NewDecoder(strings.NewReader(inJSON(tree)))
	decoder.UseNumber()
	if err := decoder.Decode(&decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}

// withoutSchemas leaves out what follows from the rest.
func withoutSchemas(resource map[string]any) map[string]any {
	kept := copied(resource)
	delete(kept, "schemas")
	return kept
}

// TestPatchMeansWhatRFC7644Section352Says compares package patch with the reference meaning, on any user and operations.
func TestPatchMeansWhatRFC7644Section352Says(t *testing.T) {
	for range 20 { // rapid makes a hundred checks at a time
		rapid.Check(t, func(t *rapid.T) {
			user, changes := aUser(t), someOperations(t, anOperation)
			want, refusal := meaning(user, changes)
			if errors.Is(refusal, errUndefined) {
				t.Skip(refusal)
			}
			parsed, err := patch.Parse(schema.User, asSent(t, patchBody(changes)))
			var got map[string]any
			if err == nil {
				got, err = patch.Apply(asSent(t, user), parsed)
			}
			if err == nil {
				got, err = schema.User.Normalize(got)
			}
			if (err != nil) != (refusal != nil) {
				t.Fatalf("%s\non %s\nis answered %v, the reference says %v", inJSON(patchBody(changes)), inJSON(user), err, refusal)
			}
			if err == nil && !reflect.DeepEqual(withoutSchemas(got), withoutSchemas(want)) {
				t.Fatalf("%s\non   %s\nmade %s\nnot  %s", inJSON(patchBody(changes)), inJSON(user), inJSON(got), inJSON(want))
			}
		})
	}
}

// aGroupOperation is one that RFC 7644 §3.5.2 describes, on a group whose members can be those ids.
func aGroupOperation(ids []string) func(t *rapid.T) operation {
	return func(t *rapid.T) operation {
		o := operation{op: someOp.Draw(t, "op")}
		someMembers := func() []any {
			list := []any{}
			for _, id := range rapid.SliceOfN(rapid.SampledFrom(ids), 0, 3).Draw(t, "members") {
				list = append(list, map[string]any{"value": id})
			}
			return list
		}
		c := change{attribute: []string{"members"}}
		switch shape := rapid.SampledFrom([]string{"members", "members", "selected", "name", "externalId"}).Draw(t, "shape"); {
		case shape == "name":
			c = change{attribute: []string{"displayName"}, value: someText.Draw(t, "name")}
		case shape == "externalId":
			c = change{attribute: []string{"externalId"}, value: someText.Draw(t, "externalId")}
		case shape == "selected" && o.op == "remove":
			x, y := eq("value", rapid.SampledFrom(ids).Draw(t, "id")), eq("value", rapid.SampledFrom(ids).Draw(t, "other id"))
			kind := eq("type", rapid.SampledFrom([]string{"User", "Group"}).Draw(t, "type"))
			c.where = rapid.SampledFrom([]*selection{x, x, kind, either(x, y), both(x, kind), not(kind)}).Draw(t, "selection")
		case o.op != "remove" || rapid.Bool().Draw(t, "listed"):
			c.value = someMembers()
		}
		o.noPath = o.op != "remove" && rapid.IntRange(0, 3).Draw(t, "without path") == 0
		o.changes = []change{c}
		return o
	}
}

// compared is a resource as the reference sees it: without what the server decides, and members as a set of ids.
func compared(resource map[string]any) map[string]any {
	return copied(withoutDecided(resource))
}

var _ = Describe("RFC 7644 §3.5.2: after any PATCH, GET shows what the operations mean, or what was there if they are refused", func() {
	compare := func(t *tenant, r *rapid.T, path string, changes []operation) {
		before := t.get(path)
		want, refusal := meaning(before.body, changes)
		if errors.Is(refusal, errUndefined) {
			r.Skip(refusal)
		}
		a := t.call(http.MethodPatch, path, patchBody(changes))
		after := t.get(path)
		if refusal != nil {
			if a.status != http.StatusBadRequest || after.text != before.text {
				r.Fatalf("%s\non %s\nis answered %s, the reference says %v", inJSON(patchBody(changes)), before, a, refusal)
			}
			return
		}
		if a.status >= 300 || !reflect.DeepEqual(compared(after.body), compared(want)) {
			r.Fatalf("%s\non   %s\nis answered %s\nand made %s\nnot  %s", inJSON(patchBody(changes)), before, a, after, inJSON(want))
		}
		if a.status == http.StatusOK && a.text != after.text {
			r.Fatalf("PATCH answers %s, then GET %s", a, after)
		}
	}

	It("a user", func(ctx SpecContext) {
		t := newTenant(ctx)
		rapid.Check(GinkgoT(), func(r *rapid.T) {
			created := t.call(http.MethodPost, "/Users", aUser(r))
			Expect(created.status).To(Equal(http.StatusCreated), created.String())
			path := "/Users/" + created.id()
			defer t.call(http.MethodDelete, path, nil)
			compare(t, r, path, someOperations(r, anOperation))
		})
	})

	It("a group", func(ctx SpecContext) {
		t := newTenant(ctx)
		ids := []string{t.addUser("a"), t.addUser("b"), t.addUser("c"), t.addGroup("inner")}
		rapid.Check(GinkgoT(), func(r *rapid.T) {
			path := "/Groups/" + t.addGroup("G", rapid.SliceOfNDistinct(rapid.SampledFrom(ids), 0, 4, rapid.ID).Draw(r, "before")...)
			defer t.call(http.MethodDelete, path, nil)
			compare(t, r, path, someOperations(r, aGroupOperation(ids)))
		})
	})
})
