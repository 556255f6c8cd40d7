package controllers

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

func TestDecideShowing(t *testing.T) {
	gone := &metav1.Time{Time: time.Unix(1000, 0)}
	at := func(seconds int64, g *v1alpha1.ScimGroup) *v1alpha1.ScimGroup {
		g.CreationTimestamp = metav1.NewTime(time.Unix(seconds, 0))
		return g
	}
	mirror := func(name string) *v1alpha1.ScimGroup {
		g := aGroup(name, "okta", "Admins", "")
		g.Spec.Origin, g.Spec.RoleRef = v1alpha1.OriginApp, &v1alpha1.RoleReference{Name: "admin"}
		return at(10, g)
	}
	linked := mirror("linked")
	linked.Spec.Origin = ""
	for _, c := range []struct {
		name  string
		edit  func(*scene)
		keep  string
		fresh bool
		drop  string
	}{
		{"nothing is there", func(*scene) {}, "", true, "[]"},
		{"one is there", func(s *scene) { s.groups = []*v1alpha1.ScimGroup{mirror("a")} }, "a", false, "[]"},
		{"two are there", func(s *scene) { s.groups = []*v1alpha1.ScimGroup{mirror("b"), mirror("c"), at(9, mirror("d"))} },
			"d", false, "[b c]"},
		{"one is being deleted", func(s *scene) {
			s.groups = []*v1alpha1.ScimGroup{mirror("a")}
			s.groups[0].DeletionTimestamp = gone
		}, "", true, "[]"},
		{"one is linked", func(s *scene) { s.groups = []*v1alpha1.ScimGroup{mirror("a"), linked} }, "", false, "[a]"},
		{"no role", func(s *scene) { s.role, s.groups = nil, []*v1alpha1.ScimGroup{mirror("a"), linked} }, "", false, "[a]"},
		{"the role is being deleted", func(s *scene) { s.role.DeletionTimestamp = gone }, "", false, "[]"},
		{"no directory", func(s *scene) { s.directory, s.groups = nil, []*v1alpha1.ScimGroup{mirror("a")} }, "", false, "[a]"},
		{"the directory is being deleted", func(s *scene) { s.directory.DeletionTimestamp = gone }, "", false, "[]"},
		{"groups are groups", func(s *scene) { s.directory.Spec.Groups.Meaning = "" }, "", false, "[]"},
		{"the name is reserved", func(s *scene) { s.directory.Spec.Groups.Reserved = []string{"other", "ADMINS"} }, "", false, "[]"},
		{"only the object's name is reserved", func(s *scene) { s.directory.Spec.Groups.Reserved = []string{"admin"} }, "", true, "[]"},
		{"a group has the name", func(s *scene) {
			s.groups, s.namesakes = []*v1alpha1.ScimGroup{mirror("a")}, []*v1alpha1.ScimGroup{aGroup("g", "okta", "ADMINS", "")}
		}, "", false, "[a]"},
		{"another role is shown", func(s *scene) { s.instead = "other" }, "", false, "[]"},
		{"it was made for a group of the directory", func(s *scene) {
			s.role.Labels = map[string]string{v1alpha1.RoleOfGroupLabel: "g"}
			s.role.Spec.GrantedTo = []v1alpha1.GroupSelector{{Directory: "okta", Name: "g"}}
		}, "", false, "[]"},
		{"it was made for a group of another directory", func(s *scene) {
			s.role.Labels = map[string]string{v1alpha1.RoleOfGroupLabel: "g"}
			s.role.Spec.GrantedTo = []v1alpha1.GroupSelector{{Directory: "entra", Name: "g"}}
		}, "", true, "[]"},
	} {
		okta := aDirectory("okta", 1, "")
		okta.Spec.Groups.Meaning = v1alpha1.GroupsAreRoles
		s := scene{directory: &okta, role: &v1alpha1.AppRole{
			ObjectMeta: metav1.ObjectMeta{Name: "admin"}, Spec: v1alpha1.AppRoleSpec{DisplayName: "Admins"},
		}}
		c.edit(&s)
		d := decideShowing(s)
		keep, drop := "", []string{}
		if d.keep != nil {
			keep = d.keep.Name
		}
		for _, g := range d.drop {
			drop = append(drop, g.Name)
		}
		if keep != c.keep || d.fresh != c.fresh || fmt.Sprint(drop) != c.drop {
			t.Errorf("%s: keep %q, fresh %v, drop %v", c.name, keep, d.fresh, drop)
		}
	}
}

func TestFirstCalled(t *testing.T) {
	role := func(name string, created int64) v1alpha1.AppRole {
		return v1alpha1.AppRole{ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(time.Unix(created, 0))}}
	}
	gone := role("gone", 1)
	gone.DeletionTimestamp = &metav1.Time{Time: time.Unix(1000, 0)}
	all := []v1alpha1.AppRole{role("z", 5), role("b", 6), role("a", 6), gone}
	for name, want := range map[string]string{"z": "", "b": "z", "a": "z"} {
		for i := range all {
			if got := firstCalled(&all[i], all); all[i].Name == name && got != want {
				t.Errorf("%s is shown instead of %s", got, name)
			}
		}
	}
	if got := firstCalled(&all[1], all[1:]); got != "a" {
		t.Errorf("of two of one age, %q is shown instead of b", got)
	}
	if got := firstCalled(&all[2], all[1:]); got != "" {
		t.Errorf("of two of one age, %q is shown instead of a", got)
	}
}

func TestMadeFor(t *testing.T) {
	role := &v1alpha1.AppRole{}
	role.Spec.GrantedTo = []v1alpha1.GroupSelector{{DisplayName: "x"}, {Directory: "okta", Name: "g"}}
	if directory, group := madeFor(role); directory+group != "" {
		t.Errorf("without a label: %s %s", directory, group)
	}
	role.Labels = map[string]string{v1alpha1.RoleOfGroupLabel: "g"}
	if directory, group := madeFor(role); directory != "okta" || group != "g" {
		t.Errorf("%s %s", directory, group)
	}
	role.Spec.GrantedTo = role.Spec.GrantedTo[:1]
	if directory, group := madeFor(role); directory+group != "" {
		t.Errorf("granted to other groups only: %s %s", directory, group)
	}
}

func TestSpread(t *testing.T) {
	for _, n := range []int{0, 1, 500, 501, 5000, 20000} {
		members := make([]string, n)
		for i := range members {
			members[i] = fmt.Sprintf("id-%05d", i)
		}
		parts := spread(members)
		total := 0
		for shard, part := range parts {
			total += len(part)
			for _, id := range part {
				if v1alpha1.HomeShard(id, int32(len(parts))) != int32(shard) {
					t.Fatalf("%d members: %s is in shard %d of %d", n, id, shard, len(parts))
				}
			}
			if len(part) > splitShard {
				t.Errorf("%d members: shard %d of %d has %d", n, shard, len(parts), len(part))
			}
		}
		if total != n || len(parts)&(len(parts)-1) != 0 || len(parts) > max(1, n/100) {
			t.Errorf("%d members: %d in %d shards", n, total, len(parts))
		}
	}
}
