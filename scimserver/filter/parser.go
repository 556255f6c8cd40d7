package filter

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// Bounds on one filter. With maxDepth the recursion of parser and evaluation is bounded, too.
const (
	maxLength = 8 << 10
	maxDepth  = 32
	maxTerms  = 256
)

// resolver looks names up in the resource type, and what it does not have in the others; some identity providers call
// emails.value `email`.
func resolver(rt *schema.ResourceType, others ...*schema.ResourceType) func(string) (schema.Path, bool) {
	return func(name string) (schema.Path, bool) {
		if strings.EqualFold(name, "email") {
			name = "emails.value"
		}
		if path, ok := rt.Lookup(name); ok {
			return path, true
		}
		for _, other := range others {
			if path, ok := other.LookupFull(name); ok {
				return path, true
			}
		}
		return nil, false
	}
}

// parser is a recursive descent over the grammar of RFC 7644 §3.4.2.2 figure 1.
type parser struct {
	text     string
	pos      int
	depth    int
	terms    int
	scimType string // of the errors found now
	resolve  func(name string) (schema.Path, bool)
}

func (p *parser) filter() (*Filter, error) {
	if err := p.checkText(); err != nil {
		return nil, err
	}
	root, err := p.or()
	if err != nil {
		return nil, err
	}
	if err := p.end(); err != nil {
		return nil, err
	}
	return &Filter{root: root}, nil
}

func (p *parser) path() (schema.Path, *Filter, error) {
	if err := p.checkText(); err != nil {
		return nil, nil, err
	}
	path, err := p.attribute()
	if err != nil {
		return nil, nil, err
	}
	var filter *Filter
	if p.next('[') {
		if !path.Leaf().MultiValued {
			return nil, nil, p.errorAt(p.pos, "%s has a single value, so no filter can select among its values", path)
		}
		elements, err := p.brackets(path)
		if err != nil {
			return nil, nil, err
		}
		filter = &Filter{root: elements}
		if path, err = p.subAttribute(path); err != nil {
			return nil, nil, err
		}
	}
	return path, filter, p.end()
}

func (p *parser) checkText() error {
	if len(p.text) > maxLength {
		return schema.Errorf(p.scimType, "the text is %d bytes long, more than %d", len(p.text), maxLength)
	}
	if !utf8.ValidString(p.text) {
		return schema.Errorf(p.scimType, "the text is not valid UTF-8")
	}
	return nil
}

func (p *parser) end() error {
	if p.skipSpace(); p.pos < len(p.text) {
		return p.errorAt(p.pos, "the expression should end here")
	}
	return nil
}

func (p *parser) or() (expression, error) {
	return p.joined("or", p.and, func(parts []expression) expression { return or(parts) })
}

func (p *parser) and() (expression, error) {
	return p.joined("and", p.term, func(parts []expression) expression { return and(parts) })
}

// joined parses one part, or several with the keyword between them.
func (p *parser) joined(keyword string, part func() (expression, error), join func([]expression) expression) (expression, error) {
	var parts []expression
	for {
		e, err := part()
		if err != nil {
			return nil, err
		}
		parts = append(parts, e)
		if !p.keyword(keyword) {
			break
		}
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return join(parts), nil
}

func (p *parser) term() (expression, error) {
	if p.accept('(') {
		return p.group(')')
	}
	start := p.pos
	if p.keyword("not") && p.accept('(') {
		e, err := p.group(')')
		return not{e}, err
	}
	p.pos = start
	return p.attributeExpression()
}

// group parses what is left of an expression in parentheses or brackets.
func (p *parser) group(closing byte) (expression, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.errorAt(p.pos, "parentheses are nested deeper than %d", maxDepth)
	}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if !p.accept(closing) {
		return nil, p.errorAt(p.pos, "%q is missing", closing)
	}
	p.depth--
	return e, nil
}

func (p *parser) attribute() (schema.Path, error) {
	p.skipSpace()
	start := p.pos
	name := p.word()
	if name == "" {
		return nil, p.errorAt(start, "the name of an attribute is missing")
	}
	path, ok := p.resolve(name)
	if !ok {
		return nil, p.errorAt(start, "there is no attribute %.100q", name)
	}
	return path, nil
}

// subAttribute parses what may follow a bracket: a dot and a name.
func (p *parser) subAttribute(path schema.Path) (schema.Path, error) {
	if !p.next('.') {
		return path, nil
	}
	p.pos++
	start := p.pos
	name := p.word()
	sub := path.Leaf().Sub(name)
	if sub == nil {
		return nil, p.errorAt(start, "%s has no sub-attribute %.100q", path, name)
	}
	return append(slices.Clip(path), sub), nil
}

func (p *parser) attributeExpression() (expression, error) {
	if p.terms++; p.terms > maxTerms {
		return nil, p.errorAt(p.pos, "there are more than %d terms", maxTerms)
	}
	p.skipSpace()
	start := p.pos
	path, err := p.attribute()
	if err != nil {
		return nil, err
	}
	if err := p.checkVisible(path, start); err != nil {
		return nil, err
	}
	if p.next('[') {
		return p.valuePath(path)
	}
	return p.comparison(path)
}

// checkVisible refuses to ask for what is never returned: the answers would tell it (RFC 7643 §2.2 writeOnly).
func (p *parser) checkVisible(path schema.Path, start int) error {
	if slices.ContainsFunc(path, (*schema.Attribute).IsSecret) {
		return p.errorAt(start, "%s is never returned, so no filter can ask for it", path)
	}
	return nil
}

// valuePath parses attribute[filter], and beyond the grammar attribute[filter].sub with an operator, which Entra ID sends.
// The latter asks for one element that satisfies both.
func (p *parser) valuePath(path schema.Path) (expression, error) {
	elements, err := p.brackets(path)
	if err != nil {
		return nil, err
	}
	selected := &valuePath{path: path.String(), names: path.Names(), filter: elements}
	start := p.pos
	full, err := p.subAttribute(path)
	if err != nil || len(full) == len(path) {
		return selected, err
	}
	if err := p.checkVisible(full, start); err != nil {
		return nil, err
	}
	compared, err := p.comparison(full[len(path):])
	if err != nil {
		return nil, err
	}
	if negated, ok := compared.(not); ok {
		selected.filter = and{elements, negated.expression}
		return not{selected}, nil
	}
	selected.filter = and{elements, compared}
	return selected, nil
}

// brackets parses the filter in brackets that come next, in which names are those of sub-attributes.
func (p *parser) brackets(path schema.Path) (expression, error) {
	if path.Leaf().Type != schema.Complex {
		return nil, p.errorAt(p.pos, "%s has no sub-attributes to filter by", path)
	}
	p.pos++
	outerType, outerResolve := p.scimType, p.resolve
	p.scimType = schema.InvalidFilter
	p.resolve = func(name string) (schema.Path, bool) {
		sub := path.Leaf().Sub(name)
		return schema.Path{sub}, sub != nil
	}
	e, err := p.group(']')
	p.scimType, p.resolve = outerType, outerResolve
	return e, err
}

func (p *parser) comparison(path schema.Path) (expression, error) {
	p.skipSpace()
	start := p.pos
	op := operator(strings.ToLower(p.word()))
	if !op.known() {
		return nil, p.errorAt(start, "one of eq ne co sw ew gt ge lt le pr should follow %s", path)
	}
	if op == present {
		return &presence{names: path.Names()}, nil
	}
	target, err := p.compared(path, start)
	if err != nil {
		return nil, err
	}
	if err := p.checkVisible(target, start); err != nil {
		return nil, err
	}
	leaf := target.Leaf()
	if !op.fits(leaf.Type) {
		return nil, p.errorAt(start, "%s cannot compare %s, a %s", op, target, leaf.Type)
	}
	p.skipSpace()
	start = p.pos
	constant, err := p.constant()
	if err != nil {
		return nil, err
	}
	if constant.is("null") {
		return p.nullComparison(op, path, start)
	}
	c := &comparison{path: target.String(), names: target.Names(), operator: op, kind: leaf.Type, exact: leaf.CaseExact}
	if expected := c.set(constant); expected != "" {
		return nil, p.errorAt(start, "%s must be compared to %s", target, expected)
	}
	if op == notEqual {
		c.operator = equal
		return not{c}, nil
	}
	return c, nil
}

// compared returns the path of what is compared: for a complex attribute its `value`.
func (p *parser) compared(path schema.Path, start int) (schema.Path, error) {
	leaf := path.Leaf()
	if leaf.Type != schema.Complex {
		return path, nil
	}
	if value := leaf.Sub("value"); value != nil {
		return append(slices.Clip(path), value), nil
	}
	return nil, p.errorAt(start, "%s is complex: compare one of its sub-attributes", path)
}

// nullComparison is about presence, since null and absent are the same (RFC 7643 §2.5).
func (p *parser) nullComparison(op operator, path schema.Path, start int) (expression, error) {
	switch is := (&presence{names: path.Names()}); op {
	case equal:
		return not{is}, nil
	case notEqual:
		return is, nil
	default:
		return nil, p.errorAt(start, "null can only be compared by eq and ne")
	}
}

// errorAt says what is wrong at a place in the text.
func (p *parser) errorAt(pos int, format string, args ...any) error {
	return schema.Errorf(p.scimType, "%s, at character %d", fmt.Sprintf(format, args...), p.character(pos))
}
