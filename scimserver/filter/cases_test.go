package filter_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/scim-operator/scim-operator/scimserver/filter"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

type filterCase struct {
	ID          string   `json:"id"`
	Filter      string   `json:"filter"`
	Parse       string   `json:"parse"`
	Match       []string `json:"match"`
	Recommended []string `json:"recommended"`
}

// user is a resource as a struct, in the ways that structs are written: embedded, by pointer, with times.
type user struct {
	Schemas []string `json:"schemas"`
	ID      string   `json:"id"`
	*attributes
	Enterprise *enterprise `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User,omitempty"`
	Groups     []value     `json:"groups,omitempty"`
	Meta       meta        `json:"meta"`
}

type attributes struct {
	ExternalID  string    `json:"externalId,omitempty"`
	UserName    string    `json:"userName"`
	Name        *name     `json:"name,omitempty"`
	DisplayName string    `json:"displayName,omitempty"`
	Title       *string   `json:"title,omitempty"`
	UserType    string    `json:"userType,omitempty"`
	Active      *bool     `json:"active,omitempty"`
	Emails      []value   `json:"emails,omitempty"`
	Phones      []*value  `json:"phoneNumbers,omitempty"`
	Addresses   []address `json:"addresses,omitempty"`
}

type value struct {
	Value   string `json:"value,omitempty"`
	Display string `json:"display,omitempty"`
	Type    string `json:"type,omitempty"`
	Primary bool   `json:"primary,omitempty"`
}

type address struct {
	Type     string `json:"type,omitempty"`
	Locality string `json:"locality,omitempty"`
	Country  string `json:"country,omitempty"`
	Primary  bool   `json:"primary,omitempty"`
}

type name struct {
	Formatted  string `json:"formatted,omitempty"`
	FamilyName string `json:"familyName,omitempty"`
	GivenName  string `json:"givenName,omitempty"`
}

type enterprise struct {
	EmployeeNumber string   `json:"employeeNumber,omitempty"`
	Department     string   `json:"department,omitempty"`
	Manager        *manager `json:"manager,omitempty"`
}

type manager struct {
	Value string `json:"value,omitempty"`
}

type meta struct {
	ResourceType string      `json:"resourceType,omitempty"`
	Created      wrappedTime `json:"created"`
	LastModified time.Time   `json:"lastModified"`
}

type wrappedTime struct{ time.Time }

type filterCases struct {
	Users []json.RawMessage `json:"users"`
	Cases []filterCase      `json:"cases"`
}

func readCases(t testing.TB) (file filterCases) {
	t.Helper()
	data, err := os.ReadFile("testdata/filter-cases.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestCases holds the parser to the shared cases, once per form of resource.
func TestCases(t *testing.T) {
	file := readCases(t)
	ids, resources := []string{}, map[string][]any{}
	for _, raw := range file.Users {
		asTree := decodeTree(t, raw)
		asStruct := decodeStruct(t, raw)
		ids = append(ids, asStruct.ID)
		resources[asStruct.ID] = []any{asTree, asStruct, *asStruct}
	}
	if len(file.Cases) == 0 {
		t.Fatal("there are no cases")
	}
	for _, c := range file.Cases {
		t.Run(c.ID, func(t *testing.T) {
			f, err := filter.Parse(schema.User, c.Filter)
			if c.Parse != "ok" {
				wantInvalid(t, err)
				return
			}
			if err != nil {
				t.Fatalf("%s: %v", c.Filter, err)
			}
			want := c.Match
			if c.Recommended != nil {
				want = c.Recommended
			}
			for _, id := range ids {
				for _, resource := range resources[id] {
					if got := f.Match(resource); got != slices.Contains(want, id) {
						t.Errorf("%s: Match(%s as %T) = %v", c.Filter, id, resource, got)
					}
				}
			}
		})
	}
}

func wantInvalid(t *testing.T, err error) {
	t.Helper()
	bad, ok := errors.AsType[*schema.Error](err)
	if !ok || bad.ScimType != schema.InvalidFilter {
		t.Errorf("error = %v, want invalidFilter", err)
	}
}

func decodeTree(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var tree map[string]any
	if err := decoder.Decode(&tree); err != nil {
		t.Fatal(err)
	}
	return tree
}

func decodeStruct(t *testing.T, raw []byte) *user {
	t.Helper()
	u := &user{attributes: &attributes{}}
	if err := json.Unmarshal(raw, u); err != nil {
		t.Fatal(err)
	}
	return u
}
