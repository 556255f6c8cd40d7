package store

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// TestAncestry walks random graphs, cycles and self-membership among them, and compares with reachability by definition.
func TestAncestry(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const n = 6
		d := newIndex().directory(directoryKey{"ns", "okta"})
		// in[i] are the groups that node i is a direct member of; node n is the user.
		in := make([]map[int]bool, n+1)
		for i := range in {
			in[i] = map[int]bool{}
			for _, g := range rapid.SliceOfN(rapid.IntRange(0, n-1), 0, 3).Draw(t, "in") {
				in[i][g] = true
			}
		}
		missing := rapid.IntRange(-1, n-1).Draw(t, "incomplete")
		for g := range n {
			obj := &v1alpha1.ScimGroup{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint(g)}}
			obj.Spec.Membership = &v1alpha1.GroupMembership{Epoch: "e", Shards: 1}
			if g == missing {
				obj.Spec.Membership.Shards = 2
			}
			d.groups.put(obj)
			s := &v1alpha1.ScimMemberSlice{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.SliceName(obj.Name, "e", 0)}}
			s.Spec.Group, s.Spec.Epoch = obj.Name, "e"
			for i := range in {
				if in[i][g] {
					s.Spec.Members = append(s.Spec.Members, fmt.Sprint(i))
				}
			}
			d.putSlice(s)
		}

		direct, all := map[string]bool{}, map[string]bool{}
		wantComplete := true
		var reach func(i int)
		reach = func(i int) {
			for g := range in[i] {
				if g == missing {
					wantComplete = false
					continue
				}
				if i == n {
					direct[fmt.Sprint(g)] = true
				}
				if !all[fmt.Sprint(g)] {
					all[fmt.Sprint(g)] = true
					reach(g)
				}
			}
		}
		reach(n)

		gotDirect, gotIndirect, complete := d.ancestry(fmt.Sprint(n), n)
		if got := groupNames(gotDirect); !slices.Equal(got, slices.Sorted(maps.Keys(direct))) || complete != wantComplete {
			t.Fatalf("direct: %v, complete %v; want %v, %v", got, complete, direct, wantComplete)
		}
		maps.DeleteFunc(all, func(g string, _ bool) bool { return direct[g] })
		if got := groupNames(gotIndirect); !slices.Equal(got, slices.Sorted(maps.Keys(all))) {
			t.Fatalf("indirect: %v, want %v", got, all)
		}
		if _, few, _ := d.ancestry(fmt.Sprint(n), 1); len(few) > 1 {
			t.Fatalf("%d are returned where 1 was asked for", len(few))
		}
	})
}

func groupNames(groups []*v1alpha1.ScimGroup) []string {
	var names []string
	for _, g := range groups {
		names = append(names, g.Name)
	}
	slices.Sort(names)
	return names
}
