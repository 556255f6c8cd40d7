package controlplane

import (
	"context"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The operator is installed in this namespace, and is this ServiceAccount there.
const (
	OperatorNamespace = "scim-system"
	OperatorAccount   = "scim-operator"
)

// AccountName is who a ServiceAccount of the operator's namespace is to the API server.
func AccountName(account string) string {
	return "system:serviceaccount:" + OperatorNamespace + ":" + account
}

// GiveRights makes the operator's namespace, and its ServiceAccount with the rights that config/rbac gives it. It returns an
// error when an object is refused.
func (c *ControlPlane) GiveRights(ctx context.Context) error {
	admin, err := client.New(c.Config, client.Options{})
	if err != nil {
		return err
	}
	system := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: OperatorNamespace}}
	if err := client.IgnoreAlreadyExists(admin.Create(ctx, system)); err != nil {
		return err
	}
	return c.applyConfig(ctx, "rbac")
}

// Guard applies the policies of config/admission. It returns an error when one is refused.
func (c *ControlPlane) Guard(ctx context.Context) error { return c.applyConfig(ctx, "admission") }

func (c *ControlPlane) applyConfig(ctx context.Context, folder string) error {
	return Apply(ctx, c.Config, filepath.Join(c.root, "config", folder, "*.yaml"))
}

// AccountKubeconfig returns the content of a kubeconfig file of a ServiceAccount of the operator's namespace; RBAC says what
// it may do. It returns an error when no certificate can be signed.
func (c *ControlPlane) AccountKubeconfig(account string) ([]byte, error) {
	return c.Kubeconfig(AccountName(account), accountGroups...)
}

// accountGroups are those of the ServiceAccounts of the operator's namespace, and of nobody else.
var accountGroups = []string{"system:serviceaccounts", "system:serviceaccounts:" + OperatorNamespace}
