package controllers

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCutToFit(t *testing.T) {
	for _, c := range []struct{ name, note, want string }{
		{"none", "", ""},
		{"as long as may be", strings.Repeat("x", 1024), strings.Repeat("x", 1024)},
		{"one too long", strings.Repeat("x", 1025), strings.Repeat("x", 1021) + "…"},
		{"cut between characters", strings.Repeat("ü", 600), strings.Repeat("ü", 510) + "…"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := cutToFit(c.note)
			if got != c.want || len(got) > maxNote || !utf8.ValidString(got) {
				t.Errorf("got %d bytes that end in %q", len(got), got[max(0, len(got)-8):])
			}
		})
	}
}
