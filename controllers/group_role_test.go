package controllers

import (
	"strconv"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// roles are the names of the AppRoles there are, sorted.
func (w *world) roles() []string {
	GinkgoHelper()
	var list v1alpha1.AppRoleList
	Expect(k8s.List(w.ctx, &list, client.InNamespace(w.ns))).To(Succeed())
	names := []string{}
	for _, r := range list.Items {
		names = append(names, r.Name)
	}
	return names
}

var _ = Describe("A group that the identity provider pushes where groups are roles", func() {
	var w *world
	BeforeEach(func() {
		w = newWorld()
		w.directory("okta", primary, groupsAsRoles)
	})

	It("is a role of its own, by id, whatever it is called later", func() {
		ada := w.user("okta", "ada@example.com")
		group := w.group("okta", "Field Engineers (EMEA)", ada)
		w.eventuallyAccess("ada@example.com active [field-engineers-emea]")
		role := get[v1alpha1.AppRole](w, "field-engineers-emea")
		Expect(role.Spec.GrantedTo).To(Equal([]v1alpha1.GroupSelector{{Directory: "okta", Name: group}}))
		Expect(role.Labels).To(Equal(map[string]string{v1alpha1.RoleOfGroupLabel: group}))
		Eventually(func() any { return get[v1alpha1.ScimGroup](w, group).Status.Roles }).
			Should(Equal([]string{"field-engineers-emea"}))
		change(w, group, func(g *v1alpha1.ScimGroup) { g.Spec.DisplayName = "Engineers" })
		Eventually(func() string { return get[v1alpha1.AppRole](w, "field-engineers-emea").Status.DisplayName }).
			Should(Equal("Engineers"))
		w.eventuallyReason(w.groupConditions(group), v1alpha1.ConditionReady, v1alpha1.ReasonReady)
		Consistently(func() []string { return append(w.access(), w.roles()...) }).
			Should(Equal([]string{"ada@example.com active [field-engineers-emea]", "field-engineers-emea"}))
		Expect(get[v1alpha1.AppRole](w, "field-engineers-emea").Generation).To(BeEquivalentTo(1))
		Expect(w.shown("okta")()).To(BeEmpty(), "the group is there already")
	})

	It("is the role that is called the same, if it was there before groups were roles", func() {
		w.directory("entra")
		group := w.group("entra", "ADMINISTRATORS")
		w.namedRole("admin", "Administrators")
		Eventually(w.shown("okta")).Should(HaveLen(1))
		change(w, "entra", groupsAsRoles)
		Eventually(func() any { return get[v1alpha1.ScimGroup](w, group).Spec.RoleRef }).
			Should(Equal(&v1alpha1.RoleReference{Name: "admin"}))
		Consistently(w.roles).Should(ConsistOf("admin"))
		Expect(w.shown("entra")()).To(BeEmpty())
		w.setPrimary("okta", false)
		w.setPrimary("entra", true)
		Eventually(func() any { return get[v1alpha1.ScimGroup](w, group).Status.Roles }).Should(Equal([]string{"admin"}))
	})

	It("gets a role of its own beside one that is called the same, where existing ones are not adopted", func() {
		change(w, "okta", func(d *v1alpha1.ScimDirectory) { d.Spec.Groups.Existing = v1alpha1.ExistingReject })
		w.namedRole("admin", "Administrators")
		Eventually(w.shown("okta")).Should(HaveLen(1))
		group := w.group("okta", "Administrators")
		Eventually(w.roles).Should(ConsistOf("admin", "administrators"))
		Expect(get[v1alpha1.ScimGroup](w, group).Spec.RoleRef).To(BeNil())
		Eventually(w.shown("okta")).Should(BeEmpty())
	})

	It("gets a role of another name where the name is taken", func() {
		w.namedRole("admin", "Administrators")
		group := w.group("okta", "Admin")
		name := "admin-" + group[len(group)-8:]
		Eventually(w.roles).Should(ConsistOf("admin", name))
		Eventually(func() any { return get[v1alpha1.ScimGroup](w, group).Status.Roles }).Should(Equal([]string{name}))
	})

	It("gets a role again when that was deleted by hand", func() {
		w.group("okta", "Engineers")
		Eventually(w.roles).Should(ConsistOf("engineers"))
		Expect(k8s.Delete(w.ctx, get[v1alpha1.AppRole](w, "engineers"))).To(Succeed())
		Eventually(w.roles).Should(ConsistOf("engineers"))
	})

	It("is shown to other directories as the role that it is, and that stays while one of them is linked to it", func() {
		group := w.group("okta", "Engineers", w.user("okta", "ada@example.com"))
		w.eventuallyAccess("ada@example.com active [engineers]")
		w.directory("entra", groupsAsRoles)
		Eventually(w.shown("entra")).Should(Equal([]string{"Engineers (engineers)"}))
		linked := w.mirror("entra", "engineers")
		w.link(linked, "Engineers")
		w.eventuallyReason(w.groupConditions(linked), v1alpha1.ConditionReady, v1alpha1.ReasonReady)
		Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimGroup](w, group))).To(Succeed())
		w.eventuallyAccess("ada@example.com active []")
		Consistently(w.roles).Should(ConsistOf("engineers"))
		Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimGroup](w, linked))).To(Succeed())
		Eventually(w.roles).Should(BeEmpty())
		Eventually(w.shown("entra")).Should(BeEmpty())
	})

	It("takes its role with it when it is deleted, after everybody has lost that", func() {
		ada := w.user("okta", "ada@example.com")
		group := w.group("okta", "Engineers", ada)
		w.eventuallyAccess("ada@example.com active [engineers]")
		member := watchMember(w, ada)
		roles, err := k8s.Watch(w.ctx, &v1alpha1.AppRoleList{}, client.InNamespace(w.ns))
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(roles.Stop)

		Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimGroup](w, group))).To(Succeed())
		deleted := 0
		Eventually(func() int {
			select {
			case e := <-roles.ResultChan():
				if e.Type == watch.Deleted {
					deleted = revision(e.Object.(*v1alpha1.AppRole))
				}
			default:
			}
			return deleted
		}).ShouldNot(BeZero())
		revoked := 0
		for _, m := range member() {
			if len(m.Spec.Roles) == 0 && revoked == 0 {
				revoked = revision(&m)
			}
		}
		Expect(revoked).NotTo(BeZero())
		Expect(revoked).To(BeNumerically("<", deleted))
		w.eventuallyAccess("ada@example.com active []")
	})

	It("leaves its role to those who were given it by hand", func() {
		w.localMember("local", "local@example.com")
		ada := w.user("okta", "ada@example.com")
		group := w.group("okta", "Engineers", ada)
		w.eventuallyAccess("ada@example.com active [engineers]", "local@example.com active []")
		change(w, "local", func(m *v1alpha1.AppMembership) { m.Spec.Roles = []string{"engineers"} })
		Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimGroup](w, group))).To(Succeed())
		w.eventuallyAccess("ada@example.com active []", "local@example.com active [engineers]")
		Consistently(w.roles).Should(ConsistOf("engineers"))
		change(w, "local", func(m *v1alpha1.AppMembership) { m.Spec.Roles = nil })
		Eventually(w.roles).Should(BeEmpty())
	})

	It("leaves its role to its members when the directory is deleted and they keep their access", func() {
		w.group("okta", "Engineers", w.user("okta", "ada@example.com"))
		w.eventuallyAccess("ada@example.com active [engineers]")
		Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimDirectory](w, "okta"))).To(Succeed())
		Eventually(func() any { return get[v1alpha1.ScimDirectory](w, "okta") }).Should(BeNil())
		Consistently(func() []string { return append(w.access(), w.roles()...) }).
			Should(Equal([]string{"ada@example.com active [engineers]", "engineers"}))
	})

	It("grants nothing, visibly, while its name is reserved", func() {
		ada := w.user("okta", "ada@example.com")
		group := w.group("okta", "Everyone", ada)
		w.role("viewer", "Everyone")
		w.eventuallyAccess("ada@example.com active [everyone viewer]")
		change(w, "okta", reserving("EVERYONE"))
		w.eventuallyAccess("ada@example.com active []")
		w.eventuallyReason(w.groupConditions(group), v1alpha1.ConditionReady, v1alpha1.ReasonReserved)
		w.eventuallyReason(w.groupConditions(group), v1alpha1.ConditionStalled, v1alpha1.ReasonReserved)
		Expect(get[v1alpha1.ScimGroup](w, group).Status.Roles).To(BeEmpty())
		w.eventuallyEvents(group, v1alpha1.ReasonReserved)
		other := w.group("okta", "everyone ")
		Eventually(w.roles).Should(HaveLen(3))
		change(w, other, func(g *v1alpha1.ScimGroup) { g.Spec.DisplayName = "Others" })
		change(w, group, func(g *v1alpha1.ScimGroup) { g.Spec.DisplayName = "All" })
		w.eventuallyAccess("ada@example.com active [everyone]")
	})

	It("gets no role while its name is reserved or another group's", func() {
		change(w, "okta", reserving("Everyone"))
		first := w.group("okta", "Engineers")
		w.eventuallyReason(w.groupConditions(first), v1alpha1.ConditionReady, v1alpha1.ReasonReady)
		for _, name := range []string{"Everyone", "ENGINEERS"} {
			g := w.group("okta", name)
			w.eventuallyReason(w.groupConditions(g), v1alpha1.ConditionStalled, Or(Equal(v1alpha1.ReasonReserved), Equal(v1alpha1.ReasonConflict)))
		}
		Consistently(w.roles).Should(ConsistOf("engineers"))
		Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimGroup](w, first))).To(Succeed())
		Eventually(w.roles).Should(ConsistOf(HavePrefix("engineers-")))
	})

	It("has a role before its directory is in charge, so that nobody waits for one then", func() {
		w.directory("entra", groupsAsRoles)
		w.group("entra", "Engineers", w.user("entra", "ada@example.com"))
		Eventually(w.roles).Should(ConsistOf("engineers"))
		Consistently(w.access).Should(BeEmpty())
		w.setPrimary("okta", false)
		w.setPrimary("entra", true)
		w.eventuallyAccess("ada@example.com active [engineers]")
	})
})

// revision is when, in the cluster's own order, an object became what it is.
func revision(o client.Object) int {
	GinkgoHelper()
	n, err := strconv.Atoi(o.GetResourceVersion())
	Expect(err).NotTo(HaveOccurred())
	return n
}

func TestSlugOf(t *testing.T) {
	for displayName, want := range map[string]string{
		"Admins":                  "admins",
		"  Field  Engineers (EU)": "field-engineers-eu",
		"Größe & Straße":          "grosse-strasse",
		"Élèves":                  "eleves",
		"管理者":                     "role",
		"-":                       "role",
		"R2-D2":                   "r2-d2",
	} {
		if got := slugOf(displayName); got != want {
			t.Errorf("%q becomes %q, not %q", displayName, got, want)
		}
	}
}
