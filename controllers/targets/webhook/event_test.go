package webhook

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestEventsTellEachChange(t *testing.T) {
	ada := known{identity: "okta/1", active: true, roles: []string{"admin", "viewer"}}
	away := known{identity: "okta/1"}
	for name, c := range map[string]struct {
		before, after known
		events        string
	}{
		"nothing":               {ada, ada, ""},
		"comes":                 {known{}, ada, "user.provisioned, role.granted admin, role.granted viewer"},
		"comes without access":  {known{}, away, "user.provisioned"},
		"is called otherwise":   {ada, known{identity: "okta/2", active: true, roles: ada.roles}, "user.updated"},
		"moves":                 {away, known{identity: "entra/1"}, "user.updated"},
		"loses a role":          {ada, known{identity: "okta/1", active: true, roles: []string{"admin"}}, "role.revoked viewer"},
		"swaps a role":          {ada, known{identity: "okta/1", active: true, roles: []string{"admin", "x"}}, "role.revoked viewer, role.granted x"},
		"leaves":                {ada, away, "role.revoked admin, role.revoked viewer, user.deactivated"},
		"leaves, renamed":       {ada, known{identity: "okta/2"}, "role.revoked admin, role.revoked viewer, user.deactivated, user.updated"},
		"comes back":            {away, ada, "user.reactivated, role.granted admin, role.granted viewer"},
		"comes back, renamed":   {away, known{identity: "okta/2", active: true}, "user.updated, user.reactivated"},
		"is gone":               {ada, known{}, "role.revoked admin, role.revoked viewer, user.deactivated, user.removed"},
		"is gone after leaving": {away, known{}, "user.removed"},
		"role comes":            {known{}, known{title: "A"}, "role.added"},
		"role is renamed":       {known{title: "A"}, known{title: "B"}, "role.renamed"},
		"role goes":             {known{title: "A"}, known{}, "role.removed"},
	} {
		t.Run(name, func(t *testing.T) {
			var words []string
			for _, e := range eventsBetween(c.before, c.after) {
				words = append(words, strings.TrimSpace(e.kind+" "+e.role))
			}
			if got := strings.Join(words, ", "); got != c.events {
				t.Errorf("got  %s\nwant %s", got, c.events)
			}
		})
	}
}

// anyKnown draws what a receiver may know, also what no target tells it.
var anyKnown = rapid.Custom(func(t *rapid.T) known {
	k := known{
		identity: rapid.SampledFrom([]string{"", "okta/1", "okta/2", "/3"}).Draw(t, "identity"),
		active:   rapid.Bool().Draw(t, "active"),
		roles:    rapid.SliceOfDistinct(rapid.SampledFrom([]string{"a", "b", "role/c", "title/d", "\n"}), func(r string) string { return r }).Draw(t, "roles"),
		title:    rapid.SampledFrom([]string{"", "A", "role/B", "active"}).Draw(t, "title"),
	}
	slices.Sort(k.roles)
	return k
})

func same(a, b known) bool { return slices.Equal(a.facts(), b.facts()) }

func TestEventsLeadFromOneStateToTheOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, after := anyKnown.Draw(t, "before"), anyKnown.Draw(t, "after")
		if !same(knownOf(before.facts()), before) {
			t.Fatalf("%v is read as %v", before, knownOf(before.facts()))
		}
		events := eventsBetween(before, after)
		at := before
		for i, e := range events {
			e.apply(&at)
			if !same(at, e.after) {
				t.Fatalf("event %d leads to %v, not to %v", i, at, e.after)
			}
			// Who goes on from here, after a crash, tells the same.
			rest := eventsBetween(knownOf(at.facts()), after)
			if len(rest) != len(events)-i-1 {
				t.Fatalf("%d events are left of %d after %d", len(rest), len(events), i+1)
			}
			for j, r := range rest {
				if o := events[i+1+j]; r.kind != o.kind || r.role != o.role || !same(r.after, o.after) {
					t.Fatalf("event %d is %s %s after a crash, and was %s %s", i+1+j, r.kind, r.role, o.kind, o.role)
				}
			}
		}
		if !same(at, after) {
			t.Fatalf("the events lead to %v, not to %v", at, after)
		}
	})
}

func TestAccessIsLostBeforeItIsGained(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gained := false
		for _, e := range eventsBetween(anyKnown.Draw(t, "before"), anyKnown.Draw(t, "after")) {
			switch e.kind {
			case roleRevoked, userDeactivated, userRemoved:
				if gained {
					t.Fatalf("%s comes after something was gained", e.kind)
				}
			case roleGranted, userReactivated:
				gained = true
			}
		}
	})
}

// FuzzFacts reads a record that somebody else wrote: what it says is read, what it does not say is not.
func FuzzFacts(f *testing.F) {
	f.Add("active\x00person/okta/1\x00role/admin")
	f.Add("title/\x00role/\x00person/\x00pending\x00")
	f.Fuzz(func(t *testing.T, record string) {
		facts := strings.Split(record, "\x00")
		k := knownOf(facts)
		for _, fact := range k.facts() {
			if !slices.Contains(facts, fact) {
				t.Errorf("%q is read out of %q", fact, facts)
			}
		}
		if again := knownOf(k.facts()); !slices.Equal(again.facts(), k.facts()) {
			t.Errorf("%q is read as %q", k.facts(), again.facts())
		}
	})
}
