package targets_test

import (
	"context"
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

var openShiftGroup = schema.GroupVersionKind{Group: "user.openshift.io", Version: "v1", Kind: "Group"}

// serveGroups lets the cluster serve Groups as OpenShift does, and returns when it does.
func serveGroups(ctx context.Context) {
	GinkgoHelper()
	installation.Apply(ctx, "controllers/targets/testdata/groups.user.openshift.io.yaml")
	Eventually(func() error { return k8s.List(ctx, groupList()) }).Should(Succeed())
}

func groupList() *unstructured.UnstructuredList {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(openShiftGroup.GroupVersion().WithKind("GroupList"))
	return list
}

// groupNamed is a Group with users.
func groupNamed(name string, users ...string) *unstructured.Unstructured {
	g := &unstructured.Unstructured{Object: map[string]any{}}
	g.SetGroupVersionKind(openShiftGroup)
	g.SetName(name)
	Expect(unstructured.SetNestedStringSlice(g.Object, users, "users")).To(Succeed())
	return g
}

// group reads a Group of the cluster, or nil.
func (w *world) group(name string) *unstructured.Unstructured {
	GinkgoHelper()
	g := groupNamed(name)
	err := k8s.Get(w.ctx, client.ObjectKey{Name: name}, g)
	if apierrors.IsNotFound(err) {
		return nil
	}
	Expect(err).NotTo(HaveOccurred())
	return g
}

func usersOf(g *unstructured.Unstructured) []string {
	GinkgoHelper()
	if g == nil {
		return nil
	}
	users, _, err := unstructured.NestedStringSlice(g.Object, "users")
	Expect(err).NotTo(HaveOccurred())
	return users
}

// setUsers changes a Group as somebody else would.
func (w *world) setUsers(name string, users ...string) {
	GinkgoHelper()
	Eventually(func() error {
		g := w.group(name)
		Expect(unstructured.SetNestedStringSlice(g.Object, users, "users")).To(Succeed())
		return k8s.Update(w.ctx, g)
	}).Should(Succeed())
}

// mayGroup lets a ServiceAccount keep Groups, without a look at others.
var mayGroup = rbacv1.PolicyRule{
	APIGroups: []string{openShiftGroup.Group}, Resources: []string{"groups"}, Verbs: []string{"get", "create", "update", "delete"},
}

// grouper makes a ServiceAccount that may keep Groups. Groups outlive the namespace, and so does its ClusterRole.
func (w *world) grouper(rules ...rbacv1.PolicyRule) (fail, mend func()) {
	GinkgoHelper()
	w.create(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "grouper"}})
	name := w.ns + "-grouper"
	Expect(k8s.Create(w.ctx, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules})).To(Succeed())
	mend = func() {
		GinkgoHelper()
		Expect(k8s.Create(w.ctx, &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: w.ns, Name: "grouper"}},
		})).To(Succeed())
	}
	mend()
	return func() {
		GinkgoHelper()
		binding := &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: name}}
		Expect(k8s.Delete(w.ctx, binding)).To(Succeed())
	}, mend
}

// openShiftGroups has a Group for each role, whose names begin with the namespace's, because Groups are the cluster's.
func openShiftGroups(w *world) *fixture {
	GinkgoHelper()
	fail, mend := w.grouper(mayGroup)
	admins := w.ns + "-admin"
	r := record(w, groupList(), func(o client.Object) (held []string, own bool) {
		role, own := strings.CutPrefix(o.GetName(), w.ns+"-")
		for _, user := range usersOf(o.(*unstructured.Unstructured)) {
			held = append(held, strings.TrimSuffix(user, "@example.com")+" "+role)
		}
		return held, own
	})
	return &fixture{
		spec: v1alpha1.AppTargetSpec{
			ServiceAccountName: "grouper",
			OpenShiftGroups:    &v1alpha1.OpenShiftGroupsTarget{Prefix: w.ns + "-"},
		},
		held: r.held, log: r.log, writes: r.writes,
		grant: func(name, _ string) {
			GinkgoHelper()
			w.setUsers(admins, append(usersOf(w.group(admins)), mail(name))...)
		},
		revoke: func(string, string) {
			GinkgoHelper()
			Expect(k8s.Delete(w.ctx, w.group(admins))).To(Succeed())
		},
		occupy: func() {
			GinkgoHelper()
			Expect(k8s.Create(w.ctx, groupNamed(admins, mail("ada")))).To(Succeed())
		},
		fail: fail, mend: mend, failure: v1alpha1.ReasonTargetRefused,
	}
}

var _ = Describe("An openShiftGroups target", func() {
	var w *world
	BeforeEach(func() {
		w = newWorld()
		w.roles("admin", "viewer")
		w.grouper(mayGroup)
	})
	groups := func(edit func(*v1alpha1.OpenShiftGroupsTarget)) v1alpha1.AppTargetSpec {
		spec := v1alpha1.AppTargetSpec{
			ServiceAccountName: "grouper", OpenShiftGroups: &v1alpha1.OpenShiftGroupsTarget{Prefix: w.ns + "-"},
		}
		if edit != nil {
			edit(spec.OpenShiftGroups)
		}
		return spec
	}
	in := func(name string) func() []string {
		return func() []string {
			GinkgoHelper()
			return usersOf(w.group(w.ns + name))
		}
	}

	It("has one Group for two roles that mean the same, and no Group without users", func() {
		w.member("ada", "admin", "viewer")
		w.member("bob", "viewer")
		w.target(groups(func(g *v1alpha1.OpenShiftGroupsTarget) {
			g.Groups = []v1alpha1.OpenShiftGroup{{Role: "admin", Name: w.ns + "-staff"}, {Role: "viewer", Name: w.ns + "-staff"}}
		}))
		Eventually(in("-staff")).Should(Equal([]string{mail("ada"), mail("bob")}))
		w.eventuallyReady("True InSync")
		Expect(w.status().Grants).To(BeEquivalentTo(2))
		Expect(w.group(w.ns + "-staff").GetLabels()).To(Equal(map[string]string{
			v1alpha1.TargetNamespaceLabel: w.ns, v1alpha1.TargetLabel: "target",
		}))
		w.setRoles("ada", "viewer")
		Consistently(in("-staff")).Should(HaveLen(2))
		w.setActive("ada", false)
		w.setActive("bob", false)
		Eventually(func() any { return w.group(w.ns + "-staff") }).Should(BeNil())
	})

	It("takes access back in Groups that its spec names no longer", func() {
		w.member("ada", "admin")
		w.target(groups(nil))
		Eventually(in("-admin")).Should(HaveLen(1))
		running.Kill()
		w.changeTarget(func(s *v1alpha1.AppTargetSpec) { s.OpenShiftGroups.Prefix = w.ns + "-other-" })
		running.Start()
		Eventually(in("-other-admin")).Should(HaveLen(1))
		Eventually(func() any { return w.group(w.ns + "-admin") }).Should(BeNil())
	})

	It("takes back what stood in a Group that it took over, though it was what is wanted", func() {
		Expect(k8s.Create(w.ctx, groupNamed(w.ns+"-admin", mail("ada")))).To(Succeed())
		w.member("ada", "admin")
		w.target(groups(nil), func(s *v1alpha1.AppTargetSpec) { s.Adopt = true })
		w.eventuallyReady("True InSync")
		Expect(w.group(w.ns + "-admin").GetLabels()).To(HaveKeyWithValue(v1alpha1.TargetLabel, "target"))
		Expect(k8s.Delete(w.ctx, get[v1alpha1.AppTarget](w, "target"))).To(Succeed())
		Eventually(w.ready).Should(Equal("gone"))
		Expect(w.group(w.ns + "-admin")).To(BeNil())
	})

	It("leaves out names that OpenShift does not accept", func() {
		for i, name := range []string{"system:admin", "kube:admin", "a/b", "50%", "..", ".", "~"} {
			w.member(fmt.Sprintf("m%d", i), "admin")
			change(w, fmt.Sprintf("m%d", i), func(m *v1alpha1.AppMembership) { m.Spec.User.UserName = name })
		}
		odd := "Zoë \"z\", O'Neil\n#*"
		w.member("zoe", "admin")
		change(w, "zoe", func(m *v1alpha1.AppMembership) { m.Spec.User.UserName = odd })
		w.target(groups(nil))
		w.eventuallyReady("True InSync: every grant is as it should be; 7 people with a role are left out (a name that OpenShift does not accept")
		Expect(in("-admin")()).To(Equal([]string{odd}))
	})

	It("says which Group cannot be called so", func() {
		w.target(groups(func(g *v1alpha1.OpenShiftGroupsTarget) {
			g.Groups = []v1alpha1.OpenShiftGroup{{Role: "admin", Name: "~"}}
		}))
		w.eventuallyReady(`False InvalidSpec: groups: the Group of role admin is called "~", a name that OpenShift does not accept`)
		bad := &v1alpha1.AppTarget{ObjectMeta: metav1.ObjectMeta{Name: "bad", Namespace: w.ns}}
		bad.Spec = groups(func(g *v1alpha1.OpenShiftGroupsTarget) { g.Prefix = "system:" })
		Expect(k8s.Create(w.ctx, bad)).To(MatchError(And(ContainSubstring("prefix"), ContainSubstring("should match"))))
	})

	It("says when a Group has become too large", func() {
		long := strings.Repeat("x", 1000)
		for i := range 1060 {
			m := &v1alpha1.AppMembership{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("p%04d", i)}}
			m.Spec.User.UserName = fmt.Sprintf("p%04d-%s", i, long)
			m.Spec.Active, m.Spec.Roles = true, []string{"admin"}
			w.create(m)
		}
		w.member("eve", "viewer")
		w.target(groups(nil))
		Eventually(in("-viewer"), "60s").Should(HaveLen(1))
		w.eventuallyReady("False TargetRefused: Group " + w.ns + "-admin has 1000 users, and would be larger than the API server stores with 60 more")
		By("fewer people")
		for i := range 30 {
			w.setActive(fmt.Sprintf("p%04d", i), false)
		}
		w.eventuallyReady("True InSync")
		Expect(in("-admin")()).To(HaveLen(1030))
	})

	It("waits for a cluster that does not serve Groups", func() {
		w.member("ada", "admin")
		w.target(groups(nil))
		Eventually(in("-admin")).Should(HaveLen(1))
		crd := &unstructured.Unstructured{}
		crd.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
		crd.SetName("groups.user.openshift.io")
		DeferCleanup(serveGroups)
		Expect(k8s.Delete(w.ctx, crd)).To(Succeed())
		w.eventuallyReady("False TargetUnreachable: the cluster does not serve Groups of user.openshift.io/v1")

		By("an operator that never saw one")
		running.Kill()
		w.member("bob", "admin")
		w.changeTarget(func(s *v1alpha1.AppTargetSpec) { s.Roles = []string{"admin"} })
		running.Start()
		w.eventuallyReady("False TargetUnreachable: the cluster does not serve Groups of user.openshift.io/v1")
		Expect(k8s.Delete(w.ctx, get[v1alpha1.AppTarget](w, "target"))).To(Succeed())
		w.eventuallyReady("False TargetUnreachable: the target is being deleted: the cluster does not serve Groups")

		By("a cluster that serves them again")
		Eventually(func() error { return k8s.Get(w.ctx, client.ObjectKeyFromObject(crd), crd) }).Should(Satisfy(apierrors.IsNotFound))
		serveGroups(w.ctx)
		Eventually(w.ready).Should(Equal("gone"))
		w.target(groups(nil))
		Eventually(func() []string { return slices.Sorted(slices.Values(in("-admin")())) }).Should(Equal([]string{mail("ada"), mail("bob")}))
	})
})
