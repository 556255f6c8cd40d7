package main

import (
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// attributes are those of the i-th person of a directory, as many as identity providers usually send.
func attributes(directory string, i int) v1alpha1.UserAttributes {
	name := userName(directory, i)
	return v1alpha1.UserAttributes{
		UserName:    name,
		ExternalID:  fmt.Sprintf("00u%s%017d", directory, i),
		DisplayName: fmt.Sprintf("Person %d", i),
		Name:        &v1alpha1.UserName{GivenName: "Person", FamilyName: fmt.Sprint(i), Formatted: fmt.Sprintf("Person %d", i)},
		Title:       "Engineer",
		Locale:      "en-GB",
		Timezone:    "Europe/Berlin",
		Active:      true,
		Emails:      []v1alpha1.MultiValue{{Value: name, Type: "work", Primary: new(true)}},
		PhoneNumbers: []v1alpha1.MultiValue{
			{Value: fmt.Sprintf("+49 30 %07d", i), Type: "work"},
		},
	}
}

func userName(directory string, i int) string {
	return fmt.Sprintf("person.%d@%s.example.com", i, directory)
}

var department = &v1alpha1.EnterpriseUser{EmployeeNumber: "1000", Department: "Research", CostCenter: "4711"}

// userObject is the person as the operator stores it.
func userObject(directory string, i int) *v1alpha1.ScimUser {
	u := &v1alpha1.ScimUser{ObjectMeta: named(uuid.Must(uuid.NewV7()).String())}
	u.Annotations = map[string]string{
		v1alpha1.LastModifiedAnnotation: "2026-01-01T00:00:00.000Z", v1alpha1.RequestAnnotation: uuid.NewString(),
	}
	u.Spec.DirectoryRef.Name = directory
	u.Spec.UserAttributes = attributes(directory, i)
	u.Spec.Enterprise = department
	return u
}

// userResource is the same person as an identity provider posts it.
func userResource(directory string, i int) ([]byte, error) {
	return json.Marshal(struct {
		Schemas []string `json:"schemas"`
		v1alpha1.UserAttributes
		Enterprise *v1alpha1.EnterpriseUser `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`
	}{
		[]string{
			"urn:ietf:params:scim:schemas:core:2.0:User",
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
		},
		attributes(directory, i), department,
	})
}
