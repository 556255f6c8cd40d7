package filter_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scim-operator/scim-operator/scimserver/filter"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

func TestOrderKey(t *testing.T) {
	tests := []struct{ sortBy, want string }{
		{"userName", "bjensen"},
		{"USERNAME", "bjensen"},
		{"urn:ietf:params:scim:schemas:core:2.0:User:userName", "bjensen"},
		{"id", "U1"},
		{"name.familyName", "strasse"},
		{"name.givenName", ""},
		{"title", ""},
		{"active", "false"},
		{"emails", "b@work.example"},
		{"emails.value", "b@work.example"},
		{"emails.type", "work"},
		{"email", "b@work.example"},
		{"addresses.country", ""},
		{"photos", ""},
		{"schemas", "urn:ietf:params:scim:schemas:core:2.0:user"},
		{"x509Certificates", "AAECAw=="},
		{"meta.created", "2026-01-31T12:00:00.250000000Z"},
		{"meta.lastModified", ""},
		{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber", "701984"},
		{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", "U2"},
		{"members.value", ""},
		{"urn:ietf:params:scim:schemas:core:2.0:Group:displayName", ""},
	}
	for _, tt := range tests {
		o, err := filter.ParseOrder(schema.User, tt.sortBy, "", schema.Group)
		if err != nil {
			t.Errorf("%s: %v", tt.sortBy, err)
			continue
		}
		if got := o.Key(decodeTree(t, []byte(babs))); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.sortBy, got, tt.want)
		}
	}
}

func TestOrderKeyOfAStruct(t *testing.T) {
	created := time.Date(2026, 1, 31, 13, 0, 0, 0, time.FixedZone("", 3600))
	yes := true
	u := &user{
		ID: "U1", Meta: meta{Created: wrappedTime{created}},
		attributes: &attributes{
			UserName: strings.Repeat("ä", 600), Active: &yes,
			Emails: []value{{Value: "A@x"}, {Value: "B@x", Primary: true}}, Phones: []*value{{Value: "1"}, {Value: "2"}},
		},
	}
	for sortBy, want := range map[string]string{
		"emails": "b@x", "phoneNumbers.value": "1", "phoneNumbers.primary": "", "meta.created": "2026-01-31T12:00:00.000000000Z",
		"active": "true", "userName": strings.Repeat("ä", 512), "displayName": "", "addresses.country": "",
	} {
		o, err := filter.ParseOrder(schema.User, sortBy, "")
		if err != nil {
			t.Fatal(err)
		}
		if got := o.Key(u); got != want {
			t.Errorf("%s: %q, want %q", sortBy, got, want)
		}
	}
}

func TestOrderCompare(t *testing.T) {
	for direction, want := range map[string][]string{
		"":           {"a", "b", "c", "", ""},
		"ascending":  {"a", "b", "c", "", ""},
		"DESCENDING": {"c", "b", "a", "", ""},
	} {
		o, err := filter.ParseOrder(schema.User, "title", direction)
		if err != nil {
			t.Fatal(err)
		}
		got := []string{"", "b", "a", "", "c"}
		if slices.SortFunc(got, o.Compare); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", direction, got, want)
		}
	}
}

func TestParseOrderRefuses(t *testing.T) {
	for sortBy, want := range map[string]string{
		"shoeSize":            `invalidValue: sortBy: there is no attribute "shoeSize"; see /Schemas`,
		"name":                "invalidValue: sortBy: name is complex: name one of its sub-attributes, such as name.formatted",
		"userName desc":       "invalidValue: sortBy: there is no attribute",
		"emails[primary pr]":  "invalidValue: sortBy: there is no attribute",
		"members.value":       "invalidValue: sortBy: there is no attribute",
		"urn:example:x":       "invalidValue: sortBy: there is no attribute",
		schema.UserURN + ":x": "invalidValue: sortBy: there is no attribute",
	} {
		if _, err := filter.ParseOrder(schema.User, sortBy, ""); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %q", sortBy, err, want)
		}
	}
	if _, err := filter.ParseOrder(schema.User, "title", "up"); err == nil {
		t.Error("sortOrder=up was taken")
	}
}

func TestFilterOnAttributesOfAnotherType(t *testing.T) {
	for text, want := range map[string]bool{
		`members pr`:                             false,
		`members[value eq "U1"]`:                 false,
		`members.value eq "U1"`:                  false,
		`not (members pr)`:                       true,
		`members pr or userName eq "bjensen"`:    true,
		`displayName eq null`:                    true,
		schema.GroupURN + `:displayName ne "x"`:  true,
		schema.UserURN + `:userName eq BJENSEN`:  true,
		schema.GroupURN + `:id eq "U1"`:          false,
		`meta.resourceType eq "User"`:            true,
		`members.display eq "x" and userName pr`: false,
	} {
		f, err := filter.Parse(schema.User, text, schema.Group)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := f.Match(decodeTree(t, []byte(babs))); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	f, err := filter.Parse(schema.Group, `userName eq "x" and id eq "y"`, schema.User)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := f.Equality("userName"); ok {
		t.Error("an attribute that groups lack would be looked up in their index")
	}
	if id, _ := f.Equality("id"); id != "y" {
		t.Errorf("id must equal %q", id)
	}
}
