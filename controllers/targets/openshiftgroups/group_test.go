package openshiftgroups

import (
	"slices"
	"strings"
	"testing"

	"github.com/scim-operator/scim-operator/controllers/targets"
)

func TestNames(t *testing.T) {
	for name, good := range map[string]bool{
		"ada": true, "ada@example.com": true, "Zoë O'Neil": true, "a,b\n": true, "...": true, "~a": true,
		"": false, ".": false, "..": false, "~": false, "a/b": false, "a%b": false, "a:b": false, "system:admin": false,
	} {
		if err := checkName(name); (err == nil) != good {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestUsersOfAGroup(t *testing.T) {
	g := newGroup("staff")
	g.object.Object["users"] = []any{"eve", "ada", "eve"}
	if err := g.take(); err != nil {
		t.Fatal(err)
	}
	if got := g.with([]string{"bob", "ada"}); !slices.Equal(got, []string{"ada", "bob", "eve"}) {
		t.Errorf("with more there are %v", got)
	}
	if got := g.without([]string{"eve", "zoe"}); !slices.Equal(got, []string{"ada"}) {
		t.Errorf("with fewer there are %v", got)
	}
	next, err := g.having([]string{"ada"})
	if err != nil || !slices.Equal(g.users, []string{"eve", "ada", "eve"}) {
		t.Errorf("the group itself became %v (%v)", g.users, err)
	}
	if err := next.take(); err != nil || !slices.Equal(next.users, []string{"ada"}) {
		t.Errorf("the next is %v (%v)", next.users, err)
	}
	for users, good := range map[any]bool{nil: true, "ada": false, 7: false} {
		g.object.Object["users"] = users
		if err := g.take(); (err == nil) != good || err != nil && !targets.IsRefused(err) {
			t.Errorf("users: %v: %v", users, err)
		}
	}
}

func TestGroupThatIsTooLarge(t *testing.T) {
	g := newGroup("staff")
	many := slices.Repeat([]string{strings.Repeat("x", 1000)}, 1040)
	full, err := g.having(many)
	if err != nil {
		t.Fatal(err)
	}
	more := append(slices.Clone(many), many[:10]...)
	if _, err := full.having(more); !targets.IsRefused(err) || !strings.HasPrefix(err.Error(), "Group staff has 1040 users, and would be larger") {
		t.Errorf("%v", err)
	}
	full.users = slices.Concat(more, more) // as others made it
	if _, err := full.having(more); err != nil {
		t.Errorf("people can no longer be taken out of it: %v", err)
	}
}
