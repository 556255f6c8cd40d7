package controllers

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// aDirectory is a directory of that name and age in seconds: "a" asks to be primary, "h" holds it, "d" is being deleted.
func aDirectory(name string, age int, marks string) v1alpha1.ScimDirectory {
	d := v1alpha1.ScimDirectory{ObjectMeta: metav1.ObjectMeta{
		Name: name, CreationTimestamp: metav1.NewTime(time.Unix(int64(1000-age), 0)),
	}}
	for _, m := range marks {
		switch m {
		case 'a':
			d.Spec.Primary = true
		case 'h':
			d.Status.Primary = true
		case 'd':
			d.DeletionTimestamp = &metav1.Time{Time: time.Unix(1000, 0)}
		}
	}
	return d
}

func TestElect(t *testing.T) {
	for _, c := range []struct {
		name string
		all  []v1alpha1.ScimDirectory
		keep bool
		want []candidacy
	}{
		{
			"the oldest that asks",
			[]v1alpha1.ScimDirectory{aDirectory("x", 1, "a"), aDirectory("y", 2, "a"), aDirectory("z", 3, "")}, false,
			[]candidacy{{false, "PrimaryConflict", "y"}, {true, "Elected", ""}, {false, "NotRequested", ""}},
		},
		{
			"of the same age, the first by name",
			[]v1alpha1.ScimDirectory{aDirectory("y", 1, "a"), aDirectory("x", 1, "a")}, false,
			[]candidacy{{false, "PrimaryConflict", "x"}, {true, "Elected", ""}},
		},
		{
			"the holder keeps it from an older one",
			[]v1alpha1.ScimDirectory{aDirectory("x", 1, "ah"), aDirectory("y", 9, "a")}, false,
			[]candidacy{{true, "Elected", ""}, {false, "PrimaryConflict", "x"}},
		},
		{
			"a holder that gave up waits for its successor",
			[]v1alpha1.ScimDirectory{aDirectory("x", 1, "h"), aDirectory("y", 1, "a")}, false,
			[]candidacy{{true, "HandingOver", "y"}, {true, "Elected", ""}},
		},
		{
			"and releases when that has taken over",
			[]v1alpha1.ScimDirectory{aDirectory("x", 1, "h"), aDirectory("y", 1, "ah")}, true,
			[]candidacy{{false, "NotRequested", ""}, {true, "Elected", ""}},
		},
		{
			"one that is being deleted hands over too",
			[]v1alpha1.ScimDirectory{aDirectory("x", 1, "ahd"), aDirectory("y", 1, "a")}, false,
			[]candidacy{{true, "HandingOver", "y"}, {true, "Elected", ""}},
		},
		{
			"nobody asks: a moment's grace",
			[]v1alpha1.ScimDirectory{aDirectory("x", 1, "h")}, true, []candidacy{{true, "HandingOver", ""}},
		},
		{
			"nobody asks: released",
			[]v1alpha1.ScimDirectory{aDirectory("x", 1, "h")}, false, []candidacy{{false, "NotRequested", ""}},
		},
		{
			"one that is being deleted is never elected",
			[]v1alpha1.ScimDirectory{aDirectory("x", 1, "ad")}, true, []candidacy{{false, "NotRequested", ""}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i := range c.all {
				if got := elect(&c.all[i], c.all, c.keep); got != c.want[i] {
					t.Errorf("%s: %+v, want %+v", c.all[i].Name, got, c.want[i])
				}
			}
		})
	}
}

// Whatever the directories ask for, once they stop changing the election settles on one, and while somebody asks there is
// never a moment without one after the first.
func TestElectionSettles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := make([]v1alpha1.ScimDirectory, rapid.IntRange(1, 4).Draw(t, "directories"))
		asked := false
		for i := range all {
			marks := rapid.SampledFrom([]string{"", "a", "h", "ah", "d", "ahd"}).Draw(t, "marks")
			all[i] = aDirectory(string(rune('a'+i)), rapid.IntRange(1, 2).Draw(t, "age"), marks)
			asked = asked || asks(&all[i])
		}
		had := inCharge(all) != ""
		for range 4 * len(all) {
			i := rapid.IntRange(0, len(all)-1).Draw(t, "reconciled")
			all[i].Status.Primary = elect(&all[i], all, false).primary
			has := inCharge(all) != ""
			if had && asked && !has {
				t.Fatalf("nobody is in charge: %+v", all)
			}
			had = has
		}
		for i := range all {
			all[i].Status.Primary = elect(&all[i], all, false).primary
		}
		for i := range all {
			all[i].Status.Primary = elect(&all[i], all, false).primary
		}
		n := 0
		for i := range all {
			if all[i].Status.Primary {
				n++
			}
		}
		if asked && n != 1 || !asked && n != 0 {
			t.Fatalf("%d are primary: %+v", n, all)
		}
	})
}

func TestHolderBefore(t *testing.T) {
	old, young, twin := aDirectory("old", 9, ""), aDirectory("young", 1, ""), aDirectory("twin", 1, "")
	going := aDirectory("going", 9, "d")
	all := []*v1alpha1.ScimDirectory{&old, &young, &twin, &going}
	for _, c := range []struct {
		of     *v1alpha1.ScimDirectory
		others []*v1alpha1.ScimDirectory
		want   string
	}{
		{&old, all, ""},
		{&young, all, "old"},
		{&young, all[1:], "twin"},
		{&twin, all[1:], "young"},
		{&young, []*v1alpha1.ScimDirectory{&young, &going}, ""},
	} {
		if got := holderBefore(c.of, c.others); got != c.want {
			t.Errorf("%s: %q, want %q", c.of.Name, got, c.want)
		}
	}
}
