package grafana

import (
	"strings"
	"testing"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

func TestPeopleAreMatchedByOneAttribute(t *testing.T) {
	ada := targets.Person{UserName: "Ada", Email: "ADA@Example.com"}
	for subject, name := range map[v1alpha1.GrafanaSubject]string{
		v1alpha1.GrafanaByEmail: "ada@example.com", v1alpha1.GrafanaByUserName: "ada",
	} {
		s := &system{subject: subject}
		if is, err := s.subjectOf(ada); err != nil || is != name {
			t.Errorf("by %s, the subject is %q, %v", subject, is, err)
		}
		if is := s.nameOf(user{Login: "ada", Email: "Ada@example.com"}); is != name {
			t.Errorf("by %s, the user is %q", subject, is)
		}
		if _, err := s.subjectOf(targets.Person{}); err == nil || err.Error() != "no "+string(subject) {
			t.Errorf("by %s, the error is %v", subject, err)
		}
	}
}

// Nobody takes the place of a user whom Grafana does not show by what they are called, nor of a team.
func FuzzNobodyIsTakenForAnother(f *testing.F) {
	for _, seed := range []string{"User 7", "user 7", "ÜSER 7", "User 7\u0000", "\u212aser", "\xff", "İ", "Team x", ""} {
		f.Add(seed, int64(7))
	}
	f.Fuzz(func(t *testing.T, name string, id int64) {
		s := &system{subject: v1alpha1.GrafanaByUserName}
		subject, err := s.subjectOf(targets.Person{UserName: name})
		if (err == nil) != (name != "") {
			t.Fatalf("%q: %v", name, err)
		}
		if subject == nameOfUnknown(id) {
			t.Errorf("%q is taken for %q", name, subject)
		}
		if s.nameOf(user{Login: name}) != subject {
			t.Errorf("%q does not match itself", name)
		}
		if strings.HasPrefix(entitlementOf(name), entitlementOfUnknown("")) {
			t.Errorf("a team %q is taken for one that is not shown", name)
		}
	})
}
