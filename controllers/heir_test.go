package controllers

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// reading is a kube that shows the objects through the indexes.
func reading(objects ...client.Object) kube {
	scheme := runtime.NewScheme()
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	builder := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...)
	for _, i := range indexes {
		builder.WithIndex(i.kind, i.name, i.extract)
	}
	return kube{Client: builder.Build()}
}

// TestLookFindsTheHeir: while the directory in charge has another user of the same userName without a member, the one who
// is losing theirs leaves it to that user.
func TestLookFindsTheHeir(t *testing.T) {
	user := func(name, directory string) *v1alpha1.ScimUser {
		u := &v1alpha1.ScimUser{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}}
		u.Spec.DirectoryRef.Name, u.Spec.UserName, u.Spec.Active = directory, "ada@example.com", true
		return u
	}
	okta, entra := aDirectory("okta", 2, ""), aDirectory("entra", 1, "ah")
	okta.Namespace, entra.Namespace = "ns", "ns"
	member := aMember("o", "okta")
	member.Namespace, member.Spec.UserRef.Name, member.Spec.User.UserName = "ns", "o", "Ada@example.com"
	member.Spec.User.ExternalID = "ada"
	heir, newcomer := user("e", "entra"), user("e", "entra")
	newcomer.Spec.ExternalID = "another ada"
	for _, c := range []struct {
		name    string
		objects []client.Object
		action  action
	}{
		{"another directory is in charge, with an heir", []client.Object{user("o", "okta"), heir}, leave},
		{"the user is gone, with an heir", []client.Object{heir}, leave},
		{"without an heir", []client.Object{user("o", "okta")}, release},
		{"the user is gone, and the newcomer is somebody else", []client.Object{newcomer}, release},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := membershipReconciler{kube: reading(append(c.objects, &okta, &entra, member)...)}
			p, err := r.look(t.Context(), "ns", "o")
			if d := decideMembership(p); err != nil || d.action != c.action {
				t.Errorf("%v, %v", d.action, err)
			}
		})
	}
}

// TestHeirWaits reads through the indexes alone: which user takes a member over is a matter of moments in a cluster.
func TestHeirWaits(t *testing.T) {
	user := func(name, directory, marks, userName, email string) *v1alpha1.ScimUser {
		d := aDirectory(name, 1, marks)
		u := &v1alpha1.ScimUser{ObjectMeta: d.ObjectMeta}
		u.Namespace, u.Spec.DirectoryRef.Name, u.Spec.UserName = "ns", directory, userName
		u.Spec.Emails = []v1alpha1.MultiValue{{Value: email}}
		if deleting(u) {
			u.Finalizers = []string{"example.com/held"}
		}
		return u
	}
	member := func(directory, user, userName string) *v1alpha1.AppMembership {
		m := aMember("m", directory)
		m.Namespace, m.Spec.User.UserName = "ns", userName
		if m.Spec.UserRef != nil {
			m.Spec.UserRef.Name = user
		}
		return m
	}
	here := user("o", "okta", "", "Ada", "Ada@example.com")
	heir := user("e", "entra", "", "ada", "ada@work.example.com")
	byMail := user("e", "entra", "", "lovelace", "ada@EXAMPLE.com")
	shown := user("e", "entra", "", "ada", "ada@example.com")
	shown.Spec.Origin = v1alpha1.OriginApp
	email := v1alpha1.UsersPolicy{Identifier: v1alpha1.IdentifierEmail}
	reject := v1alpha1.UsersPolicy{Existing: v1alpha1.ExistingReject}
	for _, c := range []struct {
		name    string
		policy  v1alpha1.UsersPolicy
		objects []client.Object
		want    bool
	}{
		{"alone", v1alpha1.UsersPolicy{}, []client.Object{here}, false},
		{"in the directory in charge", v1alpha1.UsersPolicy{}, []client.Object{here, heir}, true},
		{"in another directory", v1alpha1.UsersPolicy{}, []client.Object{here, user("e", "third", "", "ada", "")}, false},
		{"that has taken over", v1alpha1.UsersPolicy{}, []client.Object{here, heir, member("entra", "e", "ada")}, false},
		{"that is being deleted", v1alpha1.UsersPolicy{}, []client.Object{here, user("e", "entra", "d", "ada", "")}, false},
		{"two in conflict", v1alpha1.UsersPolicy{}, []client.Object{heir, user("f", "entra", "", "ADA", "")}, false},
		{"pushed anew", v1alpha1.UsersPolicy{}, []client.Object{heir}, true},
		{"that shows a local member", v1alpha1.UsersPolicy{}, []client.Object{here, shown}, false},
		{"of another userName", v1alpha1.UsersPolicy{}, []client.Object{here, byMail}, false},
		{"of the same e-mail address", email, []client.Object{here, byMail}, true},
		{"of another e-mail address", email, []client.Object{here, heir}, false},
		{"of the same e-mail address, with a userName in conflict", email,
			[]client.Object{here, byMail, user("f", "entra", "", "Lovelace", "f@example.com")}, false},
		{"that a local member keeps out", reject, []client.Object{here, heir, member("", "", "ada")}, false},
		{"beside a local member", v1alpha1.UsersPolicy{}, []client.Object{here, heir, member("", "", "ada")}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			entra := aDirectory("entra", 1, "ah")
			entra.Namespace, entra.Spec.Users = "ns", c.policy
			k := reading(append(c.objects, &entra)...)
			heirs, err := k.heirs(t.Context(), &entra, &here.Spec)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := k.heirWaits(t.Context(), &entra, heirs, "o"); err != nil || got != c.want {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}
