package targets

import (
	"strings"
	"unicode"
)

// Plain returns an Invalid when what a field of the spec says holds control characters: the API server refuses them, and what
// was stored before it did reaches no system.
func Plain(field, text string) error {
	if strings.ContainsFunc(text, unicode.IsControl) {
		return Invalidate("%s: %q holds control characters; write it without", field, text)
	}
	return nil
}
