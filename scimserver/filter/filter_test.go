package filter_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/scim-operator/scim-operator/scimserver/filter"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

const babs = `{
	"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"], "id":"U1", "userName":"BJensen", "active":false, "addresses":[{}], "nickName":"Babs \"B\" \\",
	"name":{"familyName":"Straße"},
	"emails":[{"value":"b@work.example","type":"work","primary":true},{"value":"b@home.example","type":"home"}],
	"x509Certificates":[{"value":"AAECAw=="}],
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"701984","manager":{"value":"U2"}},
	"meta":{"resourceType":"User","created":"2026-01-31T12:00:00.25Z"}}`

func TestMatch(t *testing.T) {
	tests := []struct {
		filter string
		want   bool
	}{
		// ne negates eq, so it holds for what is absent, and for many values only if none is equal
		{`title ne "x"`, true},
		{`userName ne "bjensen"`, false},
		{`emails.type ne "work"`, false},
		{`emails.type ne "other"`, true},
		{`emails[type ne "work"]`, true},
		{`emails[type eq "work"].value ne "b@home.example"`, true},
		{`emails[type eq "work"].value ne "b@work.example"`, false},

		// null is absent
		{`title eq null`, true},
		{`title ne null`, false},
		{`emails eq NULL`, false},
		{`emails[type eq "work"].display eq null`, true},

		// presence
		{`active pr`, true},
		{`name pr`, true},
		{`name.givenName pr`, false},
		{`photos pr`, false},
		{`addresses pr`, false},
		{`emails[type eq "home"].value pr`, true},
		{`emails[type eq "other"].value pr`, false},
		{`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User pr`, true},

		// value paths with an operator behind them
		{`emails[type eq "work"].value co "WORK.example"`, true},
		{`emails[type eq "home"].value sw "b@work"`, false},
		{`not (emails[type eq "home"].value sw "b@work") and active eq FALSE`, true},
		{`emails[type eq "work" or type eq "home"].primary eq true`, true},

		// case and folding
		{`id eq "u1"`, false},
		{`id eq "U1"`, true},
		{`id sw "u"`, false},
		{`name.familyName eq "STRASSE"`, true},
		{`name.familyName co "SSE"`, true},
		{`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.manager eq "U2"`, true},
		{`URN:ietf:params:scim:schemas:core:2.0:User:emails.value ew "HOME.example"`, true},
		{`EMAIL eq "B@home.example"`, true},
		{`nickName eq "babs \u0022B\" \\"`, true},

		// order
		{`userName gt "bjensen"`, false},
		{`userName ge "BJENSEN"`, true},
		{`userName lt "C"`, true},
		{`userName le "b"`, false},
		{`meta.created gt "2026-01-31T12:00:00.2Z"`, true},
		{`meta.created lt "2026-01-31T13:00:00.3+01:00"`, true},
		{`meta.created eq 2026-01-31T12:00:00.250Z`, true},
		{`meta.created ne "2026-01-31T12:00:00Z"`, true},

		// values with quotes too many, or none
		{`emails[primary eq "True"].value eq "b@work.example"`, true},
		{`userName eq bjensen`, true},
		{`emails.value eq b@work.example`, true},
		{`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq 701984`, true},
		{`(id eq U1)`, true},

		// precedence
		{`active eq false or active eq true and title pr`, true},
		{`(active eq false or active eq true) and title pr`, false},
		{`NOT (title pr) AND active eq false`, true},
		{"userName\teq\n\"bjensen\"and(active eq false)", true},

		{`x509Certificates.value eq "AAECAw=="`, true},
		{`x509Certificates.value eq "aaecaw=="`, false},
	}
	resource := decodeTree(t, []byte(babs))
	for _, test := range tests {
		f, err := filter.Parse(schema.User, test.filter)
		if err != nil {
			t.Errorf("%s: %v", test.filter, err)
			continue
		}
		if got := f.Match(resource); got != test.want {
			t.Errorf("%s = %v", test.filter, got)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ filter, detail string }{
		{``, "the name of an attribute is missing, at character 1"},
		{`userName`, "one of eq ne co sw ew gt ge lt le pr should follow userName, at character 9"},
		{`name eq "x"`, "name is complex: compare one of its sub-attributes, at character 6"},
		{`title eq "ü" and nonsense pr`, `there is no attribute "nonsense", at character 18`},
		{`password eq "x"`, `there is no attribute "password", at character 1`},
		{`emails.foo eq "x"`, `there is no attribute "emails.foo", at character 1`},
		{`emails[userName eq "x"]`, `there is no attribute "userName", at character 8`},
		{`emails[emails[type pr]]`, `there is no attribute "emails", at character 8`},
		{`emails[type eq "x"].foo pr`, `emails has no sub-attribute "foo", at character 21`},
		{`emails[type eq "x"].value`, `one of eq ne co sw ew gt ge lt le pr should follow value, at character 26`},
		{`userName[value eq "x"]`, "userName has no sub-attributes to filter by, at character 9"},
		{`emails[type eq "x")`, "']' is missing, at character 19"},
		{`(userName pr]`, "')' is missing, at character 13"},
		{`active eq "yes"`, "active must be compared to true or false, at character 11"},
		{`active co true`, "co cannot compare active, a boolean, at character 8"},
		{`active ge true`, "ge cannot compare active, a boolean, at character 8"},
		{`x509Certificates gt "x"`, "gt cannot compare x509Certificates.value, a binary, at character 18"},
		{`meta.created co "2026"`, "co cannot compare meta.created, a dateTime, at character 14"},
		{`meta.created gt "2026"`, `meta.created must be compared to a date and time such as "2026-01-31T12:00:00Z", at character 17`},
		{`title gt null`, "null can only be compared by eq and ne, at character 10"},
		{`userName eq true`, "userName must be compared to a string in double quotes, at character 13"},
		{`userName eq and`, "userName must be compared to a string in double quotes, at character 13"},
		{`userName eq x'y`, "userName must be compared to a string in double quotes, at character 13"},
		{`userName eq (`, "userName must be compared to a string in double quotes, at character 13"},
		{`userName eq "x`, "a string lacks its closing quote, at character 13"},
		{`userName eq "x\"`, "a string lacks its closing quote, at character 13"},
		{`userName eq "\x"`, "this is not a JSON string, at character 13"},
		{"userName eq \"a\nb\"", "this is not a JSON string, at character 13"},
		{`userName eq "x" y`, "the expression should end here, at character 17"},
		{`userName pr pr`, "the expression should end here, at character 13"},
		{"userName eq \"\xff\"", "the text is not valid UTF-8"},
		{`userName eq "` + strings.Repeat("x", 8<<10) + `"`, "the text is 8206 bytes long, more than 8192"},
		{strings.Repeat("(", 40) + "title pr" + strings.Repeat(")", 40), "parentheses are nested deeper than 32, at character 34"},
		{strings.Repeat("title pr or ", 256) + "title pr", "there are more than 256 terms, at character 3073"},
	}
	for _, test := range tests {
		_, err := filter.Parse(schema.User, test.filter)
		bad, ok := errors.AsType[*schema.Error](err)
		if !ok || bad.ScimType != schema.InvalidFilter || bad.Detail != test.detail {
			t.Errorf("%.60s: %v\nwant %s", test.filter, err, test.detail)
		}
	}
}

func TestBounds(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("(", 31) + "title pr" + strings.Repeat(")", 31),
		strings.TrimSuffix(strings.Repeat("title pr or ", 256), " or "),
		strings.TrimSuffix(strings.Repeat("(title pr) or ", 256), " or "),
	} {
		if _, err := filter.Parse(schema.User, text); err != nil {
			t.Errorf("%.60s: %v", text, err)
		}
	}
}

func TestEquality(t *testing.T) {
	tests := []struct{ filter, path, want string }{
		{`userName eq "B"`, "userName", "B"},
		{`USERNAME Eq "B" and active eq true`, "userName", "B"},
		{`active eq true and (title pr and userName eq "B")`, "userName", "B"},
		{`emails eq "x"`, "emails.value", "x"},
		{`emails eq "x"`, "emails", "x"},
		{`email eq "x"`, "emails.value", "x"},
		{`emails.value eq "x"`, "emails.value", "x"},
		{`emails[value eq "x"]`, "emails.value", "x"},
		{`emails[type eq "work" and value eq "x"]`, "emails.value", "x"},
		{`emails[type eq "work"].value eq "x"`, "emails.value", "x"},
		{`externalId eq 7`, "externalId", "7"},
		{`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq "m"`, schema.EnterpriseUserURN + ":manager", "m"},

		{`userName eq "B" or active eq true`, "userName", ""},
		{`not (userName eq "B")`, "userName", ""},
		{`userName ne "B"`, "userName", ""},
		{`userName sw "B"`, "userName", ""},
		{`emails[type eq "work"].value ne "x"`, "emails.value", ""},
		{`emails[type eq "work"].value co "x"`, "emails.value", ""},
		{`emails[value eq "x" or type eq "work"]`, "emails.value", ""},
		{`emails[type eq "work"]`, "emails.value", ""},
		{`active eq true`, "active", ""},
		{`userName eq "B"`, "id", ""},
	}
	for _, test := range tests {
		f, err := filter.Parse(schema.User, test.filter)
		if err != nil {
			t.Errorf("%s: %v", test.filter, err)
			continue
		}
		if got, ok := f.Equality(test.path); got != test.want || ok != (test.want != "") {
			t.Errorf("%s: Equality(%s) = %q, %v", test.filter, test.path, got, ok)
		}
	}
}

func TestUses(t *testing.T) {
	f, err := filter.Parse(schema.User, `(not (title pr) or emails[type eq "x"]) and groups.display co "a" and id ne "x"`)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"title", "emails", "groups", "id"} {
		if !f.Uses(name) {
			t.Errorf("Uses(%s) = false", name)
		}
	}
	for _, name := range []string{"type", "userName", "display"} {
		if f.Uses(name) {
			t.Errorf("Uses(%s) = true", name)
		}
	}
}

func TestParsePath(t *testing.T) {
	tests := []struct {
		text, want string
		filtered   bool
		scimType   string
	}{
		{text: `userName`, want: "userName"},
		{text: ` Name.GivenName `, want: "name.givenName"},
		{text: `emails[type eq "work"]`, want: "emails", filtered: true},
		{text: `emails[type eq "]" and (primary eq true)].VALUE`, want: "emails.value", filtered: true},
		{text: `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value`, want: schema.EnterpriseUserURN + ":manager.value"},
		{text: ``, scimType: schema.InvalidPath},
		{text: `email`, scimType: schema.InvalidPath},
		{text: `foo`, scimType: schema.InvalidPath},
		{text: `userName eq "x"`, scimType: schema.InvalidPath},
		{text: `name[givenName eq "x"]`, scimType: schema.InvalidPath},
		{text: `emails[type eq "work"]value`, scimType: schema.InvalidPath},
		{text: `emails[type eq "work"].foo`, scimType: schema.InvalidPath},
		{text: `emails[type eq "work"].value.x`, scimType: schema.InvalidPath},
		{text: `emails[type eq "work"].value[x]`, scimType: schema.InvalidPath},
		{text: `emails[type eq`, scimType: schema.InvalidFilter},
		{text: `emails[type eq "work"`, scimType: schema.InvalidFilter},
		{text: `emails[]`, scimType: schema.InvalidFilter},
		{text: `emails[0]`, scimType: schema.InvalidFilter},
	}
	for _, test := range tests {
		path, values, err := filter.ParsePath(schema.User, test.text)
		if test.scimType != "" {
			bad, ok := errors.AsType[*schema.Error](err)
			if !ok || bad.ScimType != test.scimType {
				t.Errorf("%s: error = %v, want %s", test.text, err, test.scimType)
			}
			continue
		}
		if err != nil || path.String() != test.want || (values != nil) != test.filtered {
			t.Errorf("%s: %v, filtered %v, %v", test.text, path, values != nil, err)
		}
	}
}

func TestElement(t *testing.T) {
	tests := []struct {
		path string
		want map[string]any
	}{
		{`emails[type eq "work"]`, map[string]any{"type": "work"}},
		{`emails[type eq "work" and (primary eq true)]`, map[string]any{"type": "work", "primary": true}},
		{`emails[type eq "work" and type eq "home"]`, nil},
		{`emails[type eq "work" or type eq "home"]`, nil},
		{`emails[type ne "work"]`, nil},
		{`emails[type sw "work"]`, nil},
	}
	for _, test := range tests {
		_, values, err := filter.ParsePath(schema.User, test.path)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := values.Element()
		if ok != (test.want != nil) || len(got) != len(test.want) {
			t.Errorf("%s: %v, %v", test.path, got, ok)
		}
		for name, value := range test.want {
			if got[name] != value {
				t.Errorf("%s: %v", test.path, got)
			}
		}
	}
}

// TestStructsWithoutValues covers what JSON would leave out, and what is nil.
func TestStructsWithoutValues(t *testing.T) {
	tests := []struct {
		filter string
		want   bool
	}{
		{`emails[primary eq false]`, false}, // omitempty
		{`active pr`, false},
		{`userName pr`, false},
		{`title pr`, false},
		{`meta.created pr`, false},
		{`meta pr`, false},
		{`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager pr`, false},
		{`emails pr`, true},
		{`locale pr`, false}, // no such field
	}
	resources := []any{&user{attributes: &attributes{Emails: []value{{Value: "x"}}}}, user{attributes: &attributes{Emails: []value{{Value: "x"}}}}}
	for _, test := range tests {
		f, err := filter.Parse(schema.User, test.filter)
		if err != nil {
			t.Fatal(err)
		}
		for _, resource := range resources {
			if got := f.Match(resource); got != test.want {
				t.Errorf("%s = %v", test.filter, got)
			}
		}
		for _, nothing := range []any{nil, (*user)(nil), &user{}, map[string]any{}} {
			if f.Match(nothing) {
				t.Errorf("%s matches %T", test.filter, nothing)
			}
		}
	}
}

// FuzzParse: no text makes the parser or a match panic, and both forms of a resource match alike.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`userName eq "bjensen" and not (active eq true) or title pr`,
		`emails[type eq "work" and value co "x"].value ne null`,
		`meta.created ge "2026-01-31T12:00:00Z"`,
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq u2`,
		`urn:acme:User:level gt 9.5 or urn:acme:User:keys[rank eq 2].value pr`,
	} {
		f.Add(text)
	}
	for _, c := range readCases(f).Cases {
		f.Add(c.Filter)
	}
	f.Fuzz(func(t *testing.T, text string) {
		asTree, asStruct := decodeTree(t, []byte(fuzzed)), decodeStruct(t, []byte(fuzzed))
		_, _, _ = filter.ParsePath(schema.User, text)
		_, _, _ = filter.ParsePath(acme, text)
		if parsed, err := filter.Parse(acme, text); err == nil {
			parsed.Match(decodeTree(t, []byte(extended)))
		}
		parsed, err := filter.Parse(schema.User, text)
		if err != nil {
			wantInvalid(t, err)
			return
		}
		if inTree, inStruct := parsed.Match(asTree), parsed.Match(asStruct); inTree != inStruct {
			t.Errorf("%s: tree %v, struct %v", text, inTree, inStruct)
		}
	})
}

const fuzzed = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"U1","userName":"BJensen","active":true,
	"name":{"familyName":"Jensen"},"emails":[{"value":"b@x","type":"work","primary":true},{"value":"c@x"}],
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"U2"}},
	"meta":{"resourceType":"User","created":"2026-01-31T12:00:00.25Z","lastModified":"2026-01-31T13:00:00Z"}}`
