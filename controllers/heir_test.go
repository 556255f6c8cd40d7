package controllers

import (
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

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
			scheme := runtime.NewScheme()
			if err := v1alpha1.AddToScheme(scheme); err != nil {
				t.Fatal(err)
			}
			builder := fake.NewClientBuilder().WithScheme(scheme)
			for _, i := range indexes {
				builder.WithIndex(i.kind, i.name, i.extract)
			}
			for _, m := range c.members {
				builder.WithObjects(client.Object(m))
			}
			got, err := kube{Client: builder.Build()}.heirWaits(t.Context(), c.users, "o", c.primary)
			if err != nil || got != c.want {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}
