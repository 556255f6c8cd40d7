package runscope

import (
	"encoding/json"
	"testing"
)

func TestComparisons(t *testing.T) {
	for _, tt := range []struct {
		value      any
		comparison string
		want       string
		holds      bool
	}{
		{"x", "equal", "x", true},
		{"x", "equal", "X", false},
		{true, "equal", "true", true},
		{json.Number("0"), "equal", "0", true},
		{nil, "equal", "", false},
		{json.Number("200"), "equal_number", "200.0", true},
		{json.Number("200"), "equal_number", "201", false},
		{"200", "equal_number", "200", false},
		{json.Number("200"), "equal_number", "many", false},
		{json.Number("599"), "is_less_than", "600", true},
		{json.Number("600"), "is_less_than", "600", false},
		{json.Number("1"), "is_a_number", "", true},
		{"1", "is_a_number", "", false},
		{false, "not_empty", "", true},
		{json.Number("0"), "not_empty", "", true},
		{"x", "not_empty", "", true},
		{"", "not_empty", "", false},
		{nil, "not_empty", "", false},
		{[]any{}, "not_empty", "", false},
		{[]any{nil}, "not_empty", "", true},
		{map[string]any{}, "not_empty", "", false},
		{[]any{"a", "b"}, "has_value", "b", true},
		{[]any{"ab"}, "has_value", "b", false},
		{"b", "has_value", "b", false},
		{[]any{"urn:a:b"}, "contains", "a:b", true},
		{"urn:a:b", "contains", "b:a", false},
	} {
		if holds := comparisons[tt.comparison](tt.value, tt.want); holds != tt.holds {
			t.Errorf("%s %s %q: %t, want %t", text(tt.value), tt.comparison, tt.want, holds, tt.holds)
		}
	}
}

func TestExpand(t *testing.T) {
	vars := map[string]string{"a": "1", "b": "{{a}}"}
	for template, want := range map[string]string{"": "", "x{{a}}y{{ a }}": "x1y1", "{{b}}": "{{a}}", "}}": "}}"} {
		if got, err := expand(template, vars); err != nil || got != want {
			t.Errorf("expand(%q) = %q, %v; want %q", template, got, err, want)
		}
	}
	for _, template := range []string{"{{c}}", "{{a", "{{}}"} {
		if got, err := expand(template, vars); err == nil {
			t.Errorf("expand(%q) = %q, want an error", template, got)
		}
	}
}

func TestEncodeURL(t *testing.T) {
	for url, want := range map[string]string{
		`http://h:1/Users?filter=userName eq "a@b"&count=1`: `http://h:1/Users?filter=userName%20eq%20%22a@b%22&count=1`,
		`/a%20b`: `/a%20b`,
		`/é`:     `/%C3%A9`,
	} {
		if got := encodeURL(url); got != want {
			t.Errorf("encodeURL(%s) = %s, want %s", url, got, want)
		}
	}
}
