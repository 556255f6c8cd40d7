package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// checkNew says whether the policy lets a new user in. It returns a *schema.Error that says what would be accepted.
func checkNew(p *policy, u *v1alpha1.ScimUser) error {
	if !u.Spec.Active && p.users.Deactivation == v1alpha1.DeactivationDelete {
		return schema.Errorf(schema.InvalidValue,
			"active: a user must be active where deactivation deletes; create the user once the person may use the app")
	}
	return checkDomain(p, u)
}

// checkChange says whether the policy lets a user become another: who comes in, comes back or is somebody else now must be
// of an allowed domain; who leaves need not.
func checkChange(p *policy, old, next *v1alpha1.ScimUser) error {
	deactivated := old.Spec.Active && !next.Spec.Active
	comes := isMirror(old) || !old.Spec.Active && next.Spec.Active ||
		identity(p.users.Identifier, old) != identity(p.users.Identifier, next)
	if deactivated || !comes {
		return nil
	}
	return checkDomain(p, next)
}

// leaves says whether a change deletes the user. A mirror is taken over first, as an inactive user, so that the local member
// that it stands for loses access.
func leaves(p *policy, old, next *v1alpha1.ScimUser) bool {
	return p.users.Deactivation == v1alpha1.DeactivationDelete && !isMirror(old) && old.Spec.Active && !next.Spec.Active
}

// takenByApp says of a key that a hidden mirror holds who holds it, since its id says nothing to clients.
func (d *Directory) takenByApp(p *policy, err error) error {
	taken, ok := errors.AsType[*UniquenessError](err)
	if !ok {
		return err
	}
	d.read(func(ix *directoryIndex) {
		if holder, ok := ix.users.byName[taken.Holder]; ok && hidden(p.users.Importable, holder) {
			err = &UniquenessError{Attribute: taken.Attribute, Detail: fmt.Sprintf(
				"%s is taken by a local member of the app, which users.existing of the ScimDirectory keeps from being taken over; "+
					"have the member removed from the app, or choose another %s", taken.Attribute, taken.Attribute)}
		}
	})
	return err
}

// maxDomainsShown bounds how many of the allowed domains a refusal names.
const maxDomainsShown = 10

// checkDomain refuses who is not of an allowed domain. The identifier must be an address with one @ and letters of ASCII
// after it: what only looks like a domain is none.
func checkDomain(p *policy, u *v1alpha1.ScimUser) error {
	allowed := p.users.AllowedDomains
	if len(allowed) == 0 {
		return nil
	}
	mailbox, domain, _ := strings.Cut(u.Spec.Identify(p.users.Identifier), "@")
	// strings.EqualFold takes the Kelvin sign for a K, but that is longer.
	isDomain := func(a string) bool { return len(a) == len(domain) && strings.EqualFold(a, domain) }
	if mailbox != "" && slices.ContainsFunc(allowed, isDomain) {
		return nil
	}
	attribute := "userName"
	if p.users.Identifier == v1alpha1.IdentifierEmail {
		attribute = "emails: the primary e-mail address (the first where none is primary, the userName where there are none)"
	}
	named := strings.Join(allowed[:min(len(allowed), maxDomainsShown)], ", ")
	if len(allowed) > maxDomainsShown {
		named += " and others"
	}
	return schema.Errorf(schema.InvalidValue, "%s must be an address of a domain that this directory allows: %s", attribute, named)
}
