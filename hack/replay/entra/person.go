package entra

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// workAddress is the path, and the attribute of a filter, that Entra ID names
// the mail address by.
const workAddress = `emails[type eq "work"].value`

// Person is a user of the tenant, as Entra ID's attribute mapping sees one.
type Person struct {
	GivenName, FamilyName string
	UserName              string // also the work address
	EmployeeNumber        string
	ObjectID              string // Entra ID's own id of the user
}

// person is the i-th of the tenant, the same in every run.
func person(i int) Person {
	userName := fmt.Sprintf("person%d@contoso.example", i+1)
	return Person{
		GivenName:      "Person",
		FamilyName:     fmt.Sprint("No. ", i+1),
		UserName:       userName,
		EmployeeNumber: fmt.Sprint(5001 + i),
		ObjectID:       uuid.NewSHA1(uuid.NameSpaceURL, []byte(userName)).String(),
	}
}

// married is the person with another family name.
func (p Person) married() Person {
	p.FamilyName += "-Jones"
	return p
}

func (p Person) displayName() string { return p.GivenName + " " + p.FamilyName }

// post is the body of a creation. The work address comes later.
func (p Person) post() provider.Resource {
	return provider.Resource{
		"schemas":     []any{provider.UserSchema, provider.EnterpriseSchema},
		"externalId":  p.ObjectID,
		"userName":    p.UserName,
		"active":      true,
		"displayName": p.displayName(),
		"meta":        map[string]any{"resourceType": "User"},
		"name":        map[string]any{"formatted": p.displayName(), "familyName": p.FamilyName, "givenName": p.GivenName},
		"roles":       []any{},
	}
}

// attributes are what the server must hold once all is pushed.
func (p Person) attributes() provider.Resource {
	return provider.Resource{
		"externalId":  p.ObjectID,
		"userName":    p.UserName,
		"displayName": p.displayName(),
		"name":        map[string]any{"familyName": p.FamilyName, "givenName": p.GivenName},
		"emails":      []any{map[string]any{"type": "work", "value": p.UserName}},

		provider.EnterpriseSchema: map[string]any{"employeeNumber": p.EmployeeNumber},
	}
}
