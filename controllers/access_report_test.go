package controllers

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

func TestCompareAccess(t *testing.T) {
	by := func(role string, groups ...string) v1alpha1.RoleGrant {
		return v1alpha1.RoleGrant{Role: role, Groups: groups}
	}
	for _, c := range []struct {
		name                     string
		before, after            []v1alpha1.RoleGrant
		granted, revoked, groups []string
	}{
		{name: "nothing"},
		{name: "the same through another group", before: []v1alpha1.RoleGrant{by("admin", "g")}, after: []v1alpha1.RoleGrant{by("admin", "h")}},
		{name: "came, by default and through groups", after: []v1alpha1.RoleGrant{by("viewer", "h", "g"), by("admin")},
			granted: []string{"admin", "viewer"}, groups: []string{"g", "h"}},
		{name: "went", before: []v1alpha1.RoleGrant{by("admin", "g"), by("viewer", "h")}, after: []v1alpha1.RoleGrant{by("viewer", "h")},
			revoked: []string{"admin"}, groups: []string{"g"}},
		{name: "one for another", before: []v1alpha1.RoleGrant{by("admin", "g")}, after: []v1alpha1.RoleGrant{by("viewer", "g")},
			granted: []string{"viewer"}, revoked: []string{"admin"}, groups: []string{"g"}},
	} {
		granted, revoked, groups := accessChange{before: c.before, after: c.after}.compare()
		if !reflect.DeepEqual([][]string{granted, revoked, groups}, [][]string{c.granted, c.revoked, c.groups}) {
			t.Errorf("%s: granted %v, revoked %v, groups %v", c.name, granted, revoked, groups)
		}
	}
}

func TestRequestBehind(t *testing.T) {
	const person = "ada"
	stamp := func(o client.Object, second int, request string) client.Object {
		o.SetNamespace("ns")
		o.SetAnnotations(map[string]string{
			v1alpha1.RequestAnnotation: request, v1alpha1.LastModifiedAnnotation: noon.Add(time.Duration(second) * time.Second).Format(time.RFC3339),
		})
		return o
	}
	user := func(second int) client.Object {
		return stamp(&v1alpha1.ScimUser{ObjectMeta: metav1.ObjectMeta{Name: person}}, second, "of the user")
	}
	group := func(name string, second int) client.Object {
		g := &v1alpha1.ScimGroup{ObjectMeta: metav1.ObjectMeta{Name: name}}
		g.Spec.DirectoryRef.Name = "okta"
		g.Spec.Membership = &v1alpha1.GroupMembership{Epoch: "e", Shards: 1, Nested: name == "outer"}
		return stamp(g, second, "of "+name)
	}
	slice := func(group string, second int, groups ...string) client.Object {
		s := &v1alpha1.ScimMemberSlice{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.SliceName(group, "e", 0)}}
		s.Spec.Group, s.Spec.Groups = group, groups
		return stamp(s, second, "of the slice of "+group)
	}
	tombstone := stamp(&v1alpha1.ScimTombstone{ObjectMeta: metav1.ObjectMeta{Name: person}}, 9, "of the deletion")
	for _, c := range []struct {
		name    string
		objects []client.Object
		groups  []string
		want    string
	}{
		{"the user alone", []client.Object{user(1), group("g", 2)}, nil, "of the user"},
		{"the user after the group", []client.Object{user(3), group("g", 1), slice("g", 2)}, []string{"g"}, "of the user"},
		{"the group", []client.Object{user(1), group("g", 3), slice("g", 2)}, []string{"g"}, "of g"},
		{"the slice", []client.Object{user(1), group("g", 2), slice("g", 3)}, []string{"g"}, "of the slice of g"},
		{"the slice of a group within", []client.Object{
			user(1), group("outer", 2), slice("outer", 2, "inner"), group("inner", 2), slice("inner", 3),
		}, []string{"outer"}, "of the slice of inner"},
		{"a group that is gone", []client.Object{user(1), group("g", 2)}, []string{"g", "gone"}, ""},
		{"a user that is gone", []client.Object{tombstone, group("g", 2)}, []string{"g"}, "of the deletion"},
		{"a user that is gone without a trace", []client.Object{group("g", 2)}, []string{"g"}, ""},
	} {
		k := reading(c.objects...)
		k.live = k.Client
		got, err := k.requestBehind(t.Context(), "ns", person, c.groups)
		if err != nil || got != c.want {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
}

func TestIsNewcomer(t *testing.T) {
	past := uuid.Must(uuid.NewV7())
	id := time.Unix(past.Time().UnixTime())
	for _, c := range []struct {
		name    string
		user    string
		created time.Time
		member  string
		want    bool
	}{
		{"whom the app did not have", past.String(), id, "", true},
		{"whose member was made before a crash", past.String(), id, past.String(), true},
		{"who took a member over", past.String(), id, "local", false},
		{"within the difference of two clocks", past.String(), id.Add(9 * time.Minute), "", true},
		{"by a clock that is ahead", past.String(), id.Add(-time.Hour), "", true},
		{"who came back", past.String(), id.Add(time.Hour), "", false},
		{"with an id without a time", uuid.NewString(), id, "", true},
		{"with a name that is no id", "ada", id, "", true},
	} {
		u := &v1alpha1.ScimUser{ObjectMeta: metav1.ObjectMeta{Name: c.user, CreationTimestamp: metav1.NewTime(c.created)}}
		var member *v1alpha1.AppMembership
		if c.member != "" {
			member = aMember(c.member, "okta")
		}
		if got := isNewcomer(u, member); got != c.want {
			t.Errorf("somebody %s: %v", c.name, got)
		}
	}
}
