package filter

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// constant is what an attribute is compared to: a JSON string, or a word without quotes.
type constant struct {
	text   string
	quoted bool
}

// is reports whether the constant is the given JSON literal, in any case.
func (c constant) is(literal string) bool {
	return !c.quoted && strings.EqualFold(c.text, literal)
}

// isPlainText reports whether the constant can be taken for a string. Entra ID at times omits the quotes, so a word will
// do that has no other meaning.
func (c constant) isPlainText() bool {
	if c.quoted {
		return true
	}
	return !slices.ContainsFunc([]string{"", "true", "false", "and", "or", "not"}, c.is) && !strings.ContainsAny(c.text, `'\`)
}

func (p *parser) constant() (constant, error) {
	p.skipSpace()
	if p.next('"') {
		text, err := p.quoted()
		return constant{text: text, quoted: true}, err
	}
	return constant{text: p.word()}, nil
}

// set makes constant the right side of the comparison. It returns what is expected instead if the type does not fit.
func (e *comparison) set(right constant) (expected string) {
	switch e.kind {
	case schema.Boolean:
		// Entra ID writes roles[primary eq "True"].
		e.boolean = strings.EqualFold(right.text, "true")
		if !e.boolean && !strings.EqualFold(right.text, "false") {
			return "true or false"
		}
	case schema.Integer, schema.Decimal:
		var err error
		if e.number, err = strconv.ParseFloat(right.text, 64); err != nil || math.IsNaN(e.number) {
			return "a number"
		}
	case schema.DateTime:
		var err error
		if e.instant, err = time.Parse(time.RFC3339, right.text); err != nil {
			return "a date and time such as \"2026-01-31T12:00:00Z\""
		}
	default:
		if !right.isPlainText() {
			return "a string in double quotes"
		}
		e.constant = []byte(right.text)
		if !e.exact {
			e.constant = schema.AppendFold(nil, right.text)
		}
	}
	e.text = right.text
	return ""
}
