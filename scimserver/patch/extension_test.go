package patch_test

import (
	"reflect"
	"testing"

	"github.com/scim-operator/scim-operator/scimserver/patch"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

var extended = schema.User.With(&schema.Schema{ID: "urn:x:y", Attributes: []schema.Attribute{
	{Name: "level", Type: schema.Integer, Mutability: schema.ReadWrite},
	{Name: "score", Type: schema.Integer, Mutability: schema.ReadOnly},
	{Name: "desk", Type: schema.Complex, Mutability: schema.ReadOnly, SubAttributes: []schema.Attribute{
		{Name: "floor", Type: schema.Integer, Mutability: schema.ReadWrite},
	}},
	{Name: "cards", Type: schema.Complex, MultiValued: true, Mutability: schema.ReadWrite, SubAttributes: []schema.Attribute{
		{Name: "code", Type: schema.String, Mutability: schema.ReadWrite}, {Name: "rank", Type: schema.Integer, Mutability: schema.ReadWrite},
	}},
}})

func TestDeclaredExtension(t *testing.T) {
	const before = `{"urn:x:y":{"level":1,"score":5,"cards":[{"code":"a","rank":1}]}}`
	tests := []struct{ operations, after string }{
		{`{"op":"Replace","path":"URN:X:Y:Level","value":"2"}`, `{"urn:x:y":{"level":2,"score":5,"cards":[{"code":"a","rank":1}]}}`},
		{`{"op":"replace","path":"urn:x:y:cards[rank eq 1].code","value":"b"}`, `{"urn:x:y":{"level":1,"score":5,"cards":[{"code":"b","rank":1}]}}`},
		{`{"op":"add","path":"urn:x:y","value":{"cards":{"code":"b"},"score":9,"desk":{"floor":1},"unknown":1}}`,
			`{"urn:x:y":{"level":1,"score":5,"cards":[{"code":"a","rank":1},{"code":"b"}]}}`},
		{`{"op":"add","value":{"urn:x:y:score":9,"urn:x:y:desk.floor":9,"urn:x:y:level":3,"urn:x:y:unknown":1}}`,
			`{"urn:x:y":{"level":3,"score":5,"cards":[{"code":"a","rank":1}]}}`},
		{`{"op":"remove","path":"urn:x:y:cards[rank lt 2]"},{"op":"remove","path":"urn:x:y:level"}`, `{"urn:x:y":{"score":5}}`},
	}
	for _, test := range tests {
		after, err := run(extended, tree(t, before), list(t, test.operations))
		if want := tree(t, test.after); err != nil || !reflect.DeepEqual(after, want) {
			t.Errorf("%s: %v\ngot  %v\nwant %v", test.operations, err, after, want)
		}
	}
}

func TestReadOnlyInAnExtension(t *testing.T) {
	for _, operation := range []string{
		`{"op":"replace","path":"urn:x:y:score","value":9}`, `{"op":"remove","path":"urn:x:y:score"}`,
		`{"op":"add","path":"urn:x:y:desk","value":{"floor":1}}`, `{"op":"add","path":"urn:x:y:desk.floor","value":1}`,
	} {
		_, err := patch.Parse(extended, map[string]any{"Operations": list(t, operation)})
		wantError(t, err, schema.Mutability)
	}
}
