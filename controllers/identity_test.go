package controllers

import (
	"testing"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

func TestMayTakeOver(t *testing.T) {
	member := func(directory, externalID string) *v1alpha1.AppMembership {
		m := aMember("m", directory)
		m.Spec.User.ExternalID = externalID
		return m
	}
	for _, c := range []struct {
		name       string
		externalID string
		member     *v1alpha1.AppMembership
		gone       bool
		want       bool
	}{
		{"a local one", "1", member("", ""), false, true},
		{"a local one that a directory left", "1", member("", "2"), false, true},
		{"one of this directory", "1", member("okta", "1"), false, false},
		{"one of another directory", "1", member("entra", "2"), false, true},
		{"one whose user is gone", "1", member("okta", "1"), true, true},
		{"one whose user is gone and was not known", "1", member("okta", ""), true, true},
		{"one whose user is gone, by an unknown user", "", member("okta", "1"), true, true},
		{"one whose user is gone and was another person", "1", member("okta", "2"), true, false},
		{"one whose user is gone and was another person, of another directory", "1", member("entra", "2"), true, false},
	} {
		u := &v1alpha1.ScimUser{}
		u.Spec.DirectoryRef.Name, u.Spec.ExternalID = "okta", c.externalID
		if got := mayTakeOver(u, c.member, c.gone); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestSameToAll(t *testing.T) {
	ada := &v1alpha1.MemberIdentity{UserName: "Ada", Email: "ada@example.com"}
	for _, c := range []struct {
		other v1alpha1.MemberIdentity
		want  bool
	}{
		{v1alpha1.MemberIdentity{UserName: "ADA", Email: "Ada@example.com", DisplayName: "Ada"}, true},
		{v1alpha1.MemberIdentity{UserName: "Bob", Email: "ada@example.com"}, false},
		{v1alpha1.MemberIdentity{UserName: "Ada", Email: "bob@example.com"}, false},
	} {
		if got := sameToAll(ada, &c.other); got != c.want {
			t.Errorf("%+v: %v", c.other, got)
		}
	}
}
