package webhook

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/scim-operator/scim-operator/controllers/targets"
)

func TestSnapshotsAreDue(t *testing.T) {
	noon := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	last := entryOfSnapshot{at: noon, to: "a", asked: "x"}
	at := func(after time.Duration, to, asked string) entryOfSnapshot {
		return entryOfSnapshot{at: noon.Add(after), to: to, asked: asked}
	}
	for name, c := range map[string]struct {
		last, now entryOfSnapshot
		every     time.Duration
		due       bool
	}{
		"the first":                   {entryOfSnapshot{}, at(0, "a", ""), time.Hour, true},
		"the first, if never":         {entryOfSnapshot{}, at(0, "a", ""), 0, false},
		"just sent":                   {last, at(time.Minute, "a", "x"), time.Hour, false},
		"an interval later":           {last, at(time.Hour, "a", "x"), time.Hour, true},
		"long later, if never":        {last, at(9999*time.Hour, "a", "x"), 0, false},
		"asked for":                   {last, at(time.Minute, "a", "y"), time.Hour, true},
		"asked for, if never":         {last, at(time.Minute, "a", "y"), 0, true},
		"no longer asked for":         {last, at(time.Minute, "a", ""), time.Hour, false},
		"another receiver":            {last, at(time.Minute, "b", "x"), time.Hour, true},
		"another receiver, if never":  {last, at(time.Minute, "b", "x"), 0, false},
		"the clock was set back":      {last, at(-time.Hour, "a", "x"), time.Hour, false},
		"a record that says nonsense": {readSnapshot([]string{"at/nonsense", "to/a", "asked/x"}), at(0, "a", "x"), time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := due(c.last, c.now, c.every); got != c.due {
				t.Errorf("due is %v", got)
			}
		})
	}
	if again := readSnapshot(last.facts()); again != last {
		t.Errorf("%v is read as %v", last, again)
	}
}

func TestPagesAreBounded(t *testing.T) {
	crowd := func(n int, name string) []targets.Person {
		people := make([]targets.Person, n)
		for i := range people {
			people[i] = targets.Person{ID: fmt.Sprint(i), UserName: name}
		}
		return people
	}
	long := strings.Repeat("é", 4096)
	for name, c := range map[string]struct {
		people []targets.Person
		pages  int
	}{
		"nobody":         {nil, 1},
		"one page":       {crowd(500, "x"), 1},
		"one more":       {crowd(501, "x"), 2},
		"5,000":          {crowd(5000, "x"), 10},
		"with long ones": {crowd(500, long), 8},
	} {
		t.Run(name, func(t *testing.T) {
			pages := pagesOf(c.people)
			if len(pages) != c.pages {
				t.Errorf("%d pages", len(pages))
			}
			n := 0
			for _, p := range pages {
				for _, told := range p {
					if told.ID != c.people[n].ID {
						t.Fatalf("%s comes after %d others", told.ID, n)
					}
					n++
				}
			}
			if n != len(c.people) {
				t.Errorf("%d of %d people", n, len(c.people))
			}
		})
	}
}
