package schema

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold returns the form of s in which strings that differ only by case or by Unicode composition are equal.
// It is the one folding for everything that RFC 7643 compares without case: filters, indexes, uniqueness.
func Fold(s string) string {
	if isLowerASCII(s) {
		return s
	}
	return string(AppendFold(nil, s))
}

// AppendFold appends Fold(s) to dst. With room in dst it allocates nothing for an ASCII string.
func AppendFold(dst []byte, s string) []byte {
	start := len(dst)
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 0x80:
			return append(dst[:start], foldUnicode(s)...)
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// foldUnicode is the canonical caseless form of the Unicode Standard, definition D145, recomposed.
func foldUnicode(s string) string {
	return norm.NFC.String(strings.Map(foldCherokee, cases.Fold().String(norm.NFD.String(s))))
}

// foldCherokee makes up for package cases, which swaps the case of Cherokee letters; Unicode folds them to upper case.
func foldCherokee(r rune) rune {
	if unicode.Is(unicode.Cherokee, r) {
		return unicode.ToUpper(r)
	}
	return r
}

func isLowerASCII(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= 0x80 || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}
