package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/scim-operator/scim-operator/controllers/targets"
)

// What a receiver knows is facts about subjects. A person is the subject by the name of their AppMembership, which holds no
// slash, so that no other subject is taken for one; a role's title is a fact about the role. In the order of a plan, lost
// access comes first, then what a receiver has not confirmed, and titles last, so that a role is gone after those who had it.
const (
	activeFact     = "active"
	identityPrefix = "person/" // directory, slash, hash of what the person is called
	roleFactPrefix = "role/"
	titlePrefix    = "title/"
	// unconfirmed stands for events whose delivery is not certain. It is never wanted, so that it is always in the plan.
	unconfirmed = "pending"

	roleSubjectPrefix = "role/"
	snapshotSubject   = "snapshot/last"
)

func roleSubject(name string) string { return roleSubjectPrefix + name }

// known is what a receiver knows of a subject: of a person all but the title, of a role the title alone.
type known struct {
	// identity is the person's directory, a slash, and a hash; it is empty while they do not exist.
	identity string
	active   bool
	// roles are sorted.
	roles []string
	title string
}

// knownOf reads facts. What it does not understand it leaves out.
func knownOf(facts []string) known {
	var k known
	for _, f := range facts {
		if f == activeFact {
			k.active = true
		} else if identity, is := strings.CutPrefix(f, identityPrefix); is {
			k.identity = identity
		} else if role, is := strings.CutPrefix(f, roleFactPrefix); is {
			k.roles = append(k.roles, role)
		} else if title, is := strings.CutPrefix(f, titlePrefix); is {
			k.title = title
		}
	}
	slices.Sort(k.roles)
	return k
}

// facts are sorted.
func (k known) facts() []string {
	var facts []string
	if k.active {
		facts = append(facts, activeFact)
	}
	if k.identity != "" {
		facts = append(facts, identityPrefix+k.identity)
	}
	for _, role := range k.roles {
		facts = append(facts, roleFactPrefix+role)
	}
	if k.title != "" {
		facts = append(facts, titlePrefix+k.title)
	}
	slices.Sort(facts)
	return facts
}

// directory is the person's.
func (k known) directory() string {
	directory, _, _ := strings.Cut(k.identity, "/")
	return directory
}

// factsOf are what a receiver is to know of a person. Roles count for nothing while the person is not active.
func factsOf(p targets.Person) []string {
	k := known{identity: identityOf(p), active: p.Active}
	if p.Active {
		k.roles = p.Roles
	}
	return k.facts()
}

func identityOf(p targets.Person) string {
	h := sha256.New()
	for _, value := range []string{p.UserName, p.Email, p.DisplayName, p.ExternalID} {
		fmt.Fprintf(h, "%d:%s", len(value), value)
	}
	return p.Directory + "/" + hex.EncodeToString(h.Sum(nil)[:16])
}
