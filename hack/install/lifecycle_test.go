package install

import (
	"context"
	"os/exec"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

var _ = Describe("An installation", Ordered, func() {
	directory := func() *v1alpha1.ScimDirectory {
		return &v1alpha1.ScimDirectory{ObjectMeta: metav1.ObjectMeta{Name: "okta", Namespace: "acme"}}
	}

	It("is made by kubectl", func(ctx context.Context) {
		run(exec.CommandContext(ctx, plane.Kubectl, "--kubeconfig="+kubeconfig, "apply", "--server-side", "-k", "config/default"))
		Expect(admin.Get(ctx, client.ObjectKey{Namespace: system, Name: "scim-operator"}, &appsv1.Deployment{})).To(Succeed())
		Expect(admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "acme"}})).To(Succeed())
		d := directory()
		d.Spec.Primary = true
		Expect(admin.Create(ctx, d)).To(Succeed())
	})

	// bound is somebody who has a ClusterRole in the namespace of the directory.
	bound := func(ctx context.Context, role string) client.Client {
		GinkgoHelper()
		Expect(admin.Create(ctx, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: role, Namespace: "acme"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: role}},
		})).To(Succeed())
		c := as(plane.User(role))
		Eventually(func() error { return c.List(ctx, &v1alpha1.ScimDirectoryList{}, client.InNamespace("acme")) }).
			Should(Or(Succeed(), MatchError(apierrors.IsForbidden, "forbidden")))
		return c
	}
	forbidden := MatchError(apierrors.IsForbidden, "forbidden")
	patched := func(ctx context.Context, c client.Client, change map[string]any) error {
		GinkgoHelper()
		patch, err := json.Marshal(change)
		Expect(err).NotTo(HaveOccurred())
		return c.Patch(ctx, directory(), client.RawPatch("application/merge-patch+json", patch))
	}

	It("shows people to who may edit, and not to who may view", func(ctx context.Context) {
		viewer, editor := bound(ctx, "scim-operator-view"), bound(ctx, "scim-operator-edit")
		in := client.InNamespace("acme")
		Eventually(viewer.List).WithArguments(ctx, &v1alpha1.ScimDirectoryList{}, in).Should(Succeed())
		Eventually(editor.List).WithArguments(ctx, &v1alpha1.ScimUserList{}, in).Should(Succeed())
		for _, list := range []client.ObjectList{
			&v1alpha1.ScimUserList{}, &v1alpha1.ScimGroupList{}, &v1alpha1.ScimMemberSliceList{}, &v1alpha1.ScimTombstoneList{},
			&v1alpha1.AppMembershipList{}, &v1alpha1.AppTargetList{}, &v1alpha1.AppTargetLedgerList{}, &corev1.SecretList{},
		} {
			Expect(viewer.List(ctx, list, in)).To(forbidden, "%T", list)
		}
		Expect(editor.Create(ctx, &v1alpha1.AppRole{ObjectMeta: metav1.ObjectMeta{Name: "admin", Namespace: "acme"}})).To(forbidden)
		Expect(patched(ctx, editor, map[string]any{"spec": map[string]any{"suspended": true}})).To(forbidden)
	})

	It("lets a namespace's administrators decide who has access", func(ctx context.Context) {
		administrator := bound(ctx, "scim-operator-admin")
		Eventually(func() error {
			return patched(ctx, administrator, map[string]any{"spec": map[string]any{"localEdits": "Deny"}})
		}).Should(Succeed())
		Expect(administrator.Create(ctx, &v1alpha1.AppRole{
			ObjectMeta: metav1.ObjectMeta{Name: "admin", Namespace: "acme"}, Spec: v1alpha1.AppRoleSpec{DisplayName: "Administrator"},
		})).To(Succeed())
	})

	It("lets a token manager renew tokens, and neither read people nor change anything else", func(ctx context.Context) {
		manager := bound(ctx, "scim-operator-token-manager")
		token := map[string]any{"name": "okta", "secretRef": map[string]any{"name": "okta-2"}}
		Eventually(func() error {
			return patched(ctx, manager, map[string]any{"spec": map[string]any{"tokens": []any{token}}})
		}).Should(Succeed())
		Expect(manager.Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: "okta-2", Namespace: "acme"}, Type: v1alpha1.TokenSecretType,
			StringData: map[string]string{"token": "scimop_example"},
		})).To(Succeed())

		By("changing nothing else of the directory, once the API server knows the policy")
		dry := client.NewDryRunClient(manager)
		for field, value := range map[string]any{
			"primary": false, "suspended": true, "users": map[string]any{"deactivation": "Delete"},
			"groups": map[string]any{"meaning": "Group"}, "localEdits": "Allow", "safeguard": map[string]any{"minimum": 1},
			"deletionPolicy": "Revoke",
		} {
			Eventually(patched).WithArguments(ctx, dry, map[string]any{"spec": map[string]any{field: value}}).
				Should(MatchError(ContainSubstring("you may change spec.tokens")), field)
		}
		for field, value := range map[string]any{
			"annotations": map[string]any{"scim-operator.io/approve": "all"}, "labels": map[string]any{"a": "b"},
			"finalizers": []any{"example.com/stay"},
		} {
			Eventually(patched).WithArguments(ctx, dry, map[string]any{"metadata": map[string]any{field: value}}).
				Should(MatchError(ContainSubstring("you may change spec.tokens")), field)
		}

		By("reading neither people nor Secrets")
		for _, list := range []client.ObjectList{
			&v1alpha1.ScimUserList{}, &v1alpha1.ScimGroupList{}, &v1alpha1.AppMembershipList{}, &corev1.SecretList{},
		} {
			Expect(manager.List(ctx, list, client.InNamespace("acme"))).To(forbidden, "%T", list)
		}
		Expect(manager.Delete(ctx, directory())).To(forbidden)
	})

	helm := func(ctx context.Context, arguments ...string) string {
		GinkgoHelper()
		command, err := Helm(ctx, root, append(arguments, "--kubeconfig="+kubeconfig, "--namespace="+system)...)
		Expect(err).NotTo(HaveOccurred())
		return run(command)
	}

	It("is taken over by Helm, and upgraded to two Deployments", func(ctx context.Context) {
		server, key := &appsv1.Deployment{}, client.ObjectKey{Namespace: system, Name: "scim-operator"}
		Expect(admin.Get(ctx, key, server)).To(Succeed())
		before := server.Spec
		Expect(helm(ctx, "install", "scim-operator", "config/chart", "--take-ownership", "--force-conflicts", url)).
			To(ContainSubstring("Identity providers reach it at https://scim.example.com"))
		Expect(admin.Get(ctx, key, server)).To(Succeed())
		Expect(server.Spec).To(Equal(before), "nothing starts anew")
		helm(ctx, "upgrade", "scim-operator", "config/chart", "--reset-then-reuse-values", "--force-conflicts", "--set=split.enabled=true")
		Expect(admin.Get(ctx, client.ObjectKey{Namespace: system, Name: "scim-operator-controllers"}, &appsv1.Deployment{})).To(Succeed())
	})

	It("leaves all data behind when Helm uninstalls it", func(ctx context.Context) {
		Expect(helm(ctx, "uninstall", "scim-operator")).To(ContainSubstring("scimdirectories.scim-operator.io"))
		key := client.ObjectKey{Namespace: system, Name: "scim-operator"}
		Expect(admin.Get(ctx, key, &appsv1.Deployment{})).To(MatchError(apierrors.IsNotFound, "not found"))
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(directory()), &v1alpha1.ScimDirectory{})).To(Succeed())
	})
})

// run returns what a command prints, and fails the spec when it fails.
func run(command *exec.Cmd) string {
	GinkgoHelper()
	command.Dir = root
	out, err := command.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(out))
	return string(out)
}
