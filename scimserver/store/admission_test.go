package store

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

func TestAllowedDomains(t *testing.T) {
	p := policyOf(&v1alpha1.ScimDirectory{Spec: v1alpha1.ScimDirectorySpec{Users: v1alpha1.UsersPolicy{
		AllowedDomains: []string{"example.com", "kiosk.example.org"},
	}}})
	for identifier, allowed := range map[string]bool{
		"ada@example.com":             true,
		"Ada@EXAMPLE.com":             true,
		"ada+x@kiosk.example.org":     true,
		"ada":                         false,
		"":                            false,
		"@example.com":                false,
		"ada@":                        false,
		"ada@sub.example.com":         false,
		"ada@example.com.evil.org":    false,
		"ada@evil-example.com":        false,
		"ada@evil.org@example.com":    false,
		"ada@example.com@evil.org":    false,
		"ada@example.com ":            false,
		"ada@example.com\x00":         false,
		"ada@example.com.":            false,
		"ada@\u212Aiosk.example.org":  false, // the Kelvin sign
		"ada@kio\u017Fk.example.org":  false, // the long s
		"ada@ｅxample.com":             false,
		"ada\uFF20example.com":        false, // another @
		"ada@example.com,@kiosk.evil": false,
	} {
		u := &v1alpha1.ScimUser{}
		u.Spec.UserName = identifier
		if err := checkDomain(p, u); (err == nil) != allowed {
			t.Errorf("%q: got %v, want allowed: %v", identifier, err, allowed)
		}
	}
}

func TestCheckChange(t *testing.T) {
	p := policyOf(&v1alpha1.ScimDirectory{Spec: v1alpha1.ScimDirectorySpec{Users: v1alpha1.UsersPolicy{
		AllowedDomains: []string{"example.com"},
	}}})
	user := func(userName string, active bool, origin v1alpha1.Origin) *v1alpha1.ScimUser {
		u := &v1alpha1.ScimUser{}
		u.Spec.UserName, u.Spec.Active, u.Spec.Origin = userName, active, origin
		return u
	}
	const in, out = "ada@example.com", "ada@evil.org"
	for name, c := range map[string]struct {
		old, next *v1alpha1.ScimUser
		allowed   bool
	}{
		"nothing that matters":              {user(out, true, ""), user(out, true, ""), true},
		"the same in other case":            {user(out, true, ""), user("ADA@evil.org", true, ""), true},
		"into the domain":                   {user(out, true, ""), user(in, true, ""), true},
		"out of the domain":                 {user(in, true, ""), user(out, true, ""), false},
		"out of the domain and deactivated": {user(in, true, ""), user(out, false, ""), true},
		"deactivated":                       {user(out, true, ""), user(out, false, ""), true},
		"reactivated":                       {user(out, false, ""), user(out, true, ""), false},
		"still inactive":                    {user(out, false, ""), user(out, false, ""), true},
		"another while inactive":            {user(in, false, ""), user(out, false, ""), false},
		"taken over":                        {user(out, true, v1alpha1.OriginApp), user(out, true, ""), false},
		"taken over to be deactivated":      {user(out, true, v1alpha1.OriginApp), user(out, false, ""), true},
	} {
		if err := checkChange(p, c.old, c.next); (err == nil) != c.allowed {
			t.Errorf("%s: got %v, want allowed: %v", name, err, c.allowed)
		}
	}
}

func TestRemembers(t *testing.T) {
	deleted := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	const ttl = time.Hour
	for name, c := range map[string]struct {
		had, has string // hashes of the externalId
		age      time.Duration
		same     bool
	}{
		"at once":                 {"", "", 0, true},
		"just in time":            {"a", "a", ttl - time.Second, true},
		"too late":                {"a", "a", ttl, false},
		"another externalId":      {"a", "b", 0, false},
		"an externalId only now":  {"", "b", 0, true},
		"an externalId only then": {"a", "", 0, true},
	} {
		tombstone := &v1alpha1.ScimTombstone{Spec: v1alpha1.ScimTombstoneSpec{
			ExternalIDSHA256: c.had, DeletionTime: metav1.NewTime(deleted),
		}}
		sought := v1alpha1.ScimTombstoneSpec{ExternalIDSHA256: c.has, DeletionTime: metav1.NewTime(deleted.Add(c.age))}
		if got := remembers(tombstone, sought, ttl); got != c.same {
			t.Errorf("%s: got %v, want %v", name, got, c.same)
		}
	}
}
