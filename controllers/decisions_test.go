package controllers

import (
	"reflect"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func TestJudgeTokens(t *testing.T) {
	at := func(d time.Duration) *metav1.Time { return &metav1.Time{Time: noon.Add(d)} }
	look := func(name string, expires *metav1.Time, problem string) tokenLook {
		return tokenLook{spec: v1alpha1.DirectoryToken{Name: name, ExpirationTime: expires}, problem: problem}
	}
	for _, c := range []struct {
		name   string
		looks  []tokenLook
		usable bool
		reason string
		states string
		next   *metav1.Time
	}{
		{name: "none", reason: "NoToken"},
		{name: "valid", looks: []tokenLook{look("a", nil, "")}, usable: true, reason: "TokensValid", states: "Valid"},
		{name: "the next to be warned of", usable: true, reason: "TokensValid", states: "Valid Valid", next: at(day),
			looks: []tokenLook{look("a", at(32*day), ""), look("b", at(31*day), "")}},
		{name: "expires soon", usable: true, reason: "TokenExpiringSoon", states: "Valid Valid", next: at(time.Hour),
			looks: []tokenLook{look("a", nil, ""), look("b", at(time.Hour), "")}},
		{name: "invalid, and expires soon", reason: "TokenInvalid", states: "Invalid", next: at(time.Hour),
			looks: []tokenLook{look("a", at(time.Hour), "no")}},
		{name: "expires now", reason: "TokenExpired", states: "Expired", looks: []tokenLook{look("a", at(0), "")}},
		{name: "one expired, one valid", usable: true, reason: "TokenExpired", states: "Expired Valid",
			looks: []tokenLook{look("a", at(-1), ""), look("b", nil, "")}},
		{name: "invalid before expired", reason: "TokenInvalid", states: "Invalid Expired",
			looks: []tokenLook{look("a", nil, "no"), look("b", at(-1), "")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := judgeTokens(c.looks, noon)
			var states []string
			for _, s := range v.tokens {
				states = append(states, string(s.State))
			}
			if v.usable != c.usable || v.condition.reason != c.reason || strings.Join(states, " ") != c.states ||
				v.condition.is != (c.reason == "TokensValid" || c.reason == "TokenExpiringSoon") {
				t.Errorf("%+v", v)
			}
			if c.next == nil != v.next.IsZero() || c.next != nil && !v.next.Equal(c.next.Time) {
				t.Errorf("next at %v", v.next)
			}
		})
	}
}

func TestLeftovers(t *testing.T) {
	slice := func(epoch string, age time.Duration) v1alpha1.ScimMemberSlice {
		return v1alpha1.ScimMemberSlice{
			ObjectMeta: metav1.ObjectMeta{Name: epoch, CreationTimestamp: metav1.NewTime(noon.Add(-age))},
			Spec:       v1alpha1.ScimMemberSliceSpec{Epoch: epoch},
		}
	}
	all := []v1alpha1.ScimMemberSlice{slice("named", time.Hour), slice("old", 10*time.Minute), slice("young", 9*time.Minute)}
	named := &v1alpha1.ScimGroup{Spec: v1alpha1.ScimGroupSpec{Membership: &v1alpha1.GroupMembership{Epoch: "named"}}}
	for _, c := range []struct {
		name string
		g    *v1alpha1.ScimGroup
		want []string
	}{
		{"a group", named, []string{"old"}},
		{"a group without members", &v1alpha1.ScimGroup{}, []string{"named", "old"}},
		{"no group", nil, []string{"named", "old"}},
	} {
		due, next := leftovers(c.g, all, noon, 10*time.Minute)
		var names []string
		for _, s := range due {
			names = append(names, s.Name)
		}
		if !reflect.DeepEqual(names, c.want) || next != time.Minute {
			t.Errorf("%s: %v, next in %v", c.name, names, next)
		}
	}
}

func TestDeriveConditions(t *testing.T) {
	bad := readiness{progress: stalled, reason: "Bad", message: "mend it"}
	first := deriveConditions(nil, 1, noon, bad, condition{"Primary", true, "Elected", ""})
	if len(first) != 3 || first[0].Type != "Ready" || first[2].Type != "Stalled" || first[2].Status != "True" {
		t.Fatalf("%+v", first)
	}
	second := deriveConditions(first, 2, noon.Add(time.Hour), bad)
	if !second[0].LastTransitionTime.Time.Equal(noon) || second[0].ObservedGeneration != 2 {
		t.Errorf("the same status must keep its time: %+v", second[0])
	}
	good := deriveConditions(second, 2, noon.Add(time.Hour), readiness{ready: true, reason: "Ready"})
	if len(good) != 1 || !good[0].LastTransitionTime.Time.Equal(noon.Add(time.Hour)) {
		t.Errorf("%+v", good)
	}
}

func TestSameConditions(t *testing.T) {
	base := deriveConditions(nil, 1, noon, readiness{ready: true, reason: "Ready", message: "fine"})
	foreign := append([]metav1.Condition{{Type: "Others"}}, base...)
	if !sameConditions(foreign, base) {
		t.Error("a condition of others makes a difference")
	}
	for name, other := range map[string][]metav1.Condition{
		"reason":     deriveConditions(base, 1, noon, readiness{ready: true, reason: "Other", message: "fine"}),
		"message":    deriveConditions(base, 1, noon, readiness{ready: true, reason: "Ready", message: "well"}),
		"generation": deriveConditions(base, 2, noon, readiness{ready: true, reason: "Ready", message: "fine"}),
		"status":     deriveConditions(base, 1, noon, readiness{reason: "Ready", message: "fine"}),
		"one more":   deriveConditions(base, 1, noon, readiness{ready: true, progress: stalled, reason: "Ready", message: "fine"}),
		"one less":   nil,
	} {
		if sameConditions(base, other) {
			t.Errorf("%s makes no difference", name)
		}
	}
}

func TestIndexes(t *testing.T) {
	user := &v1alpha1.ScimUser{}
	user.Spec.DirectoryRef.Name, user.Spec.UserName = "okta", "ADA"
	user.Spec.Emails = []v1alpha1.MultiValue{{Value: "ada@Example.com"}}
	shown, tombstone := &v1alpha1.ScimUser{}, &v1alpha1.ScimTombstone{}
	shown.Spec = mirrorSpec(aMember("m", ""), "okta")
	tombstone.Spec.DirectoryRef.Name = "okta"
	group := aGroup("g", "okta", "Admins", "")
	group2 := aGroup("g", "okta", "Admins", "Ext")
	group2.Spec.RoleRef = &v1alpha1.RoleReference{Name: "admin"}
	role, role2 := &v1alpha1.AppRole{}, &v1alpha1.AppRole{}
	role.Name = "Admin"
	role2.Spec.DisplayName, role2.Labels = "VIEWER", map[string]string{v1alpha1.RoleOfGroupLabel: "g"}
	slice := &v1alpha1.ScimMemberSlice{}
	slice.Spec.DirectoryRef.Name, slice.Spec.Group = "okta", "g"
	local, managed := aMember("l", ""), aMember("m", "okta")
	local.Spec.User.UserName, local.Spec.Roles = "Ada", []string{"admin"}
	managed.Spec.User.UserName, managed.Spec.User.Email = "Bob", "BOB@example.com"
	managed.Spec.Active, managed.Spec.Roles = true, []string{"admin", "viewer"}
	directory := aDirectory("d", 1, "")
	directory.Spec.Tokens = []v1alpha1.DirectoryToken{{SecretRef: v1alpha1.SecretReference{Name: "s"}}}

	got := map[string][]string{}
	for _, i := range indexes {
		for name, o := range map[string]client.Object{
			"user": user, "shown": shown, "tombstone": tombstone, "role": role, "role2": role2, "group": group, "group2": group2, "slice": slice, "local": local, "managed": managed, "directory": &directory,
		} {
			if reflect.TypeOf(o) == reflect.TypeOf(i.kind) {
				got[name+" "+i.name] = i.extract(o)
			}
		}
	}
	want := map[string][]string{
		"user directory": {"okta"}, "user userName": {"okta/ada"}, "user member": nil,
		"shown directory": {"okta"}, "shown userName": {"okta/"}, "shown email": {"okta/"}, "shown member": {"m"},
		"tombstone directory": {"okta"}, "user email": {"okta/ada@example.com"},
		"group directory": {"okta"}, "group displayName": {"okta/admins"}, "group externalId": nil, "group role": nil,
		"role displayName": {"admin"}, "role group": nil, "role2 displayName": {"viewer"}, "role2 group": {"g"},
		"group2 directory": {"okta"}, "group2 displayName": {"okta/admins"}, "group2 externalId": {"okta/Ext"},
		"group2 role":     {"admin"},
		"slice directory": {"okta"}, "slice group": {"g"},
		"local directory": nil, "local user": nil, "local userName": {"ada"}, "local email": {"ada"}, "local activeRole": nil,
		"managed directory": {"okta"}, "managed user": {"whoever"}, "managed userName": {"bob"}, "managed email": {"bob@example.com"},
		"managed activeRole": {"admin", "viewer"},
		"directory secret":   {"s"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestRoleReadiness(t *testing.T) {
	missing := make([]v1alpha1.GroupSelector, 12)
	for i := range missing {
		missing[i].Name = "id"
	}
	for _, c := range []struct {
		missing []v1alpha1.GroupSelector
		primary string
		want    string
	}{
		{nil, "", "every group in grantedTo exists"},
		{[]v1alpha1.GroupSelector{{DisplayName: "A"}}, "", `the group with displayName "A" in the primary directory, of which there is none`},
		{[]v1alpha1.GroupSelector{{ExternalID: "E", Directory: "entra"}}, "okta", `the group with externalId "E" in ScimDirectory entra`},
		{missing, "okta", "and 2 more"},
	} {
		got := roleReadiness(roleView{missing: c.missing, primary: c.primary})
		if !strings.Contains(got.message, c.want) || got.ready != (c.missing == nil) {
			t.Errorf("%+v, want %q", got, c.want)
		}
	}
}

func TestSooner(t *testing.T) {
	for _, c := range [][3]time.Duration{{0, 0, 0}, {0, 2, 2}, {1, 0, 1}, {1, 2, 1}, {2, 1, 1}} {
		if got := sooner(c[0], c[1]); got != c[2] {
			t.Errorf("sooner(%d, %d) = %d", c[0], c[1], got)
		}
	}
}
