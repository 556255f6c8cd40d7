package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// Whatever is put and removed, a table finds by key and in pages what a plain map would.
func TestTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := newTable(userKeys)
		model := map[string]*v1alpha1.ScimUser{}
		steps := rapid.IntRange(1, 60).Draw(t, "steps")
		for range steps {
			name := fmt.Sprint("u", rapid.IntRange(0, 9).Draw(t, "name"))
			if rapid.Bool().Draw(t, "remove") {
				table.remove(name)
				delete(model, name)
				continue
			}
			u := &v1alpha1.ScimUser{ObjectMeta: metav1.ObjectMeta{
				Name: name, CreationTimestamp: metav1.NewTime(time.Unix(int64(rapid.IntRange(0, 3).Draw(t, "created")), 0)),
			}}
			u.Spec.UserName = rapid.SampledFrom([]string{"Ann", "ann", "Bob"}).Draw(t, "userName")
			if rapid.Bool().Draw(t, "mirror") {
				u.Spec.Origin = v1alpha1.OriginApp
			}
			table.put(u)
			model[name] = u
		}
		var want []*v1alpha1.ScimUser
		ann := 0
		for _, u := range model {
			want = append(want, u)
			if u.Spec.UserName != "Bob" {
				ann++
			}
		}
		slices.SortFunc(want, compareCreation)
		start, count := rapid.IntRange(0, 12).Draw(t, "start"), rapid.IntRange(0, 12).Draw(t, "count")
		listed := map[v1alpha1.Importable][]*v1alpha1.ScimUser{
			v1alpha1.ImportableAll:         want,
			v1alpha1.ImportableProvisioned: slices.DeleteFunc(slices.Clone(want), isMirror),
			v1alpha1.ImportableNone:        nil,
		}
		for importable, want := range listed {
			want = want[min(start, len(want)):min(start+count, len(want))]
			if got := pageAt(table.listed(importable), start, count); !slices.Equal(got, want) {
				t.Fatalf("%s, page %d+%d: got %v, want %v", importable, start, count, got, want)
			}
		}
		pivot := &v1alpha1.ScimUser{ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprint("u", rapid.IntRange(0, 9).Draw(t, "pivot")), CreationTimestamp: metav1.NewTime(time.Unix(int64(rapid.IntRange(-1, 4).Draw(t, "after")), 0)),
		}}
		behind := slices.DeleteFunc(slices.Clone(want), func(u *v1alpha1.ScimUser) bool { return compareCreation(u, pivot) <= 0 })
		if got := pageAfter(table.order, pivot, count); !slices.Equal(got, behind[:min(count, len(behind))]) {
			t.Fatalf("%d after %s: got %v, want of %v", count, pivot.Name, got, behind)
		}
		if got := table.lookup(Key{"userName", "ANN"}); len(got) != ann {
			t.Fatalf("ANN: got %d users, want %d", len(got), ann)
		}
	})
}
