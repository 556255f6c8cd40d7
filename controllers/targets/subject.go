package targets

import (
	"fmt"
	"strings"
	"text/template"
	"text/template/parse"
)

// Subject is how a system names a person: text around attributes.
type Subject struct {
	parts []part
}

// part is text, or the value of an attribute.
type part struct {
	text      string
	attribute string
	lower     bool
}

// attributes are those that name a person. A name to show is not among them: people choose their own.
var attributes = map[string]func(Person) string{
	"userName":   func(p Person) string { return p.UserName },
	"email":      func(p Person) string { return p.Email },
	"externalId": func(p Person) string { return p.ExternalID },
	"id":         func(p Person) string { return p.ID },
}

// ParseSubject reads a subject such as `oidc:{{ .userName | lower }}`. Of Go's templates it knows attributes and lower, and
// nothing that could run for long. It returns an Invalid that says what is accepted; control characters are not.
func ParseSubject(text string) (Subject, error) {
	if err := Plain("subject", text); err != nil {
		return Subject{}, err
	}
	trees, err := parse.Parse("subject", text, "", "", template.FuncMap{"lower": strings.ToLower})
	if err != nil {
		return Subject{}, invalidSubject(text)
	}
	var s Subject
	if tree := trees["subject"]; tree != nil && len(trees) == 1 {
		for _, node := range tree.Root.Nodes {
			p, ok := partOf(node)
			if !ok {
				return Subject{}, invalidSubject(text)
			}
			s.parts = append(s.parts, p)
		}
	}
	if !s.names() {
		return Subject{}, invalidSubject(text)
	}
	return s, nil
}

func invalidSubject(text string) error {
	return Invalidate("%q does not name a person: write text around one or more of {{ .userName }}, {{ .email }}, "+
		"{{ .externalId }} and {{ .id }}, each perhaps with \"| lower\"", text)
}

func partOf(node parse.Node) (part, bool) {
	switch n := node.(type) {
	case *parse.TextNode:
		return part{text: string(n.Text)}, true
	case *parse.ActionNode:
		if len(n.Pipe.Decl) > 0 || len(n.Pipe.Cmds) > 2 || len(n.Pipe.Cmds) == 0 {
			return part{}, false
		}
		field, ok := n.Pipe.Cmds[0].Args[0].(*parse.FieldNode)
		if !ok || len(n.Pipe.Cmds[0].Args) != 1 || len(field.Ident) != 1 || attributes[field.Ident[0]] == nil {
			return part{}, false
		}
		p := part{attribute: field.Ident[0]}
		if len(n.Pipe.Cmds) == 2 {
			function, ok := n.Pipe.Cmds[1].Args[0].(*parse.IdentifierNode)
			if !ok || len(n.Pipe.Cmds[1].Args) != 1 || function.Ident != "lower" {
				return part{}, false
			}
			p.lower = true
		}
		return p, true
	default:
		return part{}, false
	}
}

// names says whether the subject differs from one person to the next.
func (s Subject) names() bool {
	for _, p := range s.parts {
		if p.attribute != "" {
			return true
		}
	}
	return false
}

// Of is the subject of a person. It returns an error, which does not hold the person's name, when an attribute is missing.
func (s Subject) Of(p Person) (string, error) {
	var name strings.Builder
	for _, part := range s.parts {
		value := part.text
		if part.attribute != "" {
			value = attributes[part.attribute](p)
			if value == "" {
				return "", fmt.Errorf("no %s", part.attribute)
			}
			if part.lower {
				value = strings.ToLower(value)
			}
		}
		name.WriteString(value)
	}
	return name.String(), nil
}
