package entra

import (
	"strings"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// Dialect is how Entra ID writes a PATCH. The administrator chooses it with a
// query key at the end of the tenant URL.
type Dialect string

const (
	// Legacy is what Entra ID does without the flag: capital op names, Booleans
	// as strings, members removed by value.
	Legacy Dialect = "legacy"
	// Compliant is what it does with the flag: lower-case op names, Booleans,
	// members removed by filter, several attributes in one value without a path.
	Compliant Dialect = "compliant"
)

// complianceFlag comes with every URL.
const complianceFlag = "aadOptscim062020"

func (d Dialect) query() string {
	if d == Compliant {
		return complianceFlag
	}
	return ""
}

func (d Dialect) operation(op, path string, value any) provider.Operation {
	if d == Compliant {
		op = strings.ToLower(op)
	}
	return provider.Operation{Op: op, Path: path, Value: value}
}

func (d Dialect) boolean(value bool) any {
	switch {
	case d == Compliant:
		return value
	case value:
		return "True"
	default:
		return "False"
	}
}

// profile changes several attributes of a user: one operation each, or all in
// one value under dotted and URN names.
func (d Dialect) profile(p Person) []provider.Operation {
	const employeeNumber = provider.EnterpriseSchema + ":employeeNumber"
	email := d.operation("Replace", workAddress, p.UserName)
	if d == Compliant {
		return []provider.Operation{email, d.operation("Replace", "", map[string]any{
			"displayName":     p.displayName(),
			"name.givenName":  p.GivenName,
			"name.familyName": p.FamilyName,
			employeeNumber:    p.EmployeeNumber,
		})}
	}
	return []provider.Operation{
		email,
		d.operation("Replace", "displayName", p.displayName()),
		d.operation("Replace", "name.givenName", p.GivenName),
		d.operation("Replace", "name.familyName", p.FamilyName),
		d.operation("Add", employeeNumber, p.EmployeeNumber),
	}
}

// managerPath has a dot before its last part in the older form.
func (d Dialect) managerPath() string {
	if d == Compliant {
		return provider.EnterpriseSchema + ":manager"
	}
	return provider.EnterpriseSchema + ".manager"
}

func (d Dialect) removal(member string) provider.Operation {
	if d == Compliant {
		return d.operation("Remove", "members["+provider.Equals("value", member)+"]", nil)
	}
	return d.operation("Remove", "members", reference(member))
}

// reference is a member as Entra ID names it: with a $ref that is null.
func reference(member string) []map[string]any {
	return []map[string]any{{"$ref": nil, "value": member}}
}
