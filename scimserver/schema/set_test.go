package schema_test

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

func elements() *rapid.Generator[[]any] {
	element := rapid.Custom(func(t *rapid.T) any {
		object := map[string]any{"value": rapid.SampledFrom([]string{"a", "A", "b"}).Draw(t, "value")}
		if kind := rapid.SampledFrom([]string{"", "work", "home"}).Draw(t, "type"); kind != "" {
			object["type"] = kind
		}
		return object
	})
	return rapid.SliceOfN(element, 0, 6)
}

func TestSetProperties(t *testing.T) {
	path, _ := schema.User.Lookup("emails")
	emails := path.Leaf()
	rapid.Check(t, func(t *rapid.T) {
		list := emails.Union(nil, elements().Draw(t, "list"))
		more := elements().Draw(t, "more")

		union := emails.Union(list, more)
		if again := emails.Union(union, more); len(again) != len(union) {
			t.Errorf("adding twice gives %v, then %v", union, again)
		}
		rest := emails.Without(union, more)
		if left := emails.Without(rest, more); len(left) != len(rest) {
			t.Errorf("removing twice gives %v, then %v", rest, left)
		}
		for _, gone := range more {
			if alone := emails.Without([]any{gone}, more); len(alone) != 0 {
				t.Errorf("%v is not the same as itself", gone)
			}
		}
		if all := emails.Without(list, nil); len(all) != len(list) {
			t.Errorf("removing nothing leaves %v of %v", all, list)
		}
	})
}

func TestUnionMerges(t *testing.T) {
	path, _ := schema.User.Lookup("emails")
	old := map[string]any{"value": "a", "type": "work", "display": "x"}
	got := path.Leaf().Union([]any{old}, []any{map[string]any{"value": "A", "primary": true}})
	want := []any{map[string]any{"value": "A", "type": "work", "display": "x", "primary": true}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	if len(old) != 3 {
		t.Errorf("an element was changed: %v", old)
	}
}
