package filter_test

import (
	"testing"

	"github.com/scim-operator/scim-operator/scimserver/filter"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

var filters = map[string]string{
	"userName":  `userName eq "babs"`,
	"contains":  `displayName co "zz"`,
	"valuePath": `emails[type eq "work"].value eq "x@example.com"`,
	"dateTime":  `meta.lastModified gt "2030-01-01T00:00:00Z"`,
	"extension": `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "x" or not (active eq true)`,
	"presence":  `title pr and emails pr and name pr and groups pr`,
}

func someone() *user {
	active := true
	return &user{
		ID: "2819c223-7f76-453a-919d-413861904646",
		attributes: &attributes{UserName: "BJensen@example.com", DisplayName: "Babs Jensen", Active: &active,
			Emails: []value{{Value: "BJensen@example.com", Type: "work", Primary: true}, {Value: "babs@jensen.org", Type: "home"}}},
		Enterprise: &enterprise{Department: "Sales"},
	}
}

func BenchmarkMatch(b *testing.B) {
	for name, text := range filters {
		b.Run(name, func(b *testing.B) {
			f, err := filter.Parse(schema.User, text)
			if err != nil {
				b.Fatal(err)
			}
			resource := someone()
			b.ReportAllocs()
			for b.Loop() {
				f.Match(resource)
			}
		})
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	for name, text := range filters {
		f, err := filter.Parse(schema.User, text)
		if err != nil {
			t.Fatal(err)
		}
		resource := someone()
		if n := testing.AllocsPerRun(100, func() { f.Match(resource) }); n != 0 {
			t.Errorf("%s: %v allocations per match", name, n)
		}
	}
}
