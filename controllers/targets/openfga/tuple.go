package openfga

import (
	"cmp"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

// relation is a relation of an object: what a grant's entitlement says.
type relation struct {
	object, name string
}

// relationOf is what an entry of the spec means. It returns an Invalid when a person cannot read it.
func relationOf(t v1alpha1.OpenFGATuple) (relation, error) {
	return relation{object: t.Object, name: t.Relation},
		cmp.Or(targets.Plain("openFGA.tuples.object", t.Object), targets.Plain("openFGA.tuples.relation", t.Relation))
}

// String is the relation as OpenFGA writes a set of users, such as organization:acme#admin. Neither part holds a #.
func (r relation) String() string { return r.object + "#" + r.name }

// parseRelation reads what String wrote.
func parseRelation(text string) (relation, bool) {
	object, name, ok := strings.Cut(text, "#")
	return relation{object, name}, ok && object != "" && name != "" && !strings.Contains(name, "#")
}

// objectType is what stands before the object's id.
func (r relation) objectType() string {
	t, _, _ := strings.Cut(r.object, ":")
	return t
}

// tuple is a relationship tuple without a condition, as OpenFGA's API has it.
type tuple struct {
	User     string `json:"user"`
	Relation string `json:"relation"`
	Object   string `json:"object"`
}

// tupleOf is the tuple of a grant.
func tupleOf(g targets.Grant) tuple {
	r, _ := parseRelation(g.Entitlement)
	return tuple{User: g.Subject, Relation: r.name, Object: r.object}
}

// maxUser is how many bytes OpenFGA takes for a user.
const maxUser = 512

// What an identity provider sends must name one person: not everybody, no set of users, and no user of another type.
var (
	errEverybody = errors.New("the name *, which OpenFGA takes for everybody")
	errSyntax    = errors.New("a name with : or #, by which OpenFGA separates what is more than a name")
	errUnseen    = errors.New("a name with spaces or characters that cannot be seen")
	errTooLong   = errors.New("a name that makes a user of more than 512 bytes")
)

// userOf is a person's user. The type in front of the first colon comes from the spec alone, for no attribute stands there.
func userOf(subject targets.Subject, p targets.Person) (string, error) {
	user, err := subject.Of(p)
	if err != nil {
		return "", err
	}
	_, id, _ := strings.Cut(user, ":")
	switch {
	case id == "*":
		return "", errEverybody
	case strings.ContainsAny(id, ":#"):
		return "", errSyntax
	case !utf8.ValidString(id), strings.ContainsFunc(id, unseen):
		return "", errUnseen
	case len(user) > maxUser:
		return "", errTooLong
	}
	return user, nil
}

func unseen(r rune) bool { return r == ' ' || !unicode.IsPrint(r) }
