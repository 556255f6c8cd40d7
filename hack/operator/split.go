package operator

import (
	"context"
	"path/filepath"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/hack/controlplane"
	"github.com/scim-operator/scim-operator/hack/install"
)

// The parts of the operator that config/split runs by themselves, by their ServiceAccounts.
const (
	Server      = controlplane.OperatorAccount
	Controllers = controlplane.OperatorAccount + "-controllers"
)

// Split gives each part of the operator the rights that config/split gives it, and nothing more. A suite that runs a part
// inside its own process runs it as AccountKubeconfig of the plane says.
func Split(ctx context.Context, plane *controlplane.ControlPlane) {
	ginkgo.GinkgoHelper()
	root, err := controlplane.Root()
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	admin, err := client.New(plane.Config, client.Options{})
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	objects, err := install.Kustomize(ctx, root, filepath.Join(root, "config", "split"))
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	for _, o := range objects {
		switch o.GetKind() {
		case "Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding":
			gomega.Expect(admin.Apply(ctx, client.ApplyConfigurationFromUnstructured(o), client.FieldOwner("suite"), client.ForceOwnership)).
				To(gomega.Succeed(), "%s %s", o.GetKind(), o.GetName())
		}
	}
	gomega.Expect(plane.UntilMay(ctx, Server, controlplane.ServerRight)).To(gomega.Succeed())
	gomega.Expect(plane.UntilMay(ctx, Controllers, controlplane.ControllersRight, controlplane.LeaderRight)).To(gomega.Succeed())
}
