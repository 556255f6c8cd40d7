package controllers

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

func aMember(name, directory string) *v1alpha1.AppMembership {
	m := &v1alpha1.AppMembership{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if directory != "" {
		m.Spec.UserRef = &v1alpha1.UserReference{Directory: directory, Name: "whoever"}
	}
	return m
}

func TestDecideMembership(t *testing.T) {
	okta, going := aDirectory("okta", 1, "ah"), aDirectory("okta", 1, "ahd")
	active := &v1alpha1.ScimUser{Spec: v1alpha1.ScimUserSpec{
		DirectoryRef: v1alpha1.DirectoryReference{Name: "okta"}, UserAttributes: v1alpha1.UserAttributes{Active: true},
	}}
	idle, back := aDirectory("okta", 1, ""), aDirectory("okta", 1, "ah")
	back.Annotations = map[string]string{v1alpha1.UIDAnnotation: "former"}
	inactive := &v1alpha1.ScimUser{}
	shown := &v1alpha1.ScimUser{Spec: v1alpha1.ScimUserSpec{Origin: v1alpha1.OriginApp}}
	rejecting := aDirectory("okta", 1, "ah")
	rejecting.Spec.Users.Existing = v1alpha1.ExistingReject
	own, local := []*v1alpha1.AppMembership{aMember("id", "okta")}, []*v1alpha1.AppMembership{aMember("local", "")}
	admin := []grantingRole{{name: "admin", standings: map[string]standing{"g": inside}}}
	open := []grantingRole{{name: "admin", standings: map[string]standing{"g": unknown}}}
	byAdmins := []v1alpha1.RoleGrant{{Role: "admin", Groups: []string{"g"}}}

	for _, c := range []struct {
		name   string
		p      person
		action action
		active bool
		grants []v1alpha1.RoleGrant
		again  bool
		reason string
	}{
		{name: "member of a granting group", action: provision, active: true, grants: byAdmins, reason: "Provisioned",
			p: person{user: active, directory: &okta, primary: "okta", roles: admin, own: own}},
		{name: "inactive", action: provision, reason: "Deactivated",
			p: person{user: inactive, directory: &okta, primary: "okta", roles: admin, own: own}},
		{name: "unreadable group, role not had", action: provision, active: true, again: true, reason: "Provisioned",
			p: person{user: active, directory: &okta, primary: "okta", roles: open, own: own}},
		{name: "unreadable group, role had", action: provision, active: true, again: true, reason: "Provisioned",
			grants: []v1alpha1.RoleGrant{{Role: "admin"}},
			p:      person{user: active, directory: &okta, primary: "okta", roles: open, own: own, has: []string{"admin"}}},
		{name: "gone", action: release, p: person{directory: &okta, primary: "okta", own: own}},
		{name: "gone, with an heir", action: leave, p: person{directory: &okta, primary: "entra", own: own, heirWaits: true}},
		{name: "gone, directory too", action: release, p: person{own: own}},
		{name: "gone, directory is being deleted", action: leave, p: person{directory: &going, primary: "okta", own: own}},
		{name: "directory is being deleted", action: leave,
			p: person{user: active, directory: &going, primary: "okta", roles: admin, own: own}},
		{name: "no directory", action: release, reason: "DirectoryNotFound", p: person{user: active, own: own}},
		{name: "conflict", action: release, reason: "Conflict",
			p: person{user: active, directory: &okta, primary: "okta", conflict: "other", own: own}},
		{name: "shows a local member", action: leave,
			p: person{user: shown, directory: &okta, primary: "okta", roles: admin, own: own}},
		{name: "a local member is in the way", action: release, reason: "LocalMemberExists",
			p: person{user: active, directory: &rejecting, primary: "okta", roles: admin, free: local}},
		{name: "deactivated, a local member is in the way", action: release, reason: "LocalMemberExists",
			p: person{user: inactive, directory: &rejecting, primary: "okta", free: local}},
		{name: "a local member beside another directory's", action: provision, active: true, grants: byAdmins, reason: "Provisioned",
			p: person{user: active, directory: &rejecting, primary: "okta", roles: admin, free: append(local, aMember("e", "entra"))}},
		{name: "a member already, when a local one appears", action: provision, active: true, grants: byAdmins, reason: "Provisioned",
			p: person{user: active, directory: &rejecting, primary: "okta", roles: admin, own: own}},
		{name: "not primary", action: release, reason: "NotPrimary",
			p: person{user: active, directory: &okta, primary: "entra", own: own}},
		{name: "not primary, with an heir", action: leave, reason: "NotPrimary",
			p: person{user: active, directory: &okta, primary: "entra", own: own, heirWaits: true}},
		{name: "nobody is primary", action: release, reason: "NotPrimary",
			p: person{user: active, directory: &idle, own: own}},
		{name: "the election is under way", action: leave, p: person{user: active, directory: &okta, own: own}},
		{name: "restored, where the person had no access", action: provision, reason: "Restored",
			p: person{user: active, directory: &back, primary: "okta", roles: admin, own: own}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := decideMembership(c.p)
			if d.action != c.action || d.active != c.active || d.again != c.again || d.ready.reason != c.reason ||
				!reflect.DeepEqual(d.grants, c.grants) {
				t.Errorf("%+v", d)
			}
		})
	}
}

func TestChooseMember(t *testing.T) {
	local, local2, others, mine := aMember("a", ""), aMember("b", ""), aMember("c", "entra"), aMember("id", "okta")
	for _, c := range []struct {
		name      string
		own, free []*v1alpha1.AppMembership
		want      *v1alpha1.AppMembership
	}{
		{name: "none"},
		{"own", []*v1alpha1.AppMembership{others, mine}, nil, mine},
		{"another directory's before a local one", nil, []*v1alpha1.AppMembership{local, others}, others},
		{"the first local one", nil, []*v1alpha1.AppMembership{local2, local}, local},
	} {
		if got := chooseMember(person{id: "id", own: c.own, free: c.free}); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestFitting(t *testing.T) {
	roles := func(prefix string, n int) (names []string) {
		for i := range n {
			names = append(names, fmt.Sprintf("%s%04d", prefix, i))
		}
		return names
	}
	grants := func(names ...string) (all []v1alpha1.RoleGrant) {
		for _, name := range names {
			all = append(all, v1alpha1.RoleGrant{Role: name})
		}
		return all
	}
	for _, c := range []struct {
		name          string
		wanted        []string
		has, byOthers []string
		kept          int
		last          string
	}{
		{name: "all that fit", wanted: roles("r", 1000), kept: 1000, last: "r0999"},
		{name: "the first of too many", wanted: roles("r", 1001), kept: 1000, last: "r0999"},
		{name: "those that are there before new ones", wanted: roles("r", 1001), has: []string{"r1000"}, kept: 1000, last: "r1000"},
		{name: "beside what others granted", wanted: roles("r", 1000), byOthers: roles("x", 3), kept: 997, last: "r0996"},
		{name: "as others granted too", wanted: roles("r", 1000), byOthers: roles("r", 1000), kept: 1000, last: "r0999"},
		{name: "in the place of what goes", wanted: roles("r", 1000), has: roles("o", 1000), kept: 1000, last: "r0999"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &v1alpha1.AppMembership{Spec: v1alpha1.AppMembershipSpec{Roles: slices.Concat(c.has, c.byOthers)}}
			got := roleNames(fitting(grants(c.wanted...), c.has, m))
			if len(got) != c.kept || got[len(got)-1] != c.last || !slices.IsSorted(got) {
				t.Errorf("%d roles, the last is %s", len(got), got[len(got)-1])
			}
		})
	}
}

func TestIdentityOf(t *testing.T) {
	u := &v1alpha1.ScimUser{}
	u.Spec.UserName, u.Spec.DisplayName, u.Spec.ExternalID = "ada", "Ada", "7"
	for _, c := range []struct {
		emails []v1alpha1.MultiValue
		want   string
	}{
		{nil, ""},
		{[]v1alpha1.MultiValue{{Value: "1"}, {Value: "2"}}, "1"},
		{[]v1alpha1.MultiValue{{Value: "1", Primary: new(false)}, {Value: "2", Primary: new(true)}}, "2"},
	} {
		u.Spec.Emails = c.emails
		want := v1alpha1.MemberIdentity{UserName: "ada", DisplayName: "Ada", ExternalID: "7", Email: c.want}
		if got := identityOf(u); got != want {
			t.Errorf("%+v", got)
		}
	}
}

func TestRolesAppliedBy(t *testing.T) {
	m := &v1alpha1.AppMembership{ObjectMeta: metav1.ObjectMeta{ManagedFields: []metav1.ManagedFieldsEntry{
		managed(v1alpha1.FieldManager, "", `{"f:spec":{"f:active":{},"f:roles":{"v:\"b\"":{},"v:\"a\"":{}}}}`),
		managed(v1alpha1.FieldManager, "status", `{"f:spec":{"f:roles":{"v:\"status\"":{}}}}`),
		managed("kubectl", "", `{"f:spec":{"f:roles":{"v:\"hand\"":{}}}}`),
	}}}
	got, err := rolesAppliedBy(v1alpha1.FieldManager, m)
	if err != nil || !reflect.DeepEqual(got, []string{"a", "b"}) {
		t.Errorf("%v, %v", got, err)
	}
	m.ManagedFields[0].FieldsV1 = metav1.NewFieldsV1(`{"f:spec":`)
	if _, err := rolesAppliedBy(v1alpha1.FieldManager, m); err == nil {
		t.Error("broken managedFields are no error")
	}
}

func TestKeepOwnManagedFields(t *testing.T) {
	m := &v1alpha1.AppMembership{ObjectMeta: metav1.ObjectMeta{ManagedFields: []metav1.ManagedFieldsEntry{
		managed("kubectl", "", `{}`), managed(v1alpha1.FieldManager, "", `{}`),
		managed(v1alpha1.FieldManager, "status", `{}`), managed(v1alpha1.RetainedFieldManager, "", `{}`),
	}}}
	kept, err := keepOwnManagedFields(m)
	if err != nil || len(kept.(*v1alpha1.AppMembership).ManagedFields) != 2 {
		t.Errorf("%+v, %v", kept, err)
	}
}

func managed(manager, subresource, fields string) metav1.ManagedFieldsEntry {
	return metav1.ManagedFieldsEntry{
		Manager: manager, Operation: metav1.ManagedFieldsOperationApply, Subresource: subresource,
		FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(fields),
	}
}
