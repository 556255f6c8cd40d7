package view

import (
	"strconv"
	"strings"
	"unicode"
)

// Printable is a text as it is safe to show: identity providers choose names, and a name must not move the cursor, turn the
// direction of writing, hide what follows it, or end a line.
func Printable(text string) string {
	if !strings.ContainsFunc(text, unsafe) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if unsafe(r) {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func unsafe(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }
