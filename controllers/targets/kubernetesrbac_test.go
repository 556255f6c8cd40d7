package targets_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// granter makes the ServiceAccount of that name, with the rules in this namespace, as account does.
func (w *world) granter(rules ...rbacv1.PolicyRule) (fail, mend func()) {
	GinkgoHelper()
	return w.account("granter", rules...)
}

// mayBind lets a ServiceAccount keep RoleBindings to the ClusterRoles admin and view.
var mayBind = []rbacv1.PolicyRule{
	{APIGroups: []string{rbacv1.GroupName}, Resources: []string{"rolebindings"}, Verbs: []string{"get", "list", "create", "update", "delete"}},
	{APIGroups: []string{rbacv1.GroupName}, Resources: []string{"clusterroles"}, Verbs: []string{"bind"}, ResourceNames: []string{"admin", "view"}},
}

// kubernetesRBAC binds the role admin to the ClusterRole admin by a binding called admins, and viewer to view.
func kubernetesRBAC(w *world) *fixture {
	GinkgoHelper()
	fail, mend := w.granter(mayBind...)
	means := map[string]string{"admin": "admin", "view": "viewer"}
	r := record(w, &rbacv1.RoleBindingList{}, func(o client.Object) (held []string, own bool) {
		b := o.(*rbacv1.RoleBinding)
		for _, s := range b.Subjects {
			if name, is := strings.CutPrefix(s.Name, "oidc:"); is {
				held = append(held, strings.TrimSuffix(name, "@example.com")+" "+means[b.RoleRef.Name])
			}
		}
		return held, b.RoleRef.Kind == "ClusterRole"
	}, client.InNamespace(w.ns))
	rbac := rbacv1.GroupName
	subject := func(name string) rbacv1.Subject {
		return rbacv1.Subject{APIGroup: rbac, Kind: rbacv1.UserKind, Name: "oidc:" + mail(name)}
	}
	roleRef := func(name string) rbacv1.RoleRef {
		return rbacv1.RoleRef{APIGroup: rbac, Kind: "ClusterRole", Name: name}
	}
	return &fixture{
		spec: v1alpha1.AppTargetSpec{
			ServiceAccountName: "granter",
			KubernetesRBAC: &v1alpha1.KubernetesRBACTarget{
				Subject: "oidc:{{ .userName }}",
				Bindings: []v1alpha1.KubernetesBinding{
					{Role: "admin", Name: "admins", RoleRef: v1alpha1.KubernetesRoleReference{Kind: "ClusterRole", Name: "admin"}},
					{Role: "viewer", RoleRef: v1alpha1.KubernetesRoleReference{Kind: "ClusterRole", Name: "view"}},
				},
			},
		},
		held: r.held, log: r.log, writes: r.writes,
		grant: func(name, _ string) {
			GinkgoHelper()
			change(w, "admins", func(b *rbacv1.RoleBinding) { b.Subjects = append(b.Subjects, subject(name)) })
		},
		revoke: func(string, string) {
			GinkgoHelper()
			Expect(k8s.Delete(w.ctx, get[rbacv1.RoleBinding](w, "admins"))).To(Succeed())
		},
		occupy: func() {
			GinkgoHelper()
			w.create(&rbacv1.RoleBinding{
				ObjectMeta: metav1.ObjectMeta{Name: "admins"}, RoleRef: roleRef("admin"), Subjects: []rbacv1.Subject{subject("ada")},
			})
		},
		fail: fail, mend: mend, failure: v1alpha1.ReasonTargetRefused,
	}
}

var _ = Describe("A kubernetesRBAC target", func() {
	var w *world
	BeforeEach(func() {
		w = newWorld()
		w.roles("admin")
		w.member("ada", "admin")
	})
	binding := func(kind, name string) v1alpha1.AppTargetSpec {
		return v1alpha1.AppTargetSpec{ServiceAccountName: "granter", KubernetesRBAC: &v1alpha1.KubernetesRBACTarget{
			Bindings: []v1alpha1.KubernetesBinding{{Role: "admin", RoleRef: v1alpha1.KubernetesRoleReference{Kind: kind, Name: name}}},
		}}
	}

	It("gives nobody what its ServiceAccount may not give", func() {
		// The namespace's owner has all rights there, and hands them to a ServiceAccount.
		w.granter(rbacv1.PolicyRule{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}})
		w.target(binding("ClusterRole", "cluster-admin"), func(s *v1alpha1.AppTargetSpec) {
			s.KubernetesRBAC.Bindings[0].ClusterWide = true
		})
		w.eventuallyReady("False TargetRefused")
		Expect(w.ready()).To(And(ContainSubstring("clusterrolebindings"), ContainSubstring("system:serviceaccount:"+w.ns+":granter")))
		var all rbacv1.ClusterRoleBindingList
		Expect(k8s.List(w.ctx, &all, client.MatchingLabels{v1alpha1.TargetNamespaceLabel: w.ns})).To(Succeed())
		Expect(all.Items).To(BeEmpty())

		By("naming another namespace")
		w.changeTarget(func(s *v1alpha1.AppTargetSpec) {
			s.KubernetesRBAC.Bindings[0].ClusterWide = false
			s.KubernetesRBAC.Bindings[0].Namespaces = []string{"kube-system"}
		})
		w.eventuallyReady("False TargetRefused")
		var others rbacv1.RoleBindingList
		Expect(k8s.List(w.ctx, &others, client.MatchingLabels{v1alpha1.TargetNamespaceLabel: w.ns})).To(Succeed())
		Expect(others.Items).To(BeEmpty())

		By("a role in the own namespace that is more than the ServiceAccount has")
		change(w, "granter", func(r *rbacv1.Role) { r.Rules = mayBind })
		w.changeTarget(func(s *v1alpha1.AppTargetSpec) {
			s.KubernetesRBAC = binding("ClusterRole", "cluster-admin").KubernetesRBAC
		})
		w.eventuallyReady("False TargetRefused")
		Expect(w.ready()).To(ContainSubstring("attempting to grant RBAC permissions not currently held"))
	})

	It("keeps Kubernetes' own users out of reach of what an identity provider sends", func() {
		w.granter(mayBind...)
		change(w, "ada", func(m *v1alpha1.AppMembership) { m.Spec.User.UserName = "system:serviceaccount:kube-system:root" })
		w.target(binding("ClusterRole", "view"))
		w.eventuallyReady("True InSync: every grant is as it should be; 1 person with a role is left out (a name that begins with system:")
		Expect(w.status().LeftOut).To(BeEquivalentTo(1))
		var all rbacv1.RoleBindingList
		Expect(k8s.List(w.ctx, &all, client.InNamespace(w.ns), client.MatchingLabels{v1alpha1.TargetLabel: "target"})).To(Succeed())
		Expect(all.Items).To(BeEmpty())
	})

	It("holds what it adopts, also when nothing in it has to be changed", func() {
		w.granter(mayBind...)
		w.create(&rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "viewers"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "view"},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: mail("ada")}},
		})
		w.target(binding("ClusterRole", "view"), func(s *v1alpha1.AppTargetSpec) {
			s.Adopt, s.KubernetesRBAC.Bindings[0].Name = true, "viewers"
		})
		w.eventuallyReady("True InSync")
		Expect(get[rbacv1.RoleBinding](w, "viewers").Labels).To(HaveKeyWithValue(v1alpha1.TargetLabel, "target"))
		Expect(get[rbacv1.RoleBinding](w, "viewers").Subjects).To(HaveLen(1))
		Expect(k8s.Delete(w.ctx, get[v1alpha1.AppTarget](w, "target"))).To(Succeed())
		Eventually(w.ready).Should(Equal("gone"))
		Expect(get[rbacv1.RoleBinding](w, "viewers")).To(BeNil())
	})

	It("takes access back in a namespace that its spec names no longer", func() {
		other := newWorld()
		w.granter(mayBind...)
		other.create(&rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "granter"}, Rules: mayBind})
		other.create(&rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "granter"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "granter"},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: w.ns, Name: "granter"}},
		})
		in := func(w *world) func() int {
			return func() int {
				var all rbacv1.RoleBindingList
				Expect(k8s.List(w.ctx, &all, client.InNamespace(w.ns), client.HasLabels{v1alpha1.TargetLabel})).To(Succeed())
				return len(all.Items)
			}
		}
		w.target(binding("ClusterRole", "view"), func(s *v1alpha1.AppTargetSpec) {
			s.KubernetesRBAC.Bindings[0].Namespaces = []string{other.ns, w.ns}
		})
		Eventually(in(other)).Should(Equal(1))
		Eventually(in(w)).Should(Equal(1))
		running.Kill()
		w.changeTarget(func(s *v1alpha1.AppTargetSpec) { s.KubernetesRBAC.Bindings[0].Namespaces = nil })
		running.Start()
		Eventually(in(other)).Should(BeZero())
		Expect(in(w)()).To(Equal(1))
	})

	It("says what is wrong with a subject, and with a ServiceAccount that is missing", func() {
		w.target(binding("ClusterRole", "view"), func(s *v1alpha1.AppTargetSpec) { s.KubernetesRBAC.Subject = "{{ range 9 }}x{{ end }}" })
		w.eventuallyReady("False InvalidSpec: \"{{ range 9 }}x{{ end }}\" does not name a person: write text around")
		w.changeTarget(func(s *v1alpha1.AppTargetSpec) { s.KubernetesRBAC.Subject = "" })
		w.eventuallyReady("False TargetRefused: list RoleBindings in namespace " + w.ns)
		Expect(w.ready()).To(ContainSubstring(`User "system:serviceaccount:` + w.ns + `:granter" cannot list`))
	})
})

var _ = Describe("The API server", func() {
	It("refuses targets that contradict themselves", func() {
		w := newWorld()
		refuse := func(message string, spec v1alpha1.AppTargetSpec) {
			GinkgoHelper()
			t := &v1alpha1.AppTarget{ObjectMeta: metav1.ObjectMeta{Name: "bad", Namespace: w.ns}, Spec: spec}
			err := k8s.Create(w.ctx, t)
			Expect(apierrors.IsInvalid(err)).To(BeTrue(), "%v", err)
			Expect(err).To(MatchError(ContainSubstring(message)))
		}
		rbac := &v1alpha1.KubernetesRBACTarget{Bindings: []v1alpha1.KubernetesBinding{
			{Role: "admin", RoleRef: v1alpha1.KubernetesRoleReference{Kind: "ClusterRole", Name: "view"}},
		}}
		refuse("set exactly one of kubernetesRBAC, argoCD, openShiftGroups, openFGA, webhook and grafana", v1alpha1.AppTargetSpec{})
		refuse("need serviceAccountName", v1alpha1.AppTargetSpec{KubernetesRBAC: rbac})
		wide := rbac.DeepCopy()
		wide.Bindings[0].ClusterWide, wide.Bindings[0].Namespaces = true, []string{"a"}
		refuse("clusterWide binds a ClusterRole and leaves out namespaces",
			v1alpha1.AppTargetSpec{ServiceAccountName: "granter", KubernetesRBAC: wide})
		refuse("adopt means nothing for a webhook", v1alpha1.AppTargetSpec{Adopt: true, Webhook: &v1alpha1.WebhookTarget{
			URL: "https://hooks.example.com", Credentials: v1alpha1.TargetSecretReference{Name: "hook"},
		}})
	})

	It("refuses control characters in what reaches a system", func() {
		w := newWorld()
		secret := v1alpha1.TargetSecretReference{Name: "s"}
		rbac := func(subject string) v1alpha1.AppTargetSpec {
			return v1alpha1.AppTargetSpec{ServiceAccountName: "granter", KubernetesRBAC: &v1alpha1.KubernetesRBACTarget{
				Subject: subject, Bindings: []v1alpha1.KubernetesBinding{{Role: "admin", RoleRef: v1alpha1.KubernetesRoleReference{Kind: "Role", Name: "a"}}},
			}}
		}
		groups := func(g v1alpha1.OpenShiftGroupsTarget) v1alpha1.AppTargetSpec {
			return v1alpha1.AppTargetSpec{ServiceAccountName: "granter", OpenShiftGroups: &g}
		}
		fga := func(url, user, relation, object string) v1alpha1.AppTargetSpec {
			return v1alpha1.AppTargetSpec{OpenFGA: &v1alpha1.OpenFGATarget{
				URL: url, User: user, StoreID: "01JZ0A1B2C3D4E5F6G7H8J9KAB",
				Tuples: []v1alpha1.OpenFGATuple{{Role: "admin", Relation: relation, Object: object}},
			}}
		}
		grafana := func(url, team string) v1alpha1.AppTargetSpec {
			return v1alpha1.AppTargetSpec{Grafana: &v1alpha1.GrafanaTarget{
				URL: url, Credentials: secret, Teams: []v1alpha1.GrafanaTeam{{Role: "admin", Team: team}},
			}}
		}
		const url, user = "https://system.example.com", "user:{{ .userName }}"
		for i, control := range []string{"", "\x00", "\x08", "\n", "\x1b", "\x7f", "\u0085"} {
			for field, spec := range map[string]v1alpha1.AppTargetSpec{
				"kubernetesRBAC.subject":         rbac("a" + control + "{{ .email }}"),
				"openShiftGroups.subject":        groups(v1alpha1.OpenShiftGroupsTarget{Subject: "a" + control + "{{ .email }}"}),
				"openShiftGroups.prefix":         groups(v1alpha1.OpenShiftGroupsTarget{Prefix: "a" + control}),
				"openShiftGroups.groups[0].name": groups(v1alpha1.OpenShiftGroupsTarget{Groups: []v1alpha1.OpenShiftGroup{{Role: "admin", Name: "a" + control}}}),
				"openFGA.url":                    fga(url+"/"+control+"a", user, "admin", "organization:acme"),
				"openFGA.user":                   fga(url, "user:"+control+"{{ .userName }}", "admin", "organization:acme"),
				"openFGA.tuples[0].relation":     fga(url, user, "admin"+control, "organization:acme"),
				"openFGA.tuples[0].object":       fga(url, user, "admin", "organization:ac"+control+"me"),
				"webhook.url":                    {Webhook: &v1alpha1.WebhookTarget{URL: url + "/" + control + "a", Credentials: secret}},
				"grafana.url":                    grafana(url+"/"+control+"a", "Admins"),
				"grafana.teams[0].team":          grafana(url, "Ad"+control+"mins"),
			} {
				t := &v1alpha1.AppTarget{ObjectMeta: metav1.ObjectMeta{GenerateName: "plain-", Namespace: w.ns}, Spec: spec}
				err := k8s.Create(w.ctx, t, client.DryRunAll)
				if i == 0 {
					Expect(err).NotTo(HaveOccurred(), field)
				} else {
					Expect(err).To(MatchError(And(ContainSubstring("spec."+field), ContainSubstring("should match"))), "%q", control)
				}
			}
		}
	})

	It("keeps the kind of a target", func() {
		w := newWorld()
		w.target(v1alpha1.AppTargetSpec{Webhook: &v1alpha1.WebhookTarget{
			URL: "https://hooks.example.com", Credentials: v1alpha1.TargetSecretReference{Name: "hook"},
		}}, func(s *v1alpha1.AppTargetSpec) { s.Mode = v1alpha1.TargetObserve })
		other := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"webhook":null,"openShiftGroups":{},"serviceAccountName":"granter"}}`))
		Expect(k8s.Patch(w.ctx, get[v1alpha1.AppTarget](w, "target"), other)).
			To(MatchError(ContainSubstring("the kind of a target cannot be changed")))
	})
})
