package scimserver

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

func nested(depth int) string {
	return strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth)
}

func TestDecodeObject(t *testing.T) {
	got, err := decodeObject([]byte(` {"a": [1.50, "x", true, null, {}], "A": {"b": []}} `))
	want := map[string]any{
		"a": []any{json.Number("1.50"), "x", true, nil, map[string]any{}},
		"A": map[string]any{"b": []any{}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v, %v", got, err)
	}
	if got, err := decodeObject([]byte(`{"a":"half \ud83d"}`)); err != nil || got["a"] != "half \ufffd" {
		t.Errorf("half a character: %#v, %v", got, err)
	}
	if _, err := decodeObject([]byte(nested(maxDepth))); err != nil {
		t.Errorf("%d levels: %v", maxDepth, err)
	}
}

func TestDecodeObjectRefuses(t *testing.T) {
	for body, want := range map[string]string{
		"":                           "empty",
		" \n":                        "empty",
		"[]":                         "must be a JSON object",
		`"x"`:                        "must be a JSON object",
		"null":                       "must be a JSON object",
		`{"a":1`:                     "ends too early",
		`{"a":`:                      "ends too early",
		`{"a":"x`:                    "ends too early",
		`{"a":1,}`:                   "not valid JSON at byte 6",
		`{"a" 1}`:                    "not valid JSON at byte 5",
		`{a:1}`:                      "not valid JSON at byte 1",
		`{'a':1}`:                    "not valid JSON at byte 1",
		`{"a":[1 2]}`:                "not valid JSON at byte 8",
		`{"a":[1,]}`:                 "not valid JSON at byte 7",
		`{"a":01}`:                   "not valid JSON at byte 6",
		`{"a":NaN}`:                  "not valid JSON at byte",
		`{1:2}`:                      "not valid JSON at byte",
		`{"a":1}{}`:                  "something follows the JSON object, after byte 7",
		`{"a":1} x`:                  "something follows the JSON object, after byte 7",
		`{"a":1,"a":2}`:              `the name "a" occurs twice in one object, at byte 7`,
		`{"a":[{"b":1,"\u0062":2}]}`: `the name "b" occurs twice`,
		"{\"a\":\"\xff\"}":           "not valid UTF-8 at byte 6",
		nested(maxDepth + 1):         "deeper than 64 levels at byte 321",
	} {
		got, err := decodeObject([]byte(body))
		bad, ok := err.(*schema.Error) //nolint:errorlint // It is returned as it is.
		if !ok || bad.ScimType != schema.InvalidSyntax || !strings.Contains(bad.Detail, want) {
			t.Errorf("decodeObject(%.80q) = %v, %v; want an error with %q", body, got, err, want)
		}
	}
}

func FuzzJSON(f *testing.F) {
	for _, body := range []string{
		`{}`, `{"a":1}`, `{"a":[{"b":"\ud83d\ude00"},null,true,-1e9]}`, `{"a":1,"a":1}`, `[]`, `{"a":`, nested(70), "{\"\xff\":1}",
		`{"a":"half \ud83d"}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := decodeObject(body)
		var want any
		d := json.NewDecoder(strings.NewReader(string(body)))
		d.UseNumber()
		valid := json.Valid(body) && utf8.Valid(body)
		if err == nil {
			if !valid {
				t.Fatalf("decodeObject accepted %q", body)
			}
			if _ = d.Decode(&want); !reflect.DeepEqual(any(got), want) {
				t.Fatalf("decodeObject(%q) = %#v, want %#v", body, got, want)
			}
			return
		}
		reason := err.Error()
		stricter := strings.Contains(reason, "occurs twice") || strings.Contains(reason, "deeper") || strings.Contains(reason, "must be a JSON object")
		if valid && !stricter {
			t.Fatalf("decodeObject refused %q: %v", body, err)
		}
	})
}
