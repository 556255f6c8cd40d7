package controllers

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

func aGroup(name, directory, displayName, externalID string) *v1alpha1.ScimGroup {
	return &v1alpha1.ScimGroup{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.ScimGroupSpec{
			DirectoryRef: v1alpha1.DirectoryReference{Name: directory}, DisplayName: displayName, ExternalID: externalID,
		},
	}
}

func TestSelects(t *testing.T) {
	g := aGroup("id", "okta", "Straße", "Ext")
	for _, c := range []struct {
		s       v1alpha1.GroupSelector
		primary string
		want    bool
	}{
		{v1alpha1.GroupSelector{DisplayName: "STRASSE"}, "okta", true},
		{v1alpha1.GroupSelector{DisplayName: "Strasse 2"}, "okta", false},
		{v1alpha1.GroupSelector{DisplayName: "STRASSE"}, "entra", false},
		{v1alpha1.GroupSelector{DisplayName: "STRASSE"}, "", false},
		{v1alpha1.GroupSelector{Directory: "okta", DisplayName: "straße"}, "entra", true},
		{v1alpha1.GroupSelector{ExternalID: "Ext"}, "okta", true},
		{v1alpha1.GroupSelector{ExternalID: "ext"}, "okta", false},
		{v1alpha1.GroupSelector{Name: "id"}, "okta", true},
		{v1alpha1.GroupSelector{Name: "other"}, "okta", false},
	} {
		if got := selects(c.s, g, c.primary); got != c.want {
			t.Errorf("%+v while %q is primary: %v", c.s, c.primary, got)
		}
	}
}

func TestRolesGrantedBy(t *testing.T) {
	roles := []v1alpha1.AppRole{
		{ObjectMeta: metav1.ObjectMeta{Name: "z"}, Spec: v1alpha1.AppRoleSpec{GrantedTo: []v1alpha1.GroupSelector{{Name: "id"}}}},
		{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Spec: v1alpha1.AppRoleSpec{GrantedTo: []v1alpha1.GroupSelector{
			{Name: "other"}, {Directory: "okta", DisplayName: "admins"}}}},
		{ObjectMeta: metav1.ObjectMeta{Name: "default"}, Spec: v1alpha1.AppRoleSpec{Default: true}},
	}
	g, okta := aGroup("id", "okta", "Admins", ""), aDirectory("okta", 1, "")
	if got := rolesGrantedBy(g, &okta, roles, "okta"); !slices.Equal(got, []string{"a", "z"}) {
		t.Errorf("primary: %v", got)
	}
	if got := rolesGrantedBy(g, &okta, roles, "entra"); got != nil {
		t.Errorf("not primary: %v", got)
	}
	g.Spec.RoleRef = &v1alpha1.RoleReference{Name: "default"}
	if got := rolesGrantedBy(g, &okta, roles, "okta"); !slices.Equal(got, []string{"a", "z"}) {
		t.Errorf("linked, while groups are groups: %v", got)
	}
	okta.Spec.Groups.Meaning = v1alpha1.GroupsAreRoles
	if got := rolesGrantedBy(g, &okta, roles, "okta"); !slices.Equal(got, []string{"a", "default", "z"}) {
		t.Errorf("linked: %v", got)
	}
	g.Spec.Origin = v1alpha1.OriginApp
	if got := rolesGrantedBy(g, &okta, roles, "okta"); got != nil {
		t.Errorf("a group that only shows a role: %v", got)
	}
}

func TestDecideGrants(t *testing.T) {
	granted := func(role string, groups ...string) grant {
		return grant{RoleGrant: v1alpha1.RoleGrant{Role: role, Groups: groups}}
	}
	got := decideGrants([]grantingRole{
		{name: "viewer", standings: map[string]standing{"g2": inside, "g1": inside, "g3": outside}},
		{name: "none", standings: map[string]standing{"g3": outside}},
		{name: "everyone", byDefault: true},
		{name: "open", standings: map[string]standing{"g4": unknown, "g3": outside}},
		{name: "sure", standings: map[string]standing{"g4": unknown, "g1": inside}},
	})
	want := []grant{
		granted("everyone"), {v1alpha1.RoleGrant{Role: "open"}, true}, granted("sure", "g1"), granted("viewer", "g1", "g2"),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	many := map[string]standing{}
	for i := range 150 {
		many[fmt.Sprintf("g%03d", i)] = inside
	}
	if n := len(decideGrants([]grantingRole{{name: "r", standings: many}})[0].Groups); n != maxGrantGroups {
		t.Errorf("%d groups are listed", n)
	}
}

func TestChangedMembers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOf(rapid.StringMatching(`[a-e]`))
		before, after := ids.Draw(t, "before"), ids.Draw(t, "after")
		gone, come := changedMembers(before, after)
		for _, id := range []string{"a", "b", "c", "d", "e"} {
			was, is := slices.Contains(before, id), slices.Contains(after, id)
			if slices.Contains(gone, id) != (was && !is) {
				t.Fatalf("%s: gone is %v", id, gone)
			}
			if !was && is && !slices.Contains(come, id) || !is && slices.Contains(come, id) {
				t.Fatalf("%s: come is %v", id, come)
			}
		}
	})
}

func TestHolds(t *testing.T) {
	for _, members := range [][]string{{"a", "b", "c"}, {"c", "a", "b"}} {
		s := &v1alpha1.ScimMemberSlice{Spec: v1alpha1.ScimMemberSliceSpec{Members: members}}
		for id, want := range map[string]bool{"a": true, "b": true, "c": true, "d": false} {
			if holds(s, id) != want {
				t.Errorf("%v holds %s: %v", members, id, !want)
			}
		}
	}
}
