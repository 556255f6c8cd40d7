package runscope

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// comparisons are the names a collection may use. Each compares a value of the
// answer with the text in the collection.
var comparisons = map[string]func(value any, want string) bool{
	"equal": func(value any, want string) bool { return text(value) == want },
	"equal_number": func(value any, want string) bool {
		return order(value, want, func(a, b float64) bool { return a == b })
	},
	"is_less_than": func(value any, want string) bool { return order(value, want, func(a, b float64) bool { return a < b }) },
	"is_a_number":  func(value any, _ string) bool { _, is := value.(json.Number); return is },
	"not_empty":    func(value any, _ string) bool { return !empty(value) },
	"has_value":    hasValue,
	"contains":     func(value any, want string) bool { return strings.Contains(text(value), want) },
}

// order compares numbers only: a number in quotes is none, as for Okta.
func order(value any, want string, holds func(a, b float64) bool) bool {
	found, isNumber := value.(json.Number)
	if !isNumber {
		return false
	}
	a, errA := found.Float64()
	b, errB := strconv.ParseFloat(want, 64)
	return errA == nil && errB == nil && holds(a, b)
}

// empty is a value that says nothing. A boolean and a number always say
// something.
func empty(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case string:
		return value == ""
	case []any:
		return len(value) == 0
	case map[string]any:
		return len(value) == 0
	default:
		return false
	}
}

func hasValue(value any, want string) bool {
	list, isList := value.([]any)
	return isList && slices.ContainsFunc(list, func(element any) bool { return text(element) == want })
}

// text is a JSON value as Runscope compares it: a string without its quotes.
func text(value any) string {
	if s, isString := value.(string); isString {
		return s
	}
	shown, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(shown)
}
