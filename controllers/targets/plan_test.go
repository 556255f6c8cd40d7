package targets

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func set(list ...string) Grants {
	s := Grants{}
	for _, l := range list {
		subject, entitlement, _ := strings.Cut(l, ":")
		s.Add(Grant{subject, entitlement})
	}
	return s
}

func TestPlan(t *testing.T) {
	for name, c := range map[string]struct {
		wanted, ours, others Grants
		blocked              string
		revocable, adopt     bool
		lines                string
	}{
		"nothing to do":                 {wanted: set("ada:admin"), ours: set("ada:admin")},
		"removals come first":           {wanted: set("ada:admin"), ours: set("bob:viewer"), lines: "- bob: viewer,+ ada: admin"},
		"neighbours are in one place":   {wanted: set("bob:a", "ada:b", "ada:a"), lines: "+ ada: a,+ bob: a,+ ada: b"},
		"what others made is left":      {wanted: set("ada:admin"), others: set("ada:admin", "eve:admin")},
		"what others made is adopted":   {wanted: set("ada:admin"), others: set("ada:admin", "eve:admin"), adopt: true, lines: "+ ada: admin"},
		"ours is taken back beside":     {ours: set("ada:admin"), others: set("ada:admin"), lines: "- ada: admin"},
		"what is blocked waits":         {wanted: set("ada:admin", "ada:viewer"), blocked: "admin", lines: "+ ada: viewer"},
		"what is blocked is not undone": {ours: set("ada:admin"), blocked: "admin"},
		"what can be undone is": {
			wanted: set("bob:admin"), ours: set("ada:admin"), blocked: "admin", revocable: true, lines: "- ada: admin",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := NewObservation()
			o.Ours, o.Others = c.ours, c.others
			if c.blocked != "" {
				o.Blocked[c.blocked] = Obstacle{Revocable: c.revocable}
			}
			p := MakePlan(Wanted{Grants: c.wanted}, o, c.adopt)
			if lines := strings.Join(p.Lines(20), ","); lines != c.lines {
				t.Errorf("the plan is %q, not %q", lines, c.lines)
			}
		})
	}
}

// What is on record but not shown is made again where it is wanted, and else taken back all the same.
func TestPlanOfWhatIsUnseen(t *testing.T) {
	o := NewObservation()
	o.Ours, o.Unseen = set("ada:admin"), set("ada:viewer", "bob:admin")
	p := MakePlan(Wanted{Grants: set("ada:admin", "ada:viewer")}, o, false)
	if lines := strings.Join(p.Lines(20), ","); lines != "- bob: admin,+ ada: viewer" {
		t.Errorf("the plan is %q", lines)
	}
	if len(o.Ours) != 1 {
		t.Errorf("planning changed what was observed: %v", o.Ours)
	}
}

func TestPlanAwaitsThoseWhomTheSystemDoesNotKnow(t *testing.T) {
	o := NewObservation()
	o.Ours, o.Others = set("eve:admin"), set("mallory:admin")
	o.Missing = func(subject string) string {
		return map[string]string{"ada": "unknown", "bob": "ambiguous", "eve": "unknown", "mallory": "unknown"}[subject]
	}
	w := Wanted{Grants: set("ada:admin", "ada:viewer", "bob:admin", "eve:admin", "mallory:admin", "zoe:admin")}
	if lines := strings.Join(MakePlan(w, o, false).Lines(20), ","); lines != "+ zoe: admin" {
		t.Errorf("the plan is %q", lines)
	}
	if n, why := awaited(w, o); n != 2 || why != "ambiguous" {
		t.Errorf("%d people are awaited (%s)", n, why)
	}
}

// Whatever is wanted and there, carrying out the plan leaves what is wanted, and everything that others made.
func TestPlanLeadsToWhatIsWanted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		some := func(label string) Grants {
			s := Grants{}
			for _, g := range rapid.SliceOfN(rapid.IntRange(0, 8), 0, 9).Draw(t, label) {
				s.Add(Grant{string(rune('a' + g%3)), string(rune('A' + g/3))})
			}
			return s
		}
		wanted, o := some("wanted"), NewObservation()
		o.Ours, o.Others = some("ours"), some("others")
		p := MakePlan(Wanted{Grants: wanted}, o, rapid.Bool().Draw(t, "adopt"))
		for _, g := range p.Revoke {
			o.Ours.remove(g)
		}
		for _, g := range p.Grant {
			o.Ours.Add(g)
		}
		for g := range wanted {
			if !o.Ours.Has(g) && !o.Others.Has(g) {
				t.Fatalf("%v is wanted and not there", g)
			}
		}
		for g := range o.Ours {
			if !wanted.Has(g) {
				t.Fatalf("%v is there, ours and not wanted", g)
			}
		}
	})
}

func TestPlanHash(t *testing.T) {
	hash := func(p Plan) string { return p.Hash() }
	a := Plan{Grant: []Grant{{"ada", "admin"}}}
	same := Plan{Grant: []Grant{{"ada", "admin"}}}
	if hash(a) != hash(same) {
		t.Error("the same plan has two hashes")
	}
	for _, other := range []Plan{
		{}, {Revoke: a.Grant}, {Grant: []Grant{{"adaa", "dmin"}}}, {Grant: []Grant{{"ada", "admin"}, {"bob", "admin"}}},
	} {
		if hash(a) == hash(other) {
			t.Errorf("%v has the same hash as %v", other, a)
		}
	}
}

func TestPlanLinesAreBounded(t *testing.T) {
	p := Plan{Grant: []Grant{{strings.Repeat("é", 2*maxLine), "x"}, {"b\x1b[2J\n", "x"}, {"c", "x"}}}
	lines := p.Lines(2)
	if len(lines) != 2 || lines[1] != "+ b�[2J�: x" || len(lines[0]) > maxLine+len("…") || !utf8.ValidString(lines[0]) {
		t.Errorf("lines: %q", lines)
	}
}
