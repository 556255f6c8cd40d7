package provider

import "testing"

func TestDifference(t *testing.T) {
	for _, tt := range []struct {
		want, got string
		name      string
	}{
		{`{"a":"x"}`, `{"a":"x","b":1}`, ""},
		{`{"a":"x"}`, `{"a":"y"}`, "a"},
		{`{"a":"x"}`, `{}`, "a"},
		{`{"a":{"b":"x"}}`, `{"a":{"b":"x","c":1}}`, ""},
		{`{"a":{"b":"x"}}`, `{"a":"x"}`, "a.b"},
		{`{"a":[{"b":"x"}]}`, `{"a":[{"b":"y"}]}`, "a[0].b"},
		{`{"a":["x"]}`, `{"a":["x","y"]}`, "a"},
		{`{"a":"x"}`, `{"a":{"a":"x"}}`, "a"},
		{`{"a":null}`, `{}`, ""},
		{`{"a":true}`, `{"a":"true"}`, "a"},
	} {
		want, _ := Decode([]byte(tt.want))
		got, _ := Decode([]byte(tt.got))
		if name, _, _ := difference(map[string]any(want), map[string]any(got), ""); name != tt.name {
			t.Errorf("difference(%s, %s) names %q, want %q", tt.want, tt.got, name, tt.name)
		}
	}
}
