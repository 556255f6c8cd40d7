package controllers

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

var _ = Describe("The API server", func() {
	var w *world
	BeforeEach(func() { w = newWorld() })

	// refused expects that a write failed, and why.
	refused := func(err error, message string) {
		GinkgoHelper()
		Expect(err).To(MatchError(ContainSubstring(message)))
	}

	It("keeps a user, a group and a slice in their directory", func() {
		refusedChange(w, w.user("okta", "ada@example.com"), func(u *v1alpha1.ScimUser) { u.Spec.DirectoryRef.Name = "entra" },
			"directoryRef cannot be changed: a user stays in the directory")
		group := w.group("okta", "Staff")
		refusedChange(w, group, func(g *v1alpha1.ScimGroup) { g.Spec.DirectoryRef.Name = "entra" },
			"directoryRef cannot be changed: a group stays in the directory")
		refusedChange(w, v1alpha1.SliceName(group, "aaaaaaaa", 0), func(s *v1alpha1.ScimMemberSlice) { s.Spec.Shard = 1 },
			"directoryRef, group, epoch and shard of a slice cannot be changed")
	})

	It("changes no sealed slice", func() {
		slice := v1alpha1.SliceName(w.group("okta", "Staff"), "aaaaaaaa", 0)
		change(w, slice, func(s *v1alpha1.ScimMemberSlice) { s.Spec.Sealed = true })
		refusedChange(w, slice, func(s *v1alpha1.ScimMemberSlice) { s.Spec.Members = []string{"new"} },
			"a sealed slice takes no more changes")
	})

	It("wants a group named in exactly one way", func() {
		for _, s := range []v1alpha1.GroupSelector{{Directory: "okta"}, {DisplayName: "a", Name: "b"}} {
			role := &v1alpha1.AppRole{ObjectMeta: metav1.ObjectMeta{Name: "admin", Namespace: w.ns}}
			role.Spec.GrantedTo = []v1alpha1.GroupSelector{s}
			refused(k8s.Create(w.ctx, role), "name the group by exactly one of displayName, externalId and name")
		}
	})

	It("wants exactly one kind of target", func() {
		target := &v1alpha1.AppTarget{ObjectMeta: metav1.ObjectMeta{Name: "none", Namespace: w.ns}}
		refused(k8s.Create(w.ctx, target), "set exactly one of kubernetesRBAC, argoCD, openShiftGroups, openFGA and webhook")
	})

	It("bounds a directory's name and wants a sensible expirationTime", func() {
		d := &v1alpha1.ScimDirectory{ObjectMeta: metav1.ObjectMeta{Name: strings.Repeat("a", 64), Namespace: w.ns}}
		refused(k8s.Create(w.ctx, d), "the name of a ScimDirectory has at most 63 characters")
		d.Name = "okta"
		d.Spec.Tokens = []v1alpha1.DirectoryToken{{
			Name: "idp", SecretRef: v1alpha1.SecretReference{Name: "s"}, Scopes: []v1alpha1.TokenScope{},
			ExpirationTime: &metav1.Time{Time: noon.AddDate(-20, 0, 0)},
		}}
		refused(k8s.Create(w.ctx, d), "expirationTime must be a date such as 2030-03-31T00:00:00Z")
	})
})

// refusedChange expects that the API server refuses a change, whoever else writes the object at that time.
func refusedChange[T any, P interface {
	*T
	client.Object
}](w *world, name string, f func(P), message string) {
	GinkgoHelper()
	Eventually(func() error {
		o := get[T, P](w, name)
		f(o)
		return k8s.Update(w.ctx, o)
	}).Should(MatchError(ContainSubstring(message)))
}
