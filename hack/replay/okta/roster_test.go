package okta

import (
	"testing"

	"pgregory.net/rapid"
)

func TestPeopleAreDistinct(t *testing.T) {
	names, ids := map[string]int{}, map[string]int{}
	for i := range 2000 {
		p := person(i)
		if other, taken := names[p.UserName]; taken {
			t.Fatalf("people %d and %d are both %s", other, i, p.UserName)
		}
		if other, taken := ids[p.ExternalID]; taken || len(p.ExternalID) != 20 {
			t.Fatalf("person %d has the externalId %s of %d, or one of the wrong length", i, p.ExternalID, other)
		}
		for _, c := range p.UserName {
			if c > 127 {
				t.Fatalf("userName %s is not ASCII", p.UserName)
			}
		}
		names[p.UserName], ids[p.ExternalID] = i, i
	}
}

func TestCastDealsEverythingOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		apps := rapid.IntRange(1, 2).Draw(t, "apps")
		people := rapid.IntRange(2*apps, 200).Draw(t, "people")
		groups := rapid.IntRange(0, len(plannedGroups)).Draw(t, "groups")
		names, groupNames := map[string]bool{}, map[string]bool{}
		for _, r := range cast(people, groups, apps) {
			for _, p := range r.people {
				names[p.UserName] = true
			}
			for _, g := range r.groups {
				groupNames[g.name] = true
				for _, i := range g.members {
					if d := r.people[i].Department; d != g.finalName() && g.name != administrators {
						t.Errorf("%s of %s is in the group %s", r.people[i].UserName, d, g.name)
					}
				}
			}
		}
		if len(names) != people || len(groupNames) != groups {
			t.Errorf("dealt %d people and %d groups, want %d and %d", len(names), len(groupNames), people, groups)
		}
	})
}

// An app's share holds its groups' people, or there would be nobody to show.
func TestEveryGroupHasMembers(t *testing.T) {
	for apps := 1; apps <= 2; apps++ {
		for _, r := range cast(50, 5, apps) {
			for _, g := range r.groups {
				if len(g.members) < 2 {
					t.Errorf("%d apps: %s has %d members", apps, g.name, len(g.members))
				}
			}
		}
	}
}

func TestDifference(t *testing.T) {
	for _, tt := range []struct {
		want, got string
		name      string
	}{
		{`{"a":"x"}`, `{"a":"x","b":1}`, ""},
		{`{"a":"x"}`, `{"a":"y"}`, "a"},
		{`{"a":"x"}`, `{}`, "a"},
		{`{"a":{"b":"x"}}`, `{"a":{"b":"x","c":1}}`, ""},
		{`{"a":{"b":"x"}}`, `{"a":"x"}`, "a.b"},
		{`{"a":[{"b":"x"}]}`, `{"a":[{"b":"y"}]}`, "a[0].b"},
		{`{"a":["x"]}`, `{"a":["x","y"]}`, "a"},
		{`{"a":"x"}`, `{"a":{"a":"x"}}`, "a"},
		{`{"a":null}`, `{}`, ""},
		{`{"a":true}`, `{"a":"true"}`, "a"},
	} {
		want, _ := decode([]byte(tt.want))
		got, _ := decode([]byte(tt.got))
		if name, _, _ := difference(map[string]any(want), map[string]any(got), ""); name != tt.name {
			t.Errorf("difference(%s, %s) names %q, want %q", tt.want, tt.got, name, tt.name)
		}
	}
}
