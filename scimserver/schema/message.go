package schema

import "strings"

// CheckMessage checks that a request's body is the message of the given URN (RFC 7644 §8.2). A missing list of schemas
// does no harm, but another message is refused: the *Error names the one that is expected.
func CheckMessage(body map[string]any, urn string) error {
	value, _, err := Member(body, "schemas")
	if err != nil || value == nil {
		return err
	}
	schemas, _ := value.([]any)
	for _, sent := range schemas {
		if s, ok := sent.(string); ok && strings.EqualFold(s, urn) {
			return nil
		}
	}
	return Errorf(InvalidSyntax, "schemas must name %s", urn)
}

// Member returns the value of a name, which a message may spell in any case, and whether there is one.
// It returns an *Error when there are several.
func Member(object map[string]any, name string) (value any, found bool, err error) {
	for key, v := range object {
		if !strings.EqualFold(key, name) {
			continue
		}
		if found {
			return nil, false, Errorf(InvalidSyntax, "%s occurs twice, in different case", name)
		}
		value, found = v, true
	}
	return value, found, nil
}
