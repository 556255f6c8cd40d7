package runscope

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
)

func TestLoadRefusesWhatItCannotRun(t *testing.T) {
	step := func(more string) string {
		return fmt.Sprintf(`{"steps":[{"step_type":"request","note":"n","method":"GET","url":"u",%s}]}`, more)
	}
	assertion := func(comparison, source, property string) string {
		return step(fmt.Sprintf(`"assertions":[{"comparison":%q,"source":%q,"property":%q,"value":"1"}]`, comparison, source, property))
	}
	for _, tt := range []struct{ collection, want string }{
		{`{`, "not a Runscope collection"},
		{strings.Repeat(" ", collectionLimit) + `{}`, "larger than 8 MiB"},
		{`{"steps":[]}`, "without steps"},
		{`{"steps":[{"step_type":"pause"}]}{}`, "more than one JSON value"},
		{`{"steps":[{"step_type":"condition"}]}`, `unknown step_type "condition"`},
		{`{"steps":[{"step_type":"pause","skipped":true}]}`, "marked as skipped"},
		{`{"steps":[{"step_type":"request"}]}`, "needs a method and a url"},
		{step(`"retries":3`), "unknown field"},
		{step(`"auth":{"auth_type":"basic"}`), "auth is not supported"},
		{step(`"form":{"a":["b"]}`), "form is not supported"},
		{step(`"multipart_form":[1]`), "multipart_form is not supported"},
		{step(`"before_scripts":["log(1)"]`), "before_scripts are not supported"},
		{step(`"scripts":["eval(response.body)"]`), "unknown script, which uses [body]"},
		{step(`"scripts":["x=JSON.parse(response.body);assert.ok(Array.isArray(x.Resources)&&x.totalResults&&x.itemsPerPage)"]`), "unknown script"},
		{step(`"variables":[{"name":"v","source":"response_headers","property":"ETag"}]`), `variable v: unknown source "response_headers"`},
		{step(`"variables":[{"name":"v","source":"response_json","property":"a..b"}]`), "variable v: property"},
		{step(`"assertions":[{"comparison":"equal","source":"response_status","value":200}]`), "value 200 is not a string"},
		{assertion("matches", "response_json", "a"), `step 1 (n): unknown comparison "matches"`},
		{assertion("equal", "response_headers", "a"), `unknown source "response_headers"`},
		{assertion("equal", "response_json", "a[x]"), "want a place in brackets"},
	} {
		if _, err := parse([]byte(tt.collection)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("parse(%.200s) says %v, want %s", tt.collection, err, tt.want)
		}
	}
	if _, err := Load("testdata/none.json"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want a missing file", err)
	}
}

func FuzzParse(f *testing.F) {
	library, err := os.ReadFile("testdata/library.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(library)
	f.Fuzz(func(t *testing.T, content []byte) {
		if c, err := parse(content); (c == nil) == (err == nil) {
			t.Errorf("parse gives %v and %v", c, err)
		}
	})
}

func FuzzPath(f *testing.F) {
	for _, property := range []string{"a", "a[0].b", "a[0][1]", "a..b", "a[", "[0]", "a[-1]", "a[99999999999999]"} {
		f.Add(property)
	}
	f.Fuzz(func(t *testing.T, property string) {
		p, err := parsePath(property)
		if err != nil {
			return
		}
		again, err := parsePath(p.String())
		if err != nil || again.String() != p.String() {
			t.Errorf("%q reads as %s, which reads as %s, %v", property, p, again, err)
		}
		p.of(map[string]any{"a": []any{map[string]any{"b": "x"}}})
	})
}
