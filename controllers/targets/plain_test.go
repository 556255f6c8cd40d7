package targets

import "testing"

func TestPlain(t *testing.T) {
	for text, good := range map[string]bool{
		"": true, "organization:acme": true, "Grüße, 世界": true,
		"a\x00": false, "a\tb": false, "a\nb": false, "\x1b[2J": false, "a\x7f": false, "a\u0085b": false,
	} {
		if err := Plain("tuples.object", text); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}
