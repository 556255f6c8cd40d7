package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

func TestEventsOf(t *testing.T) {
	const who = "directory okta, request r"
	many := make([]string, maxMemberEvents)
	for i := range many {
		many[i] = fmt.Sprintf("u%d", i)
	}
	names := make([]string, 40)
	for i := range names {
		names[i] = "urn:example:an-attribute"
	}
	tests := []struct {
		name   string
		change Change
		want   []string
	}{
		{"created", Change{Operation: v1alpha1.EventUserCreated, Attributes: []string{"active", "userName"}},
			[]string{"self  UserCreated: Created by " + who}},
		{"updated", Change{Operation: v1alpha1.EventUserUpdated, Attributes: []string{"name.givenName", "title"}},
			[]string{"self  UserUpdated: Updated by " + who + ": name.givenName, title"}},
		{"deleted", Change{Operation: v1alpha1.EventUserDeleted}, []string{"self  UserDeleted: Deleted by " + who}},
		{"very much", Change{Operation: v1alpha1.EventUserUpdated, Attributes: names},
			[]string{"self  UserUpdated: Updated by " + who + ": " + strings.Repeat("urn:example:an-attribute, ", 18) + "urn:example:an-attribute and 21 more"}},
		{"members only", Change{Operation: v1alpha1.EventMemberAdded, Resource: "ScimGroup/g", Attributes: []string{"members"}, MembersAdded: []string{"u1"}},
			[]string{"self u1 MemberAdded: Member u1 added by " + who, "u1 self MemberAdded: Added to ScimGroup/g by " + who}},
		{"in and out", Change{Operation: v1alpha1.EventGroupUpdated, Resource: "ScimGroup/g", Attributes: []string{"members"}, MembersAdded: []string{"u1"}, MembersRemoved: []string{"u2"}},
			[]string{"self u1 MemberAdded: Member u1 added by " + who, "u1 self MemberAdded: Added to ScimGroup/g by " + who,
				"self u2 MemberRemoved: Member u2 removed by " + who, "u2 self MemberRemoved: Removed from ScimGroup/g by " + who}},
		{"a name and members", Change{Operation: v1alpha1.EventGroupUpdated, Attributes: []string{"displayName", "members"}, MembersRemoved: []string{"gone"}},
			[]string{"self  GroupUpdated: Updated by " + who + ": displayName", "self gone MemberRemoved: Member gone removed by " + who}},
		{"a deleted group", Change{Operation: v1alpha1.EventGroupDeleted, Resource: "ScimGroup/g", MembersRemoved: []string{"u1"}},
			[]string{"self  GroupDeleted: Deleted by " + who, "self u1 MemberRemoved: Member u1 removed by " + who, "u1 self MemberRemoved: Removed from ScimGroup/g by " + who}},
		{"more than a hundred", Change{Operation: v1alpha1.EventGroupUpdated, Attributes: []string{"members"}, MembersAdded: many, MembersRemoved: []string{"u1"}},
			[]string{"self  MemberAdded: 100 members added by " + who, "self  MemberRemoved: 1 members removed by " + who}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			members := map[string]*corev1.ObjectReference{"gone": {Name: "gone"}}
			for _, id := range many {
				members[id] = &corev1.ObjectReference{Kind: kindUser, Name: id}
			}
			got := []string{}
			for _, e := range eventsOf(&test.change, &corev1.ObjectReference{Kind: kindGroup, Name: "self"}, members, who) {
				related := ""
				if e.related != nil {
					related = e.related.Name
				}
				got = append(got, e.regarding.Name+" "+related+" "+e.reason+": "+e.note)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(test.want, "\n     "))
			}
		})
	}
}

func TestOperations(t *testing.T) {
	user := func(origin v1alpha1.Origin, active bool) *v1alpha1.ScimUser {
		return &v1alpha1.ScimUser{Spec: v1alpha1.ScimUserSpec{Origin: origin, UserAttributes: v1alpha1.UserAttributes{Active: active}}}
	}
	for _, test := range []struct {
		before, after *v1alpha1.ScimUser
		back          bool
		want          string
	}{
		{nil, user("", true), false, v1alpha1.EventUserCreated},
		{nil, user("", true), true, v1alpha1.EventUserReactivated},
		{user("", true), nil, false, v1alpha1.EventUserDeleted},
		{user("", true), user("", true), false, v1alpha1.EventUserUpdated},
		{user("", true), user("", false), false, v1alpha1.EventUserDeactivated},
		{user("", false), user("", true), false, v1alpha1.EventUserReactivated},
		{user(v1alpha1.OriginApp, true), user("", false), false, v1alpha1.EventUserLinked},
	} {
		if got := userOperation(test.before, test.after, test.back); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
	group := func(origin v1alpha1.Origin) *v1alpha1.ScimGroup {
		return &v1alpha1.ScimGroup{Spec: v1alpha1.ScimGroupSpec{Origin: origin}}
	}
	some := []string{"1"}
	for _, test := range []struct {
		before, after  *v1alpha1.ScimGroup
		attributes     bool
		added, removed []string
		want           string
	}{
		{nil, group(""), true, some, nil, v1alpha1.EventGroupCreated},
		{group(""), nil, false, nil, some, v1alpha1.EventGroupDeleted},
		{group(v1alpha1.OriginApp), group(""), false, some, nil, v1alpha1.EventGroupLinked},
		{group(""), group(""), true, nil, nil, v1alpha1.EventGroupUpdated},
		{group(""), group(""), true, some, nil, v1alpha1.EventGroupUpdated},
		{group(""), group(""), false, some, some, v1alpha1.EventGroupUpdated},
		{group(""), group(""), false, some, nil, v1alpha1.EventMemberAdded},
		{group(""), group(""), false, nil, some, v1alpha1.EventMemberRemoved},
	} {
		if got := groupOperation(test.before, test.after, test.attributes, test.added, test.removed); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}
