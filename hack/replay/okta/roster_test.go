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
