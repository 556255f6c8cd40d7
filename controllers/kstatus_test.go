package controllers

import (
	"encoding/base64"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ac "github.com/scim-operator/scim-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// computed is what kstatus says of an object as the API server shows it, in one line: "Failed: why".
func (w *world) computed(kind, name string) func() string {
	return func() string {
		GinkgoHelper()
		o := &unstructured.Unstructured{}
		o.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
		Expect(k8s.Get(w.ctx, client.ObjectKey{Namespace: w.ns, Name: name}, o)).To(Succeed())
		result, err := status.Compute(o)
		Expect(err).NotTo(HaveOccurred())
		return fmt.Sprintf("%s: %s", result.Status, result.Message)
	}
}

// webhook makes a target, with a Secret of its name.
func (w *world) webhook(name, url string, mode v1alpha1.TargetMode) {
	GinkgoHelper()
	w.create(&corev1.Secret{
		ObjectMeta: metaNamed(name), Type: v1alpha1.TargetSecretType,
		StringData: map[string]string{v1alpha1.TargetSecretSigningKey: "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32))},
	})
	w.create(&v1alpha1.AppTarget{ObjectMeta: metaNamed(name), Spec: v1alpha1.AppTargetSpec{
		Mode:    mode,
		Webhook: &v1alpha1.WebhookTarget{URL: url, Credentials: v1alpha1.TargetSecretReference{Name: name}},
	}})
}

// What waits for our objects (Flux, Argo CD by its own check, cli-utils, kubectl) must neither go on too early nor wait for
// something that does not come by itself.
var _ = Describe("What kstatus computes", func() {
	const (
		current, inProgress = "Current: ", "InProgress: "
		failed, terminating = "Failed: ", "Terminating: "
		nowhere             = "https://receiver.invalid/"
	)

	It("of every kind is InProgress until the operator has looked at what the spec says now", func() {
		w := newIsolatedWorld(unseenIsolation)
		w.newDirectory("okta", primary)
		w.webhook("hook", nowhere, v1alpha1.TargetObserve)
		w.role("admin", "Admins")
		w.localMember("local", "local@example.com")
		ada := w.user("okta", "ada@example.com")
		admins := w.group("okta", "Admins", ada)
		looked := map[string]string{ // those that come to rest here, with nothing to wait for
			"ScimDirectory": "okta", "AppRole": "admin", "AppMembership": "local", "ScimUser": ada, "ScimGroup": admins,
		}
		for kind, name := range looked {
			Expect(w.computed(kind, name)()).To(HavePrefix(inProgress), kind)
		}
		Expect(w.computed("AppTarget", "hook")()).To(HavePrefix(inProgress))
		// The SCIM server may be the first to report something.
		Expect(k8s.Status().Apply(w.ctx, ac.ScimDirectory("okta", w.ns).WithStatus(ac.ScimDirectoryStatus().
			WithLastRequestTime(metav1.Now())), client.FieldOwner("scim-operator-server"))).To(Succeed())
		Expect(w.computed("ScimDirectory", "okta")()).To(HavePrefix(inProgress))

		stop := w.operate()
		for kind, name := range looked {
			Eventually(w.computed(kind, name)).Should(HavePrefix(current), kind)
		}
		stop()
		change(w.world, "okta", func(d *v1alpha1.ScimDirectory) { d.Spec.Groups.Rename = v1alpha1.RenameIgnore })
		change(w.world, "admin", func(r *v1alpha1.AppRole) { r.Spec.DisplayName = "Administrator" })
		change(w.world, "local", func(m *v1alpha1.AppMembership) { m.Spec.Active = false })
		change(w.world, ada, func(u *v1alpha1.ScimUser) { u.Spec.Title = "Countess" })
		change(w.world, admins, func(g *v1alpha1.ScimGroup) { g.Spec.ExternalID = "00g" })
		for kind, name := range looked {
			Expect(w.computed(kind, name)()).To(HavePrefix(inProgress), kind)
		}
	})

	Describe("of a ScimDirectory", func() {
		var w *world
		BeforeEach(func() {
			w = newWorld()
			w.directory("okta", primary)
			Eventually(w.computed("ScimDirectory", "okta")).Should(HavePrefix(current))
		})

		It("is Failed while it is suspended, and kubectl does not wait for it", func() {
			change(w, "okta", func(d *v1alpha1.ScimDirectory) { d.Spec.Suspended = true })
			Eventually(w.computed("ScimDirectory", "okta")).Should(HavePrefix(failed + "spec.suspended is true"))
			out, err := w.kubectl("wait", "scimdirectory/okta", "--for=condition=Stalled", "--timeout=10s")
			Expect(err).NotTo(HaveOccurred(), out)
			change(w, "okta", func(d *v1alpha1.ScimDirectory) { d.Spec.Suspended = false })
			Eventually(w.computed("ScimDirectory", "okta")).Should(HavePrefix(current))
			out, err = w.kubectl("wait", "scimdirectory/okta", "--for=condition=Ready", "--timeout=10s")
			Expect(err).NotTo(HaveOccurred(), out)
		})

		It("is Failed while it has no token", func() {
			change(w, "okta", func(d *v1alpha1.ScimDirectory) { d.Spec.Tokens = nil })
			Eventually(w.computed("ScimDirectory", "okta")).Should(HavePrefix(failed))
		})

		It("is Failed while another one is primary in its place, and Current once that hands over", func() {
			w.directory("entra", primary)
			Eventually(w.computed("ScimDirectory", "entra")).Should(HavePrefix(failed + "ScimDirectory okta is the primary one"))
			Expect(w.computed("ScimDirectory", "okta")()).To(HavePrefix(current))
			w.setPrimary("okta", false)
			for _, name := range []string{"okta", "entra"} {
				Eventually(w.computed("ScimDirectory", name)).Should(HavePrefix(current), name)
			}
		})

		It("is Current while its safeguard holds something, which its people wait for", func() {
			change(w, "okta", guarded(1))
			w.role("admin", "Admins")
			ids, _, _ := w.staff("okta", 3)
			w.atOnce(ids, func(id string) { w.setActive(id, false) })
			Eventually(w.held("okta")).Should(Equal(3))
			Expect(w.computed("ScimDirectory", "okta")()).To(HavePrefix(current))
			Eventually(w.computed("ScimUser", ids[0])).Should(HavePrefix(inProgress))
			Expect(w.computed("AppMembership", ids[0])()).To(HavePrefix(current))
		})

		It("is Terminating while it is deleted", func() {
			change(w, "okta", func(d *v1alpha1.ScimDirectory) { d.Finalizers = append(d.Finalizers, "example.com/wait") })
			Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimDirectory](w, "okta"))).To(Succeed())
			Expect(w.computed("ScimDirectory", "okta")()).To(HavePrefix(terminating))
		})
	})

	It("of an AppRole is InProgress until its group is pushed", func() {
		w := newWorld()
		w.directory("okta", primary)
		w.role("admin", "Admins")
		Eventually(w.computed("AppRole", "admin")).Should(HavePrefix(inProgress + "not found: "))
		w.group("okta", "Admins")
		Eventually(w.computed("AppRole", "admin")).Should(HavePrefix(current))
	})

	It("of an AppRole is Failed while another one is shown under its name", func() {
		w := newWorld()
		w.directory("okta", primary, groupsAsRoles, importingAll)
		w.namedRole("alpha", "Admins")
		w.mirror("okta", "alpha")
		w.namedRole("beta", "admins")
		Eventually(w.computed("AppRole", "beta")).Should(HavePrefix(failed + "AppRole alpha is called the same"))
		Expect(w.computed("AppRole", "alpha")()).To(HavePrefix(current))
	})

	It("of a ScimUser and a ScimGroup is Failed while another one has their name", func() {
		w := newWorld()
		w.directory("okta", primary)
		for range 2 {
			w.user("okta", "ada@example.com")
			w.group("okta", "Staff")
		}
		Eventually(func() (said []string) {
			var users v1alpha1.ScimUserList
			var groups v1alpha1.ScimGroupList
			Expect(k8s.List(w.ctx, &users, client.InNamespace(w.ns))).To(Succeed())
			Expect(k8s.List(w.ctx, &groups, client.InNamespace(w.ns))).To(Succeed())
			for _, u := range users.Items {
				said = append(said, w.computed("ScimUser", u.Name)())
			}
			for _, g := range groups.Items {
				said = append(said, w.computed("ScimGroup", g.Name)())
			}
			return said
		}).Should(ContainElements(HavePrefix(failed+"ScimUser "), HavePrefix(failed+"ScimGroup ")))
	})

	It("of a ScimUser is InProgress while its directory is not the primary one", func() {
		w := newWorld()
		w.directory("okta")
		ada := w.user("okta", "ada@example.com")
		Eventually(w.computed("ScimUser", ada)).Should(HavePrefix(inProgress + "ScimDirectory okta is not the primary one"))
		w.setPrimary("okta", true)
		Eventually(w.computed("ScimUser", ada)).Should(HavePrefix(current))
	})

	It("of an AppTarget is Failed where somebody has to act, and InProgress where the operator tries again", func() {
		w := newWorld()
		w.directory("okta", primary)
		w.role("admin", "Admins")
		w.group("okta", "Admins", w.user("okta", "ada@example.com"))
		w.webhook("observing", nowhere, v1alpha1.TargetObserve)
		w.webhook("unreachable", nowhere, v1alpha1.TargetEnforce)
		w.webhook("forbidden", "https://127.0.0.1/", v1alpha1.TargetEnforce)
		Eventually(w.computed("AppTarget", "observing")).Should(HavePrefix(current))
		Eventually(w.computed("AppTarget", "unreachable")).Should(HavePrefix(inProgress + "https://receiver.invalid: "))
		Eventually(w.computed("AppTarget", "forbidden")).Should(HavePrefix(failed + "https://127.0.0.1 is not in a network that targets may reach"))
		Expect(k8s.Delete(w.ctx, get[v1alpha1.AppTarget](w, "unreachable"))).To(Succeed())
		Eventually(w.computed("AppTarget", "unreachable")).Should(HavePrefix(terminating))
	})
})
