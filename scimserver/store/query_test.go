package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// library is a directory in memory that random resources come to and leave.
type library struct {
	*Directory
	made int
}

func newLibrary() *library {
	return &library{Directory: newStore(nil, Options{}).Directory("n", "d")}
}

// add puts a user or a group at a random place in the order of creation.
func (l *library) add(t *rapid.T) {
	l.made++
	at := metav1.ObjectMeta{
		Name:              fmt.Sprint(rapid.SampledFrom([]string{"a", "m", "z"}).Draw(t, "initial"), l.made),
		CreationTimestamp: metav1.NewTime(time.Unix(int64(rapid.IntRange(0, 3).Draw(t, "created")), 0)),
	}
	name := rapid.SampledFrom([]string{"", "x", "y", "z"}).Draw(t, "displayName")
	ix := l.store.index.directory(l.key)
	if rapid.Bool().Draw(t, "group") {
		g := &v1alpha1.ScimGroup{ObjectMeta: at}
		g.Spec.DisplayName = name
		ix.groups.put(g)
		return
	}
	u := &v1alpha1.ScimUser{ObjectMeta: at}
	u.Spec.DisplayName = name
	ix.users.put(u)
}

func (l *library) drop(id string) {
	ix := l.store.index.directory(l.key)
	ix.users.remove(id)
	ix.groups.remove(id)
}

func randomQuery(t *rapid.T) Query {
	var q Query
	if rapid.Bool().Draw(t, "users") {
		q.Users = &UserQuery{}
	}
	if rapid.Bool().Draw(t, "groups") {
		q.Groups = &GroupQuery{}
	}
	if q.Users != nil && rapid.Bool().Draw(t, "filtered") {
		q.Users.Match = func(u *User) bool { return u.DisplayName != "y" }
	}
	if q.Groups != nil && rapid.Bool().Draw(t, "filtered") {
		q.Groups.Match = func(g *Group) bool { return g.DisplayName != "x" }
	}
	if rapid.Bool().Draw(t, "sorted") {
		q.Compare = func(a, b string) int { return strings.Compare(b, a) }
		if q.Users != nil {
			q.Users.SortKey = func(u *User) string { return u.DisplayName }
		}
		if q.Groups != nil {
			q.Groups.SortKey = func(g *Group) string { return g.DisplayName }
		}
	}
	return q
}

// naive is what the query must list, worked out in the simplest way.
func (l *library) naive(q Query) (ids []string) {
	type item struct {
		key, id string
		group   int
		created time.Time
	}
	var items []item
	for _, u := range l.store.index.directory(l.key).users.byName {
		view := userOf(u)
		if q.Users != nil && (q.Users.Match == nil || q.Users.Match(&view)) {
			items = append(items, item{u.Spec.DisplayName, u.Name, 0, u.CreationTimestamp.Time})
		}
	}
	for _, g := range l.store.index.directory(l.key).groups.byName {
		if q.Groups != nil && (q.Groups.Match == nil || q.Groups.Match(new(l.groupOf(g)))) {
			items = append(items, item{g.Spec.DisplayName, g.Name, 1, g.CreationTimestamp.Time})
		}
	}
	slices.SortFunc(items, func(a, b item) int { return strings.Compare(a.id, b.id) })
	slices.SortStableFunc(items, func(a, b item) int { return a.created.Compare(b.created) })
	slices.SortStableFunc(items, func(a, b item) int { return a.group - b.group })
	if q.Compare != nil {
		slices.SortStableFunc(items, func(a, b item) int { return q.Compare(a.key, b.key) })
	}
	for _, i := range items {
		ids = append(ids, i.id)
	}
	return ids
}

func (l *library) page(t *rapid.T, q Query) (ids []string, p *Page) {
	p, err := l.List(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	for i := range p.Len() {
		ids = append(ids, p.ID(i))
	}
	return ids, p
}

// Whatever is selected and sorted, a page is a part of the list, and it is known whether more follows.
func TestPagesAreTheList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLibrary()
		for range rapid.IntRange(0, 12).Draw(t, "resources") {
			l.add(t)
		}
		q := randomQuery(t)
		q.Start, q.Count = rapid.IntRange(0, 13).Draw(t, "start"), rapid.IntRange(0, 13).Draw(t, "count")
		want := l.naive(q)
		end := min(q.Start+q.Count, len(want))
		got, p := l.page(t, q)
		if !slices.Equal(got, want[min(q.Start, len(want)):end]) || p.Total != len(want) {
			t.Fatalf("%v of %d, want %d+%d of %v", got, p.Total, q.Start, q.Count, want)
		}
		if (p.Last != nil) != (len(got) > 0 && end < len(want)) {
			t.Fatalf("the last position of %v is %v, and all are %v", got, p.Last, want)
		}
	})
}

// Whatever comes and goes between the pages, going on behind the last position shows what is there all the time once and
// in order, and nothing twice.
func TestPagesByPositionAreStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLibrary()
		for range rapid.IntRange(0, 12).Draw(t, "resources") {
			l.add(t)
		}
		q := randomQuery(t)
		q.Count = rapid.IntRange(1, 4).Draw(t, "count")
		lasting := l.naive(q)
		var seen []string
		for {
			got, p := l.page(t, q)
			seen = append(seen, got...)
			if q.After = p.Last; q.After == nil {
				break
			}
			for range rapid.IntRange(0, 2).Draw(t, "added") {
				if l.made < 40 {
					l.add(t)
				}
			}
			if all := l.naive(q); len(all) > 0 && rapid.Bool().Draw(t, "drop") {
				gone := rapid.SampledFrom(all).Draw(t, "gone")
				l.drop(gone)
				lasting = slices.DeleteFunc(lasting, func(id string) bool { return id == gone })
			}
		}
		if sorted := slices.Compact(slices.Sorted(slices.Values(seen))); len(sorted) != len(seen) {
			t.Fatalf("something is there twice: %v", seen)
		}
		kept := slices.DeleteFunc(slices.Clone(seen), func(id string) bool { return !slices.Contains(lasting, id) })
		if !slices.Equal(kept, lasting) {
			t.Fatalf("saw %v, of which %v were there all the time", seen, lasting)
		}
	})
}
