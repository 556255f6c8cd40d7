package openfga

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxNames is how many names a message lists.
const maxNames = 20

// model is an authorization model: of a type's relations, who can have them.
type model struct {
	Types []objectType `json:"type_definitions"`
}

type objectType struct {
	Name      string         `json:"type"`
	Relations map[string]any `json:"relations"`
	Metadata  struct {
		Relations map[string]struct {
			Direct []userType `json:"directly_related_user_types"`
		} `json:"relations"`
	} `json:"metadata"`
}

// userType is what a tuple of a relation may have as its user.
type userType struct {
	Name      string    `json:"type"`
	Relation  string    `json:"relation"`
	Condition string    `json:"condition"`
	Wildcard  *struct{} `json:"wildcard"`
}

// String is the type as OpenFGA's models are written.
func (u userType) String() string {
	text := u.Name
	if u.Wildcard != nil {
		text += ":*"
	}
	if u.Relation != "" {
		text += "#" + u.Relation
	}
	if u.Condition != "" {
		text += " with " + u.Condition
	}
	return text
}

// objection says why the model takes no tuples that give a relation to users of a type; it is empty when it does.
func (m model) objection(r relation, user string) string {
	t := slices.IndexFunc(m.Types, func(t objectType) bool { return t.Name == r.objectType() })
	if t < 0 {
		types := make([]string, 0, len(m.Types))
		for _, t := range m.Types {
			types = append(types, t.Name)
		}
		return fmt.Sprintf("the model has no type %q: it has %s", r.objectType(), list(types))
	}
	of := m.Types[t]
	if _, is := of.Relations[r.name]; !is {
		return fmt.Sprintf("the model's type %q has no relation %q: it has %s",
			of.Name, r.name, list(slices.Collect(maps.Keys(of.Relations))))
	}
	direct := of.Metadata.Relations[r.name].Direct
	if slices.Contains(direct, userType{Name: user}) {
		return ""
	}
	types := make([]string, 0, len(direct))
	for _, u := range direct {
		types = append(types, u.String())
	}
	return fmt.Sprintf("the relation %q of the model's type %q takes no %q directly: it takes %s", r.name, of.Name, user, list(types))
}

// list is the names in order, or as many as a message has room for.
func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	slices.Sort(names)
	if more := len(names) - maxNames; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNames], ", "), more)
	}
	return strings.Join(names, ", ")
}
