package openfga

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

func TestUser(t *testing.T) {
	for name, c := range map[string]struct {
		template, userName string
		user               string
		err                error
	}{
		"a name":                {userName: "ada@example.com", user: "user:ada@example.com"},
		"another type":          {template: "employee:{{ .userName | lower }}", userName: "Ada", user: "employee:ada"},
		"text around":           {template: "user:okta|{{ .userName }}", userName: "ada", user: "user:okta|ada"},
		"letters of the world":  {userName: "zoë.ñandú.李", user: "user:zoë.ñandú.李"},
		"signs of other tools":  {userName: `a,"b'*{{c}}\`, user: `user:a,"b'*{{c}}\`},
		"everybody":             {userName: "*", err: errEverybody},
		"another type's user":   {userName: "user:z", err: errSyntax},
		"a set of users":        {userName: "x#member", err: errSyntax},
		"a space":               {userName: "a b", err: errUnseen},
		"a space at the end":    {userName: "a ", err: errUnseen},
		"a space without break": {userName: "a\u00a0b", err: errUnseen},
		"a line":                {userName: "a\nb", err: errUnseen},
		"a zero":                {userName: "a\x00", err: errUnseen},
		"a turned direction":    {userName: "a\u202eb", err: errUnseen},
		"no UTF-8":              {userName: "a\xff", err: errUnseen},
		"the longest":           {userName: strings.Repeat("a", 507), user: "user:" + strings.Repeat("a", 507)},
		"too long":              {userName: strings.Repeat("a", 508), err: errTooLong},
		"too long in bytes":     {userName: strings.Repeat("ä", 254), err: errTooLong},
	} {
		t.Run(name, func(t *testing.T) {
			template := c.template
			if template == "" {
				template = "user:{{ .userName }}"
			}
			subject, err := targets.ParseSubject(template)
			if err != nil {
				t.Fatal(err)
			}
			user, err := userOf(subject, targets.Person{UserName: c.userName})
			if user != c.user || !errors.Is(err, c.err) {
				t.Errorf("%q makes %q, %v", c.userName, user, err)
			}
		})
	}
}

// FuzzUser proves that whatever an identity provider sends names one user of the type that the spec has, or nobody.
func FuzzUser(f *testing.F) {
	for _, seed := range []string{"ada@example.com", "*", "user:z", "x#y", "a b", "", "a\x00", "\u202e", "é"} {
		f.Add(seed)
	}
	subject, err := targets.ParseSubject("user:{{ .userName }}")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string) {
		user, err := userOf(subject, targets.Person{UserName: name})
		if err != nil {
			return // nobody
		}
		if user != "user:"+name || name == "*" || name == "" || len(user) > 512 || !utf8.ValidString(user) ||
			strings.ContainsAny(name, ":#") || strings.ContainsFunc(name, unicode.IsSpace) || strings.ContainsFunc(name, unicode.IsControl) {
			t.Errorf("%q makes %q", name, user)
		}
	})
}

// FuzzRelation proves that an entitlement tells one relation of one object.
func FuzzRelation(f *testing.F) {
	f.Add("organization:acme#admin")
	f.Add("#")
	f.Add("a#b#c")
	f.Fuzz(func(t *testing.T, text string) {
		r, ok := parseRelation(text)
		if ok && (r.String() != text || r.object == "" || r.name == "" || strings.Contains(r.object+r.name, "#")) {
			t.Errorf("%q is read as %+v", text, r)
		}
	})
}

func TestRelationOfAnEntry(t *testing.T) {
	for text, good := range map[[2]string]bool{
		{"organization:acme", "admin"}:       true,
		{"organization:ac\x00me", "admin"}:   false,
		{"organization:acme", "ad\x1bmin"}:   false,
		{"organization\u0085:acme", "admin"}: false,
	} {
		r, err := relationOf(v1alpha1.OpenFGATuple{Object: text[0], Relation: text[1]})
		if (err == nil) != good || good && r.String() != text[0]+"#"+text[1] {
			t.Errorf("%q: %v, %v", text, r, err)
		}
	}
}
