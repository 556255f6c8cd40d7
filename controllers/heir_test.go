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
	heir := user("e", "entra")
	for _, c := range []struct {
		name    string
		objects []client.Object
		action  action
	}{
		{"another directory is in charge, with an heir", []client.Object{user("o", "okta"), heir}, leave},
		{"the user is gone, with an heir", []client.Object{heir}, leave},
		{"without an heir", []client.Object{user("o", "okta")}, release},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := membershipReconciler{reading(append(c.objects, &okta, &entra, member)...)}
			p, err := r.look(t.Context(), "ns", "o")
			if d := decideMembership(p); err != nil || d.action != c.action {
				t.Errorf("%v, %v", d.action, err)
			}
		})
	}
}

// TestHeirWaits reads through the indexes alone: which user takes a member over is a matter of moments in a cluster.
func TestHeirWaits(t *testing.T) {
	user := func(name, directory string, marks string) *v1alpha1.ScimUser {
		d := aDirectory(name, 1, marks)
		u := &v1alpha1.ScimUser{ObjectMeta: d.ObjectMeta}
		u.Namespace, u.Spec.DirectoryRef.Name = "ns", directory
		if deleting(u) {
			u.Finalizers = []string{"example.com/held"}
		}
		return u
	}
	taken := aMember("m", "entra")
	taken.Namespace, taken.Spec.UserRef.Name = "ns", "e"
	for _, c := range []struct {
		name    string
		users   []*v1alpha1.ScimUser
		members []*v1alpha1.AppMembership
		primary string
		want    bool
	}{
		{"alone", []*v1alpha1.ScimUser{user("o", "okta", "")}, nil, "entra", false},
		{"in the directory in charge", []*v1alpha1.ScimUser{user("o", "okta", ""), user("e", "entra", "")}, nil, "entra", true},
		{"in another directory", []*v1alpha1.ScimUser{user("o", "okta", ""), user("e", "entra", "")}, nil, "third", false},
		{"that has taken over", []*v1alpha1.ScimUser{user("o", "okta", ""), user("e", "entra", "")},
			[]*v1alpha1.AppMembership{taken}, "entra", false},
		{"that is being deleted", []*v1alpha1.ScimUser{user("o", "okta", ""), user("e", "entra", "d")}, nil, "entra", false},
		{"two in conflict", []*v1alpha1.ScimUser{user("e", "entra", ""), user("f", "entra", "")}, nil, "entra", false},
		{"pushed anew", []*v1alpha1.ScimUser{user("e", "entra", "")}, nil, "entra", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var objects []client.Object
			for _, m := range c.members {
				objects = append(objects, m)
			}
			got, err := reading(objects...).heirWaits(t.Context(), c.users, "o", c.primary)
			if err != nil || got != c.want {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}
