package schema

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Convert returns value in the canonical form of the attribute at the path: an array for a multi-valued attribute,
// objects with canonical names, nil for what is unassigned (RFC 7643 §2.5). It accepts the forms that identity
// providers use for the same thing: "True" for true, a number for a string, one value for an array, a bare string
// for an object with `value`. Sub-attributes that do not exist are left out.
// It returns an *Error when the value cannot be meant.
func (p Path) Convert(value any) (any, error) {
	return converter{keepReadOnly: true}.attribute(p.Leaf(), value, p.String())
}

// ConvertElement is Convert for one element of the multi-valued attribute at the path.
func (p Path) ConvertElement(value any) (any, error) {
	return converter{keepReadOnly: true}.single(p.Leaf(), value, p.String())
}

// converter brings values into canonical form. Its argument `at` says where a value stands, for errors.
type converter struct {
	keepReadOnly bool
}

func (c converter) attribute(a *Attribute, value any, at string) (any, error) {
	if a.MultiValued {
		return c.list(a, value, at)
	}
	return c.single(a, value, at)
}

func (c converter) list(a *Attribute, value any, at string) (any, error) {
	if value == nil {
		return nil, nil
	}
	values, ok := value.([]any)
	if !ok {
		values = []any{value}
	}
	if a.Exceeds(len(values)) {
		return nil, Errorf(InvalidValue, "%s has %d values, more than %d", at, len(values), maxValues)
	}
	elements := make([]any, 0, len(values))
	for i, v := range values {
		element, err := c.single(a, v, at+"["+strconv.Itoa(i)+"]")
		if err != nil {
			return nil, err
		}
		if a.assigned(element) {
			elements = append(elements, element)
		}
	}
	elements = a.Union(nil, elements)
	if len(elements) == 0 {
		return nil, nil
	}
	if primaries(elements) > 1 {
		return nil, Errorf(InvalidValue, "%s has more than one primary value: mark only one", at)
	}
	return elements, nil
}

// assigned reports whether an element says anything: where elements have a `value`, the rest only describes it.
func (a *Attribute) assigned(element any) bool {
	object, ok := element.(map[string]any)
	if !ok || a.Sub("value") == nil {
		return element != nil
	}
	return object["value"] != nil
}

func primaries(elements []any) (n int) {
	for _, element := range elements {
		if object, ok := element.(map[string]any); ok && object["primary"] == true {
			n++
		}
	}
	return n
}

func (c converter) single(a *Attribute, value any, at string) (any, error) {
	if value == nil {
		return nil, nil
	}
	switch a.Type {
	case Complex:
		return c.complex(a, value, at)
	case Boolean:
		return toBoolean(value, at)
	case Integer:
		return toInteger(value, at)
	case Decimal:
		return toDecimal(value, at)
	default:
		return a.toString(value, at)
	}
}

func (c converter) complex(a *Attribute, value any, at string) (any, error) {
	switch v := value.(type) {
	case map[string]any:
		object, err := c.object(a.SubAttributes, v, at+a.separator())
		if err != nil || len(object) == 0 {
			return nil, err
		}
		return object, nil
	case string, json.Number:
		if a.Sub("value") != nil {
			return c.complex(a, map[string]any{"value": v}, at)
		}
	}
	return nil, mismatch(at, "an object", value)
}

// object converts the attributes that object has, leaves out what is unknown, and asks for what is required.
// The prefix stands before their names in errors.
func (c converter) object(attributes []Attribute, object map[string]any, prefix string) (map[string]any, error) {
	converted := make(map[string]any, len(object))
	seen := make([]*Attribute, 0, len(object))
	keys := slices.AppendSeq(make([]string, 0, len(object)), maps.Keys(object))
	slices.Sort(keys)
	for _, key := range keys {
		a := find(attributes, key)
		if a == nil || a.Mutability == ReadOnly && !c.keepReadOnly {
			continue
		}
		where := prefix + a.Name
		if slices.Contains(seen, a) {
			return nil, Errorf(InvalidSyntax, "%s occurs twice, in different case", where)
		}
		seen = append(seen, a)
		value, err := c.attribute(a, object[key], where)
		if err != nil {
			return nil, err
		}
		if value != nil {
			converted[a.Name] = value
		}
	}
	for i := range attributes {
		if a := &attributes[i]; a.Required && converted[a.Name] == nil {
			return nil, Errorf(InvalidValue, "%s is required", prefix+a.Name)
		}
	}
	return converted, nil
}

func toBoolean(value any, at string) (any, error) {
	switch v := value.(type) {
	case bool:
		return v, nil
	case string:
		switch strings.ToLower(v) {
		case "true":
			return true, nil
		case "false":
			return false, nil
		case "":
			return nil, nil
		}
	}
	return nil, mismatch(at, "true or false", value)
}

// maxInteger is the largest integer that every JSON parser reads exactly (RFC 7493 §2.2), Kubernetes' among them.
const maxInteger = 1<<53 - 1

func toInteger(value any, at string) (any, error) {
	text, err := numeral(value, at, "an integer")
	if text == "" {
		return nil, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n > maxInteger || n < -maxInteger {
		return nil, Errorf(InvalidValue, "%s must be an integer between %d and %d", at, -maxInteger, maxInteger)
	}
	return json.Number(strconv.FormatInt(n, 10)), nil
}

func toDecimal(value any, at string) (any, error) {
	text, err := numeral(value, at, "a number")
	if text == "" {
		return nil, err
	}
	n, err := strconv.ParseFloat(text, 64)
	canonical, unwritable := json.Marshal(n) // JSON has no infinity
	if err != nil || unwritable != nil {
		return nil, Errorf(InvalidValue, "%s must be a number such as 1.5 that fits 64 bits", at)
	}
	return json.Number(canonical), nil
}

// numeral returns the digits of a number, also of one in a string; none for what is unassigned.
func numeral(value any, at, expected string) (string, error) {
	switch v := value.(type) {
	case json.Number:
		return v.String(), nil
	case string:
		return strings.TrimSpace(v), nil
	default:
		return "", mismatch(at, expected, value)
	}
}

func (a *Attribute) toString(value any, at string) (any, error) {
	var s string
	switch v := value.(type) {
	case string:
		s = v
	case json.Number:
		s = v.String()
	default:
		return nil, mismatch(at, "a string", value)
	}
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	if limit := a.maxLength(); len(s) > limit && utf8.RuneCountInString(s) > limit {
		return nil, Errorf(InvalidValue, "%s is longer than %d characters", at, limit)
	}
	if err := a.checkText(s, at); err != nil {
		return nil, err
	}
	return s, nil
}

func (a *Attribute) checkText(s, at string) error {
	switch a.Type {
	case DateTime:
		if _, err := time.Parse(time.RFC3339, s); err != nil {
			return Errorf(InvalidValue, "%s must be a date and time such as 2026-01-31T12:00:00Z", at)
		}
	case Binary:
		if _, err := base64.StdEncoding.DecodeString(s); err != nil {
			return Errorf(InvalidValue, "%s must be base64", at)
		}
	default:
		if !isPrintable(s) && strings.ContainsFunc(s, a.forbids) {
			return Errorf(InvalidValue, "%s must not contain control characters", at)
		}
	}
	return nil
}

// isPrintable reports whether a text is of printable ASCII alone, as most are.
func isPrintable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func (a *Attribute) forbids(r rune) bool {
	switch r {
	case '\n', '\r', '\t':
		return a.oneLine()
	default:
		return unicode.IsControl(r)
	}
}

func mismatch(at, expected string, value any) error {
	return Errorf(InvalidValue, "%s must be %s, not %s", at, expected, kindOf(value))
}

func kindOf(value any) string {
	switch value.(type) {
	case string:
		return "a string"
	case json.Number:
		return "a number"
	case bool:
		return "a boolean"
	case []any:
		return "an array"
	case map[string]any:
		return "an object"
	default:
		return "something else"
	}
}
