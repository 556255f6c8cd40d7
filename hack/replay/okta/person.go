package okta

import (
	"maps"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
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
func (p Person) attributes() provider.Resource {
	return provider.Resource{
		"schemas":     []any{provider.UserSchema, provider.EnterpriseSchema},
		"userName":    p.UserName,
		"externalId":  p.ExternalID,
		"name":        map[string]any{"givenName": p.GivenName, "familyName": p.FamilyName},
		"displayName": p.displayName(),
		"emails":      []any{map[string]any{"primary": true, "value": p.UserName, "type": "work"}},
		"title":       p.Title,
		"locale":      "en-US",
		provider.EnterpriseSchema: map[string]any{
			"department":     p.Department,
			"employeeNumber": p.EmployeeNumber,
		},
	}
}

func (p Person) displayName() string { return p.GivenName + " " + p.FamilyName }

// edit is the resource with Okta's attributes set and the others untouched.
func (p Person) edit(r provider.Resource) provider.Resource {
	edited := maps.Clone(r)
	maps.Copy(edited, p.attributes())
	return edited
}
