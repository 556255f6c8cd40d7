package openfga

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/scim-operator/scim-operator/controllers/targets"
)

const shop = `{"type_definitions": [
	{"type": "user", "relations": {}, "metadata": null},
	{"type": "shop",
		"relations": {"owner": {"this": {}}, "guest": {"this": {}}, "clerk": {"this": {}}, "seller": {"computedUserset": {"relation": "owner"}}},
		"metadata": {"relations": {
			"owner": {"directly_related_user_types": [{"type": "shop", "relation": "clerk", "condition": ""}, {"type": "user", "condition": ""}]},
			"guest": {"directly_related_user_types": [{"type": "user", "wildcard": {}}]},
			"clerk": {"directly_related_user_types": [{"type": "user", "condition": "at_work"}]}
		}}}
]}`

func TestObjection(t *testing.T) {
	var m model
	if err := json.Unmarshal([]byte(shop), &m); err != nil {
		t.Fatal(err)
	}
	for relationText, want := range map[string]string{
		"shop:x#owner":  "",
		"shop:x#guest":  `the relation "guest" of the model's type "shop" takes no "user" directly: it takes user:*`,
		"shop:x#clerk":  `the relation "clerk" of the model's type "shop" takes no "user" directly: it takes user with at_work`,
		"shop:x#seller": `the relation "seller" of the model's type "shop" takes no "user" directly: it takes none`,
		"shop:x#admin":  `the model's type "shop" has no relation "admin": it has clerk, guest, owner, seller`,
		"user:x#admin":  `the model's type "user" has no relation "admin": it has none`,
		"firm:x#admin":  `the model has no type "firm": it has shop, user`,
	} {
		r, ok := parseRelation(relationText)
		if got := m.objection(r, "user"); !ok || got != want {
			t.Errorf("%s: %q, want %q", relationText, got, want)
		}
	}
	if got := (model{}).objection(relation{"shop:x", "owner"}, "user"); got != `the model has no type "shop": it has none` {
		t.Error(got)
	}
}

func TestMessagesListSomeNames(t *testing.T) {
	if got := list(strings.Fields(strings.Repeat("x ", 25))); !strings.HasSuffix(got, "x, x and 5 more") {
		t.Error(got)
	}
}

// FuzzCode proves that what a server answers brings no words of its own into a condition.
func FuzzCode(f *testing.F) {
	f.Add([]byte(`{"code":"validation_error","message":"Invalid tuple"}`))
	f.Add([]byte(`{"code":"ada@example.com"}`))
	f.Add([]byte(`<html>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		code := codeOf(&targets.StatusError{Status: 400, Body: body})
		if len(code) > 64 || strings.Trim(code, "abcdefghijklmnopqrstuvwxyz_") != "" {
			t.Errorf("%q", code)
		}
	})
}
