package argocd

import (
	"strings"
	"testing"
)

func TestScopes(t *testing.T) {
	for _, c := range []struct {
		scopes, claim string
		match         bool
		says          string
	}{
		{"", "email", false, "scopes in C is '[groups]': set it to '[groups, email]'; until then"},
		{"[groups, email]", "email", true, "scopes in C names the claim email"},
		{"- groups\n- email\n", "email", true, "names the claim email"},
		{"[email]", "preferred_username", false, "set it to '[email, preferred_username]'"},
		{"[]", "email", false, "scopes in C is '[]': set it to '[email]'"},
		{"[E-mail]", "email", false, "set it to '[E-mail, email]'"},
		{"email", "email", false, "scopes in C is not a list of a few names: set it to '[groups, email]'"},
		{"[", "email", false, "is not a list"},
		{"[" + strings.Repeat("x,", 600) + "]", "email", false, "is not a list of a few names"},
		{"[", "sub", true, "whatever scopes is"},
	} {
		got := scopesMatch("C", c.claim, map[string]string{"scopes": c.scopes})
		if got.True != c.match || !strings.Contains(got.Message, c.says) {
			t.Errorf("%q, %s: %+v", c.scopes, c.claim, got)
		}
	}
}
