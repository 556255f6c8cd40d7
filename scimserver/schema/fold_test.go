package schema_test

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

func TestFold(t *testing.T) {
	same := [][2]string{
		{"BJensen", "bjensen"},
		{"NÄME", "näme"},
		{"na\u0308me", "n\u00e4me"},
		{"STRASSE", "straße"},
		{"ΣΊΣΥΦΟΣ", "σίσυφος"},
		{"\u212aELVIN", "kelvin"},
	}
	for _, pair := range same {
		if schema.Fold(pair[0]) != schema.Fold(pair[1]) {
			t.Errorf("%q and %q differ: %q, %q", pair[0], pair[1], schema.Fold(pair[0]), schema.Fold(pair[1]))
		}
	}
	for _, pair := range [][2]string{{"a", "b"}, {"a", "á"}, {"i", "ı"}} {
		if schema.Fold(pair[0]) == schema.Fold(pair[1]) {
			t.Errorf("%q and %q are the same", pair[0], pair[1])
		}
	}
}

func TestFoldOfEveryCharacter(t *testing.T) {
	for r := range unicode.MaxRune + 1 {
		folded := schema.Fold(string(r))
		if again := schema.Fold(folded); again != folded {
			t.Errorf("folding %U twice gives %+q, then %+q", r, folded, again)
		}
		if other := unicode.SimpleFold(r); schema.Fold(string(other)) != folded {
			t.Errorf("%U and %U differ by case only, and fold to different strings", r, other)
		}
	}
}

func TestFoldProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		folded := schema.Fold(s)
		if again := schema.Fold(folded); again != folded {
			t.Errorf("folding %q twice gives %q, then %q", s, folded, again)
		}
		if appended := string(schema.AppendFold([]byte("X"), s)); appended != "X"+folded {
			t.Errorf("AppendFold(%q) = %q, Fold = %q", s, appended, folded)
		}
		if ascii := isASCII(s); ascii && folded != strings.ToLower(s) {
			t.Errorf("Fold(%q) = %q", s, folded)
		}
	})
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}

func TestFoldAllocatesNothingForLowerASCII(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { _ = schema.Fold("bjensen@example.com") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
