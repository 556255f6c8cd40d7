package okta

import (
	"fmt"
	"maps"
)

// Person is a user of the tenant, as Okta's profile mapping sees one.
type Person struct {
	GivenName, FamilyName string
	UserName              string // also the work address
	Title                 string
	Department            string
	EmployeeNumber        string
	ExternalID            string // Okta's own id of the user
}

// attributes are what Okta keeps equal on the other side.
func (p Person) attributes() Resource {
	return Resource{
		"schemas":     []any{userSchema, enterpriseSchema},
		"userName":    p.UserName,
		"externalId":  p.ExternalID,
		"name":        map[string]any{"givenName": p.GivenName, "familyName": p.FamilyName},
		"displayName": p.displayName(),
		"emails":      []any{map[string]any{"primary": true, "value": p.UserName, "type": "work"}},
		"title":       p.Title,
		"locale":      "en-US",
		enterpriseSchema: map[string]any{
			"department":     p.Department,
			"employeeNumber": p.EmployeeNumber,
		},
	}
}

func (p Person) displayName() string { return p.GivenName + " " + p.FamilyName }

// edit is the resource with Okta's attributes set and the others untouched.
func (p Person) edit(r Resource) Resource {
	edited := maps.Clone(r)
	maps.Copy(edited, p.attributes())
	return edited
}

// mismatch says how the stored resource differs from what was pushed.
func (p Person) mismatch(stored Resource) (got, need string, differs bool) {
	want := p.attributes()
	delete(want, "schemas")
	name, wanted, found := difference(map[string]any(want), map[string]any(stored), "")
	if name == "" {
		return "", "", false
	}
	return fmt.Sprintf("%s %s", name, text(found)), fmt.Sprintf("%s %s, as pushed", name, text(wanted)), true
}
