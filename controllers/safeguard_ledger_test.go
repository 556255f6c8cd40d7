package controllers

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// ledgerStory is a ledger with a clock that runs in milliseconds.
type ledgerStory struct {
	*ledger
	limit   v1alpha1.Safeguard
	approve string
	active  int
	now     time.Time
}

func newLedgerStory() *ledgerStory {
	s := &ledgerStory{ledger: newLedger("uid"), active: 100, now: time.Unix(1_000_000, 0)}
	s.allow(2, 0)
	s.restore(heldReport{}, s.limit, nil, s.now)
	return s
}

func (s *ledgerStory) allow(minimum, percent int32) {
	s.limit = v1alpha1.Safeguard{Minimum: &minimum, Percent: &percent}.WithDefaults()
}

func (s *ledgerStory) pass(ms int) { s.now = s.now.Add(time.Duration(ms) * time.Millisecond) }

func (s *ledgerStory) loses(ids ...string) {
	for _, id := range ids {
		s.ask(removal{id: id, access: true}, s.now)
	}
}

func (s *ledgerStory) judged() judgement {
	j := s.judge(s.limit, s.approve, s.active, s.now)
	s.enter(s.limit, j, s.now)
	return j
}

// state says who is where.
func (s *ledgerStory) state() string {
	ids := func(keys ...string) string { slices.Sort(keys); return strings.Join(keys, "") }
	return fmt.Sprintf("waiting[%s] held[%s] released[%s] %d",
		ids(slices.Collect(maps.Keys(s.waiting))...), ids(slices.Collect(maps.Keys(s.held))...),
		ids(slices.Collect(maps.Keys(s.released))...), s.window.people)
}

func TestLedger(t *testing.T) {
	for _, c := range []struct {
		name  string
		story func(*ledgerStory)
		want  string
	}{
		{"one person waits a moment", func(s *ledgerStory) {
			s.loses("a")
			s.pass(299)
			s.judged()
		}, "waiting[a] held[] released[] 0"},
		{"one person is released, and counts", func(s *ledgerStory) {
			s.loses("a")
			s.pass(300)
			s.judged()
		}, "waiting[] held[] released[a] 1"},
		{"a batch is gathered while it grows", func(s *ledgerStory) {
			s.loses("a")
			s.pass(200)
			s.loses("b")
			s.pass(200)
			s.judged()
		}, "waiting[ab] held[] released[] 0"},
		{"but not for ever", func(s *ledgerStory) {
			for i := range 15 {
				s.loses(string(rune('a' + i)))
				s.pass(200)
			}
			s.judged()
		}, "waiting[] held[abcdefghijklmno] released[] 0"},
		{"as many as are allowed", func(s *ledgerStory) {
			s.loses("a", "b")
			s.pass(300)
			s.judged()
		}, "waiting[] held[] released[ab] 2"},
		{"one more, and all of the batch is held", func(s *ledgerStory) {
			s.loses("a", "b", "c")
			s.pass(300)
			s.judged()
		}, "waiting[] held[abc] released[] 0"},
		{"per cent of the members, rounded down", func(s *ledgerStory) {
			s.allow(1, 3)
			s.active = 133
			s.loses("a", "b", "c")
			s.pass(300)
			s.judged()
		}, "waiting[] held[] released[abc] 3"},
		{"less than that many per cent", func(s *ledgerStory) {
			s.allow(1, 3)
			s.active = 99
			s.loses("a", "b", "c")
			s.pass(300)
			s.judged()
		}, "waiting[] held[abc] released[] 0"},
		{"those of the window count", func(s *ledgerStory) {
			s.loses("a", "b")
			s.pass(300)
			s.judged()
			s.pass(20_000)
			s.loses("c", "d")
			s.pass(300)
			s.judged()
		}, "waiting[] held[cd] released[ab] 2"},
		{"not those of the window before", func(s *ledgerStory) {
			s.loses("a", "b")
			s.pass(300)
			s.judged()
			s.pass(3_600_000)
			s.loses("c", "d")
			s.pass(300)
			s.judged()
		}, "waiting[] held[] released[abcd] 2"},
		{"one person alone is never held", func(s *ledgerStory) {
			s.loses("a", "b")
			s.pass(300)
			s.judged()
			s.pass(10_000)
			s.loses("c")
			s.pass(300)
			s.judged()
		}, "waiting[] held[] released[abc] 3"},
		{"one after the other is not alone", func(s *ledgerStory) {
			for _, id := range []string{"a", "b", "c"} {
				s.loses(id)
				s.pass(300)
				s.judged()
				s.pass(9_699)
			}
		}, "waiting[] held[c] released[ab] 2"},
		{"one who came back was company", func(s *ledgerStory) {
			s.allow(1, 0)
			s.loses("a")
			s.pass(300)
			s.judged()
			s.pass(60_000)
			s.loses("b")
			s.forget("b")
			s.loses("c")
			s.pass(300)
			s.judged()
		}, "waiting[] held[c] released[a] 1"},
		{"who comes back is held no longer", func(s *ledgerStory) {
			s.loses("a", "b", "c")
			s.pass(300)
			s.judged()
			s.forget("b")
		}, "waiting[] held[ac] released[] 0"},
		{"an approval releases what is held", func(s *ledgerStory) {
			s.loses("a", "b", "c")
			s.pass(300)
			s.judged()
			s.approve = planOf(s.since, s.held)
			s.judged()
		}, "waiting[] held[] released[abc] 3"},
		{"an approval of another plan does not", func(s *ledgerStory) {
			s.loses("a", "b", "c")
			s.pass(300)
			s.judged()
			s.approve = planOf(s.since, s.held)
			s.forget("b")
			s.judged()
		}, "waiting[] held[ac] released[] 0"},
		{"an approval is of what each loses", func(s *ledgerStory) {
			s.allow(1, 0)
			s.ask(removal{id: "a", roles: []string{"admin"}}, s.now)
			s.ask(removal{id: "b", roles: []string{"admin"}}, s.now)
			s.pass(300)
			s.judged()
			s.approve = planOf(s.since, s.held)
			s.loses("a")
			s.judged()
		}, "waiting[] held[ab] released[] 0"},
		{"a wider limit releases", func(s *ledgerStory) {
			s.loses("a", "b", "c")
			s.pass(300)
			s.judged()
			s.allow(3, 0)
			s.judged()
		}, "waiting[] held[] released[abc] 3"},
		{"a new window does not", func(s *ledgerStory) {
			s.loses("a", "b")
			s.pass(300)
			s.judged()
			s.loses("c", "d")
			s.pass(300)
			s.judged()
			s.pass(3_600_000)
			s.judged()
		}, "waiting[] held[cd] released[ab] 2"},
		{"a released person who loses more is asked about again", func(s *ledgerStory) {
			s.ask(removal{id: "a", roles: []string{"admin"}}, s.now)
			s.pass(300)
			s.judged()
			s.loses("a")
		}, "waiting[a] held[] released[] 1"},
		{"what was held before a restart is held again, and judged by nobody until all are found", func(s *ledgerStory) {
			s.loses("a", "x", "y")
			s.restore(heldReport{people: 3, since: 999_000}, s.limit, []string{"a", "b", "c"}, s.now)
			s.pass(300)
			s.judged()
			s.loses("b")
		}, "waiting[xy] held[ab] released[] 0"},
		{"then the rest is judged", func(s *ledgerStory) {
			s.loses("a", "x", "y")
			s.restore(heldReport{people: 3, since: 999_000}, s.limit, []string{"a", "b", "c"}, s.now)
			s.pass(300)
			s.loses("b")
			s.forget("c")
			s.judged()
		}, "waiting[] held[ab] released[xy] 2"},
		{"and the window goes on", func(s *ledgerStory) {
			s.restore(heldReport{windowStart: s.now.Unix(), removed: 2}, s.limit, nil, s.now)
			s.loses("x", "y")
			s.pass(300)
			s.judged()
		}, "waiting[] held[xy] released[] 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newLedgerStory()
			c.story(s)
			if got := s.state(); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// TestPlanOutlastsRestart: what is held again is the same plan.
func TestPlanOutlastsRestart(t *testing.T) {
	s := newLedgerStory()
	s.loses("a", "b", "c")
	s.pass(700)
	s.judged()
	directory := &v1alpha1.ScimDirectory{ObjectMeta: metav1.ObjectMeta{Name: "okta", Namespace: "ns"}}
	before := s.report(directory)

	again := newLedgerStory()
	again.pass(60_000)
	again.restore(before, s.limit, []string{"a", "b", "c"}, again.now)
	again.loses("c", "a", "b")
	again.judged()
	if after := again.report(directory); after != before || after.plan == "" {
		t.Errorf("%+v, want %+v", after, before)
	}
}

func TestHeldMessage(t *testing.T) {
	held := map[string]removal{}
	for i := range 25 {
		id := fmt.Sprintf("id%02d", i)
		held[id] = removal{id: id, userName: strings.Repeat("é\n", 500) + id, access: true}
	}
	held["id00"] = removal{id: "id00", userName: "ada", roles: []string{"a", "b", "c", "d"}}
	d := &v1alpha1.ScimDirectory{ObjectMeta: metav1.ObjectMeta{Name: "okta", Namespace: "acme"}}
	message := heldMessage(d, held, "0123")
	for _, want := range []string{
		"25 people would lose", `"ada" (a, b, c and 1 more)`, " and 5 more. ",
		"kubectl annotate scimdirectory okta -n acme --overwrite scim-operator.io/approve=0123",
	} {
		if !strings.Contains(message, want) {
			t.Errorf("%q is not in %q", want, message)
		}
	}
	if strings.Contains(message, "\n") || len(message) > 32768 || strings.Contains(message, "changed") {
		t.Errorf("%d bytes: %q", len(message), message)
	}
	d.Annotations = map[string]string{v1alpha1.ApproveAnnotation: "4567"}
	if message := heldMessage(d, held, "0123"); !strings.HasSuffix(message, "the plan has changed") {
		t.Errorf("%q", message)
	}
}

func TestHeldChangesMetric(t *testing.T) {
	unguarded, quiet, busy := aDirectory("a", 1, ""), aDirectory("b", 1, ""), aDirectory("c", 1, "")
	quiet.Spec.Safeguard, busy.Spec.Safeguard = &v1alpha1.Safeguard{}, &v1alpha1.Safeguard{}
	busy.Status.Held = &v1alpha1.HeldChanges{People: 7}
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(heldChanges{reading(&unguarded, &quiet, &busy)}); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil || len(families) != 1 || families[0].GetName() != "scim_held_changes" {
		t.Fatalf("%v, %v", families, err)
	}
	var all []string
	for _, m := range families[0].GetMetric() {
		all = append(all, fmt.Sprint(m.GetLabel()[0].GetValue(), m.GetGauge().GetValue()))
	}
	if want := []string{"b0", "c7"}; !slices.Equal(all, want) {
		t.Errorf("%v, want %v", all, want)
	}
}
