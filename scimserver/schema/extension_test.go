package schema_test

import (
	"reflect"
	"testing"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// acme is an extension with one attribute of each kind that the schemas of RFC 7643 lack.
var acme = schema.User.With(&schema.Schema{ID: "urn:Acme:User", Name: "Acme", Attributes: []schema.Attribute{
	{Name: "level", Type: schema.Integer, Mutability: schema.ReadWrite, Returned: "default"},
	{Name: "rate", Type: schema.Decimal, MultiValued: true, Mutability: schema.ReadWrite, Returned: "default"},
	{Name: "pin", Type: schema.String, Mutability: "writeOnly", Returned: "never"},
	{Name: "note", Type: schema.String, Mutability: schema.ReadWrite, Returned: "request"},
	{Name: "number", Type: schema.Integer, Mutability: schema.Immutable, Returned: "default"},
	{Name: "score", Type: schema.Integer, Mutability: schema.ReadOnly, Returned: "default"},
	{Name: "card", Type: schema.Complex, Mutability: schema.ReadWrite, Returned: "default", SubAttributes: []schema.Attribute{
		{Name: "code", Type: schema.String, Mutability: schema.ReadWrite, Returned: "always"},
		{Name: "secret", Type: schema.String, Mutability: "writeOnly", Returned: "never"},
		{Name: "serial", Type: schema.String, Mutability: schema.Immutable, Returned: "default"},
	}},
}})

func TestWith(t *testing.T) {
	tests := []struct {
		name, path string
		undeclared bool
	}{
		{"URN:ACME:user", "urn:Acme:User", false},
		{"urn:acme:user:LEVEL", "urn:Acme:User:level", false},
		{"urn:acme:user.card.Code", "urn:Acme:User:card.code", false},
		{"urn:Acme:User:nothing", "", false},
		{"urn:Acme:User:more:level", "", true},
		{"urn:Acme:Use", "", true},
		{"level", "", false},
	}
	for _, test := range tests {
		path, ok := acme.Lookup(test.name)
		if ok != (test.path != "") || ok && path.String() != test.path || acme.Undeclared(test.name) != test.undeclared {
			t.Errorf("%s: %v, %v, undeclared %v", test.name, path.Names(), ok, acme.Undeclared(test.name))
		}
	}
	if _, ok := schema.User.Lookup("urn:Acme:User:level"); ok || len(schema.User.Declared()) > 0 || schema.User.With() != schema.User {
		t.Error("With changed schema.User")
	}
}

func TestNumbers(t *testing.T) {
	tests := []struct{ in, want, detail string }{
		{`{"level":"007"}`, `{"level":7}`, ""},
		{`{"level":-9007199254740991}`, `{"level":-9007199254740991}`, ""},
		{`{"level":" "}`, `null`, ""},
		{`{"level":1e3}`, "", "urn:Acme:User:level must be an integer between -9007199254740991 and 9007199254740991"},
		{`{"level":-9007199254740992}`, "", "urn:Acme:User:level must be an integer between -9007199254740991 and 9007199254740991"},
		{`{"level":[1]}`, "", "urn:Acme:User:level must be an integer, not an array"},
		{`{"rate":[1.50,"15e-1",2]}`, `{"rate":[1.5,2]}`, ""},
		{`{"rate":1e400}`, "", "urn:Acme:User:rate[0] must be a number such as 1.5 that fits 64 bits"},
		{`{"rate":["Inf"]}`, "", "urn:Acme:User:rate[0] must be a number such as 1.5 that fits 64 bits"},
		{`{"rate":[true]}`, "", "urn:Acme:User:rate[0] must be a number, not a boolean"},
	}
	for _, test := range tests {
		got, err := acme.Normalize(decode(t, `{"userName":"b","urn:acme:user":`+test.in+`}`))
		if test.detail != "" {
			wantError(t, err, schema.InvalidValue, test.detail)
			continue
		}
		if want := decode(t, `{"x":`+test.want+`}`)["x"]; err != nil || !reflect.DeepEqual(got["urn:Acme:User"], want) {
			t.Errorf("%s: %v, %v; want %v", test.in, got, err, want)
		}
	}
}

func TestRecase(t *testing.T) {
	stored := `{"userName":"b","URN:acme:USER":{"PIN":"1","Card":[{"Secret":"s","x":1}],"LEVEL":1,"level":2,"Other":{"Pin":1}},"urn:x:y":{"Pin":1}}`
	want := `{"userName":"b","urn:Acme:User":{"pin":"1","card":[{"secret":"s","x":1}],"level":2,"Other":{"Pin":1}},"urn:x:y":{"Pin":1}}`
	tree := decode(t, stored)
	if got := acme.Recase(tree); !reflect.DeepEqual(got, decode(t, want)) {
		t.Errorf("got  %v\nwant %v", got, decode(t, want))
	}
	if !reflect.DeepEqual(tree, decode(t, stored)) {
		t.Errorf("the resource was changed: %v", tree)
	}
}

func TestReturned(t *testing.T) {
	const stored = `{"id":"1","userName":"b","urn:acme:user":{"Pin":"1","note":"n","level":1,"card":{"code":"c","secret":"s","serial":"x"}}}`
	tests := []struct {
		attributes, excluded []string
		want                 string
	}{
		{nil, nil, `{"id":"1","userName":"b","urn:Acme:User":{"level":1,"card":{"code":"c","serial":"x"}}}`},
		{[]string{"urn:Acme:User:pin"}, nil, `{"id":"1","urn:Acme:User":{"card":{"code":"c"}}}`},
		{[]string{"urn:Acme:User"}, nil, `{"id":"1","urn:Acme:User":{"note":"n","level":1,"card":{"code":"c","serial":"x"}}}`},
		{[]string{"urn:Acme:User:note"}, nil, `{"id":"1","urn:Acme:User":{"note":"n","card":{"code":"c"}}}`},
		{[]string{"urn:Acme:User:card.secret"}, nil, `{"id":"1","urn:Acme:User":{"card":{"code":"c"}}}`},
		{nil, []string{"urn:Acme:User", "userName"}, `{"id":"1","urn:Acme:User":{"card":{"code":"c"}}}`},
		{nil, []string{"urn:Acme:User:card.code,urn:Acme:User:card.serial"}, `{"id":"1","userName":"b","urn:Acme:User":{"level":1,"card":{"code":"c"}}}`},
	}
	for _, test := range tests {
		p, err := acme.Projection(test.attributes, test.excluded)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Apply(decode(t, stored)); p.Empty() || !reflect.DeepEqual(got, decode(t, test.want)) {
			t.Errorf("%v without %v\ngot  %v\nwant %v", test.attributes, test.excluded, got, test.want)
		}
	}
}

func TestSuccessor(t *testing.T) {
	const current = `{"userName":"b","urn:Acme:User":{"level":1,"pin":"1","note":"n","number":7,"score":5,"card":{"code":"c","secret":"s","serial":"x"}}}`
	tests := []struct {
		name, body           string
		replacement, revised string // of the extension; an empty one is refused
	}{
		{"left out", `{"userName":"b"}`,
			`{"pin":"1","note":"n","number":7,"score":5,"card":{"secret":"s","serial":"x"}}`, ``},
		{"immutable and read-only ones in another form", `{"userName":"b","urn:Acme:User":{"number":"7","score":9,"card":{"serial":"x"}}}`,
			`{"pin":"1","note":"n","number":7,"score":5,"card":{"secret":"s","serial":"x"}}`, `{"number":7,"score":5,"card":{"serial":"x"}}`},
		{"another immutable value", `{"userName":"b","urn:Acme:User":{"number":8,"card":{"serial":"x"}}}`, ``, ``},
		{"another immutable part", `{"userName":"b","urn:Acme:User":{"number":7,"card":{"serial":"y"}}}`, ``, ``},
		{"what a client may change", `{"userName":"b","urn:Acme:User":{"level":2,"pin":"2","number":7,"card":{"code":"d","serial":"x"}}}`,
			`{"level":2,"pin":"2","note":"n","number":7,"score":5,"card":{"code":"d","secret":"s","serial":"x"}}`,
			`{"level":2,"pin":"2","number":7,"score":5,"card":{"code":"d","serial":"x"}}`},
	}
	check := func(t *testing.T, got map[string]any, err error, want string) {
		t.Helper()
		if want == "" {
			if err == nil {
				t.Errorf("accepted: %v", got)
			}
			return
		}
		if err != nil || !reflect.DeepEqual(got["urn:Acme:User"], any(decode(t, want))) {
			t.Errorf("%v\ngot  %v\nwant %v", err, got["urn:Acme:User"], want)
		}
		if !reflect.DeepEqual(got["schemas"], []any{schema.UserURN, "urn:Acme:User"}) {
			t.Errorf("schemas %v", got["schemas"])
		}
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before, body := decode(t, current), decode(t, test.body)
			sent, err := acme.Normalize(body)
			if err != nil {
				t.Fatal(err)
			}
			got, err := acme.Replacement(before, sent)
			check(t, got, err, test.replacement)
			got, err = acme.Revision(before, body)
			check(t, got, err, test.revised)
			if !reflect.DeepEqual(before, decode(t, current)) || !reflect.DeepEqual(body, decode(t, test.body)) {
				t.Errorf("an argument was changed: %v, %v", before, body)
			}
		})
	}
}

func TestRevisionKeepsWhatItDoesNotTouch(t *testing.T) {
	before := decode(t, `{"userName":"b","urn:Acme:User":{"level":"high","x":1}}`)
	got, err := acme.Revision(before, decode(t, `{"userName":"c","urn:Acme:User":{"level":"high","x":1}}`))
	if err != nil || got["userName"] != "c" || !reflect.DeepEqual(got["urn:Acme:User"], before["urn:Acme:User"]) {
		t.Errorf("%v, %v", got, err)
	}
	_, err = acme.Revision(before, decode(t, `{"userName":"b","urn:Acme:User":{"level":"high","x":2}}`))
	wantError(t, err, schema.InvalidValue, "urn:Acme:User:level must be an integer between -9007199254740991 and 9007199254740991")
}
